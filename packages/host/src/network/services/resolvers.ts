// Which name servers the guests' queries are passed on to. Pure.

/**
 * The IPv4 name servers of resolv.conf(5) texts, best first: of the first text that names one which can be reached from
 * another network namespace, so not a loopback one (systemd-resolved's 127.0.0.53: its own list is the next text).
 */
export function usableResolvers(texts: readonly string[]): string[] {
  for (const text of texts) {
    const servers = [...text.matchAll(/^[ \t]*nameserver[ \t]+(\d+\.\d+\.\d+\.\d+)/gm)].map((match) => match[1] ?? '');
    const usable = servers.filter((server) => !server.startsWith('127.') && server !== '0.0.0.0');
    if (usable.length > 0) return [...new Set(usable)];
  }
  return [];
}

/** Where a machine keeps such texts, in the order of preference. */
export const RESOLVER_FILES = [
  '/etc/resolv.conf',
  '/run/systemd/resolve/resolv.conf',
  '/run/NetworkManager/resolv.conf',
];
