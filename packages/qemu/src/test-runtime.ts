// Where tests find the runtime root and the demo guest; without them they skip and say so.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const CACHE = process.env['VIVARIUM_CACHE'] ?? '/var/cache/vivarium';

/** Path of a whole runtime root: VIVARIUM_RUNTIME, else one of the cache's; `undefined` when there is none. */
export function testRuntime(): string | undefined {
  const named = process.env['VIVARIUM_RUNTIME'];
  return [...(named === undefined ? [] : [named]), ...foldersIn('runtime')].find((path) =>
    existsSync(join(path, 'usr/bin/bwrap')),
  );
}

/** Kernel, initrd and bootable raw disk of a demo guest; `undefined` when none is built. */
export function testGuest(): { kernel: string; initrd: string; disk: string } | undefined {
  const folder = foldersIn('guests').find((path) => existsSync(join(path, 'guest.json')));
  if (folder === undefined) return undefined;
  const [kernel, initrd, disk] = ['vmlinuz', 'initrd.img', 'disk.raw'].map((name) => join(folder, name));
  return kernel && initrd && disk ? { kernel, initrd, disk } : undefined;
}

function foldersIn(name: string): string[] {
  const folder = join(CACHE, name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((entry) => join(folder, entry))
    .toSorted()
    .toReversed();
}
