// viv sim: becomes the simulator, by execve(2): who started this process signals and ends the simulator itself. Its flags are vcsim's,
// read by itself.
import { fileURLToPath } from 'node:url';

/** A large young generation, as vpxd has. */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=64'];
const SIM = fileURLToPath(new URL('../../../sim/src/main.ts', import.meta.url));

export function sim(flags: readonly string[]): void {
  process.execve?.(process.execPath, [process.execPath, ...NODE_FLAGS, SIM, ...flags], process.env);
}
