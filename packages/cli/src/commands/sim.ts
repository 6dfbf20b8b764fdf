// viv sim: starts the simulator in the place of this process's output and signals; its flags are vcsim's, read by itself.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A large young generation, as vpxd has. */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=64'];
const SIM = fileURLToPath(new URL('../../../sim/src/main.ts', import.meta.url));

export async function sim(flags: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [...NODE_FLAGS, SIM, ...flags], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
