// viv sim: becomes the simulator, by execve(2): who started this process signals and ends the simulator itself. Its flags are vcsim's,
// read by itself.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CENTER_FLAGS } from '../node-flags.ts';
import { cacheDir } from '../state.ts';

/** As vpxd has them. */
const NODE_FLAGS = [...CENTER_FLAGS, '--expose-gc'];
const SIM = fileURLToPath(new URL('../../../sim/src/main.ts', import.meta.url));

export function sim(flags: readonly string[]): void {
  // Stripped and compiled once, not at every start.
  const environment = { NODE_COMPILE_CACHE: join(cacheDir(), 'compile-cache'), ...process.env };
  process.execve?.(process.execPath, [process.execPath, ...NODE_FLAGS, SIM, ...flags], environment);
}
