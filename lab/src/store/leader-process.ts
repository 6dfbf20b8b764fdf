// A daemon that leads or waits to, in a process of its own: fixtures/leader.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../testing/wait-for.ts';

const LEADER = fileURLToPath(new URL('./fixtures/leader.ts', import.meta.url));

export class LeaderProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  #lines: string[] = [];

  constructor(url: string, name: string) {
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', LEADER, url, name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let rest = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      this.#lines.push(...lines);
    });
  }

  /** The last number acknowledged to it; 0 for none. */
  get acknowledged(): number {
    return Number(this.#lines.findLast((line) => /^\d+$/.test(line)) ?? 0);
  }

  get fence(): number {
    return Number(this.#lines.find((line) => line.startsWith('leads '))?.slice('leads '.length) ?? 0);
  }

  /** Why it leads no longer. */
  get loss(): string | undefined {
    return this.#lines.find((line) => line.startsWith('lost '))?.slice('lost '.length);
  }

  async waits(): Promise<void> {
    await waitFor('the daemon waits for the lock', async () => this.#lines.includes('waits'));
  }

  /** That it counts further. */
  async counts(): Promise<void> {
    const before = this.acknowledged;
    await waitFor('the daemon counts', async () => this.acknowledged > before);
  }

  async ends(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ends();
  }
}
