// viv sim: becomes the simulator, by execve(2): who started this process signals and ends the simulator itself. Its flags are vcsim's,
// read by itself.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from '../state.ts';

/** A large young generation, as vpxd has. */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=64', '--expose-gc'];
const SIM = fileURLToPath(new URL('../../../sim/src/main.ts', import.meta.url));

export function sim(flags: readonly string[]): void {
  // Stripped and compiled once, not at every start.
  const environment = { NODE_COMPILE_CACHE: join(cacheDir(), 'compile-cache'), ...process.env };
  process.execve?.(process.execPath, [process.execPath, ...NODE_FLAGS, SIM, ...flags], environment);
}
