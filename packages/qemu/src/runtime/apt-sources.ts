// Reads the machine's own package sources, to learn which Debian mirror it uses. Pure: text in, data out.
// Formats: sources.list(5), one-line style and deb822 style.

export interface AptSource {
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** `Signed-By` as written: key files, fingerprints, or an armoured key (deb822 only). */
  readonly signedBy?: string;
}

/** Where Debian's packages come from: the address up to, without, `/dists`. */
export interface DebianMirror {
  readonly uri: string;
  readonly signedBy?: string;
}

/** One-line style: `deb [option=value …] uri suite component…`. Lines that are not understood are left out, as apt would refuse them. */
export function parseSourcesList(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) continue;
    const [, type = '', options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    sources.push({
      types: [type],
      uris: [uri],
      suites: [suite],
      components: words(components),
      ...(signedBy === undefined ? {} : { signedBy: signedBy.replaceAll(',', ' ') }),
    });
  }
  return sources;
}

/** deb822 style: stanzas of `Field: value`, continued by lines that begin with a blank. Disabled stanzas are left out. */
export function parseDeb822Sources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const stanza of text.split(/\n[ \t]*\n/)) {
    const fields = parseStanza(stanza);
    if (/^(no|false|0|off|without|disable)$/i.test(fields.get('enabled')?.trim() ?? 'yes')) continue;
    const source = {
      types: words(fields.get('types') ?? ''),
      uris: words(fields.get('uris') ?? ''),
      suites: words(fields.get('suites') ?? ''),
      components: words(fields.get('components') ?? ''),
    };
    if (source.types.length === 0 || source.uris.length === 0) continue;
    const signedBy = fields.get('signed-by')?.replace(/\s+$/, '');
    sources.push(signedBy === undefined ? source : { ...source, signedBy });
  }
  return sources;
}

function parseStanza(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#') || line.trim() === '') continue;
    if (/^[ \t]/.test(line)) {
      if (current !== undefined) fields.set(current, `${fields.get(current) ?? ''}\n${line.replace(/\s+$/, '')}`);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    current = line.slice(0, colon).trim().toLowerCase();
    fields.set(current, line.slice(colon + 1).trim());
  }
  return fields;
}

/**
 * The mirror that serves Debian's main archive to this machine: the source with component `main` whose suite is the
 * release itself (`codename` or one of the archive's aliases), and not its security, updates or backports suite, which
 * may live on another server.
 */
export function chooseMirror(sources: readonly AptSource[], codename: string): DebianMirror | undefined {
  const releases = new Set([codename, 'stable', 'oldstable', 'testing', 'unstable', 'sid']);
  for (const source of sources) {
    if (!source.types.includes('deb') || !source.components.includes('main')) continue;
    if (!source.suites.some((suite) => releases.has(suite))) continue;
    const uri = source.uris.find((candidate) => !candidate.startsWith('cdrom:'));
    if (uri === undefined) continue;
    return source.signedBy === undefined ? { uri } : { uri, signedBy: source.signedBy };
  }
  return undefined;
}

/** `KEY=value` lines of os-release(5), quotes removed. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z0-9_]+)=(["']?)(.*)\2$/.exec(line.trim());
    if (match !== null) values.set(match[1] ?? '', match[3] ?? '');
  }
  return values;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
