// What the kernel and the distribution tell of the machine in files. Only reads; what cannot be read is simply not known.
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

export interface MachineFiles {
  /** Trimmed; undefined when it is not there or, as sysfs has it, cannot be said. */
  text(path: string): string | undefined;
  /** Names in a folder, sorted; none when it is not there. */
  list(path: string): string[];
  /** Where a path leads over links; undefined when it leads nowhere. */
  real(path: string): string | undefined;
}

/** `root` is another one for tests. */
export function machineFiles(root = '/'): MachineFiles {
  const at = (path: string) => join(root, path);
  const base = realpathSync(root);
  return {
    text: (path) => orUndefined(() => readFileSync(at(path), 'utf8').trim()),
    list: (path) => orUndefined(() => readdirSync(at(path)).sort()) ?? [],
    real: (path) => orUndefined(() => join('/', realpathSync(at(path)).slice(base === '/' ? 0 : base.length))),
  };
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
