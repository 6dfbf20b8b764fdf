// The URL by which clients reach a simulator, with the account in it. Pure.
import type { SimFlags } from './flags.ts';

/** `https://user:pass@127.0.0.1:8989/sdk`; with a tunnel, its port is where govmomi looks for it. */
export function simUrl({ listen, userName, password, isTls }: SimFlags, port: number, tunnelPort?: number): string {
  const { address } = listen;
  const host = address === '0.0.0.0' ? '127.0.0.1' : address.includes(':') ? `[${address}]` : address;
  const account = `${encodeURIComponent(userName ?? 'user')}:${encodeURIComponent(password ?? 'pass')}`;
  return `${isTls ? 'https' : 'http'}://${account}@${host}:${port}/sdk${tunnelPort === undefined ? '' : `?GOVMOMI_TUNNEL_PROXY_PORT=${tunnelPort}`}`;
}
