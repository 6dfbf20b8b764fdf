// A Unix socket in a folder that only its owner enters: who gets there may do what it offers. Its path goes through an open
// descriptor of the folder, as the path of a socket may have 107 bytes and no more.
import { mkdir, open } from 'node:fs/promises';

export interface ControlSocket extends AsyncDisposable {
  readonly path: string;
}

/** `path` is good until it is disposed of. The folder is made if `make`. */
export async function controlSocket(folder: string, make = false): Promise<ControlSocket> {
  if (make) await mkdir(folder, { recursive: true, mode: 0o700 });
  const handle = await open(folder, 'r');
  return {
    path: `/proc/self/fd/${handle.fd}/vpxd.sock`,
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
