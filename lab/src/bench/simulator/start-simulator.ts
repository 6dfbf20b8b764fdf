// A simulator as a process of its own: ours as `viv sim` starts it, or vcsim. Both take the same flags.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive } from '../../testing/process.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { processorSeconds } from '../processor-time.ts';
import type { Address } from './session.ts';

const VIV = fileURLToPath(new URL('../../../../packages/cli/src/main.ts', import.meta.url));
const START_MS = 900_000;
const END_MS = 30_000;

export interface Simulator extends AsyncDisposable {
  readonly address: Address;
  /** `https://user:pass@127.0.0.1:8989/sdk`. */
  readonly url: string;
  readonly pid: number;
  /** From the start of the process to its telling where it listens. */
  readonly startSeconds: number;
  readonly startProcessorSeconds: number;
  residentMB(): Promise<number>;
  /** The most that it had. */
  peakMB(): Promise<number>;
  processorSeconds(): Promise<number>;
}

/** `vcsim`: its program; undefined for ours. `counts`: vcsim's flags. All VMs are powered off. */
export async function startSimulator(counts: readonly string[], vcsim?: string): Promise<Simulator> {
  const folder = await mkdtemp(join(tmpdir(), 'viv-bench-sim-'));
  const environment = join(folder, 'environment');
  await writeFile(environment, ''); // vcsim only writes to what is there
  const flags = ['-l', '127.0.0.1:0', '-E', environment, '-autostart=false', ...counts];
  const [program, args] = vcsim
    ? [vcsim, flags]
    : [process.execPath, ['--disable-warning=ExperimentalWarning', VIV, 'sim', ...flags]];
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, TMPDIR: folder } });
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said = (said + data.toString('utf8')).slice(-4000);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const close = async (pid: number) => {
    if (isAlive(pid)) process.kill(pid, 'SIGTERM');
    const timer = setTimeout(() => isAlive(pid) && process.kill(pid, 'SIGKILL'), END_MS);
    await ended;
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const line = await waitFor(
      'the simulator',
      async () => {
        if (child.exitCode !== null) throw new Error(`the simulator ended: ${said}`);
        const text = await readFile(environment, 'utf8').catch(() => '');
        return text.includes('GOVC_SIM_PID=') && text.endsWith('\n') && text;
      },
      START_MS,
    );
    const startSeconds = (performance.now() - started) / 1000;
    const url = /GOVC_URL=(\S+)/.exec(line)?.[1] ?? '';
    const pid = Number(/GOVC_SIM_PID=(\d+)/.exec(line)?.[1]);
    const status = async (name: string) =>
      Number(new RegExp(`${name}:\\s+(\\d+)`).exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
    return {
      address: { host: new URL(url).hostname, port: Number(new URL(url).port) },
      url,
      pid,
      startSeconds,
      startProcessorSeconds: await processorSeconds(pid),
      residentMB: () => status('VmRSS'),
      peakMB: () => status('VmHWM'),
      processorSeconds: () => processorSeconds(pid),
      [Symbol.asyncDispose]: () => close(pid),
    };
  } catch (error) {
    await close(child.pid ?? 0);
    throw error;
  }
}
