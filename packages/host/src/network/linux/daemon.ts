// A program that hostd keeps running, and that outlives hostd: started detached, found again by the unique argument it was
// started with, started anew when it dies. It is told apart by (namespace, marker argument), so no pid file can lie.
//
//   (absent) --ensure--> running --dies--> (absent) --at once, later with growing delay--> running
//                          |  release
//                          v
//                       (left alone)
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { type Clock, delay, type Logger } from '@vivarium/base';
import { NetworkError } from '../provider.ts';
import type { ToolOptions, Tools } from '../tools.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import { isAlive, type ProcessIdentity, processesInNamespace, signalProcess } from './process-table.ts';

export interface DaemonSpec extends ToolOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** One of `args`: no other process of the namespace has it, e.g. `--unixctl=/…/vswitchd.ctl`. */
  readonly marker: string;
  /** Gets standard output and error; started afresh with the daemon. */
  readonly logFile: string;
  /** Resolves to true when the daemon does its work. */
  readonly isReady: () => Promise<boolean>;
}

export interface DaemonSurroundings {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tools: Tools;
  readonly namespace: NetworkNamespace;
  /** The daemon died and is running again; what it kept in memory is gone. */
  readonly onRestarted: (name: string) => void;
}

const READY_WITHIN_MS = 20_000;
/** Safety net for daemons that an earlier hostd started: their end raises no event here. */
const WATCH_EVERY_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** A daemon that lived this long starts with a clean record. */
const SETTLED_AFTER_MS = 60_000;

export class Daemon {
  readonly #spec: DaemonSpec;
  readonly #around: DaemonSurroundings;
  readonly #released = new AbortController();
  #process: ProcessIdentity | undefined;
  #watch: Promise<void> | undefined;
  #ended: Promise<void> | undefined;

  constructor(spec: DaemonSpec, around: DaemonSurroundings) {
    this.#spec = spec;
    this.#around = around;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Finds the daemon or starts it, waits until it works, and keeps it running from now on. */
  async ensure(): Promise<'found' | 'started'> {
    const outcome = await this.#findOrStart();
    this.#watch ??= this.#keepRunning();
    return outcome;
  }

  /** Tells the daemon to read its files again (SIGHUP). */
  reload(): void {
    if (this.#process) signalProcess(this.#process, 'SIGHUP');
  }

  /** Looks after the daemon no longer; it runs on. */
  async release(): Promise<void> {
    this.#released.abort();
    await this.#watch;
  }

  // The launcher in front of a program (bubblewrap) has the same arguments behind its own, and may stay as its parent.
  #processes() {
    const ours = processesInNamespace(this.#around.namespace.identity).filter((process) =>
      process.arguments.includes(this.#spec.marker),
    );
    const program = ours.find((process) => process.arguments[0] === this.#spec.program);
    return { program, launchers: ours.filter((process) => process.arguments[0] !== this.#spec.program) };
  }

  // A hostd that was killed may have started one a moment ago.
  async #find(): Promise<ProcessIdentity | undefined> {
    const { clock } = this.#around;
    const deadline = clock.monotonic() + READY_WITHIN_MS;
    for (;;) {
      const { program, launchers } = this.#processes();
      if (program || launchers.length === 0) return program;
      if (clock.monotonic() > deadline) for (const launcher of launchers) signalProcess(launcher, 'SIGKILL');
      await delay(clock, 10);
    }
  }

  async #findOrStart(): Promise<'found' | 'started'> {
    const found = await this.#find();
    if (found && (await this.#becomesReady(found))) {
      this.#process = found;
      return 'found';
    }
    if (found) await endProcess(this.#around.clock, found); // there, but hung: it would hold the files that a new one needs
    const started = await this.#spawn();
    if (!(await this.#becomesReady(started))) {
      await endProcess(this.#around.clock, started);
      throw new NetworkError(`${this.#spec.name} does not start: ${this.#lastWords()}`);
    }
    this.#process = started;
    this.#around.log.info({ daemon: this.#spec.name, pid: started.pid }, 'network daemon started');
    return 'started';
  }

  async #spawn(): Promise<ProcessIdentity> {
    const { tools, namespace } = this.#around;
    const command = tools.command(this.#spec.program, this.#spec.args, this.#spec);
    const output = openSync(this.#spec.logFile, 'w', 0o600);
    try {
      const child = namespace.run(() =>
        spawn(command.file, command.args, { stdio: ['ignore', output, output], env: {}, detached: true }),
      );
      child.unref();
      this.#ended = new Promise((resolve) => child.once('exit', () => resolve()));
      await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
      const started = await this.#find();
      if (!started) throw new NetworkError(`${this.#spec.name} ended at once: ${this.#lastWords()}`);
      return started;
    } finally {
      closeSync(output);
    }
  }

  async #becomesReady(target: ProcessIdentity): Promise<boolean> {
    const { clock } = this.#around;
    const deadline = clock.monotonic() + READY_WITHIN_MS;
    while (isAlive(target) && clock.monotonic() < deadline) {
      if (await this.#spec.isReady()) return true;
      await delay(clock, 20);
    }
    return false;
  }

  async #keepRunning(): Promise<void> {
    const { clock, log } = this.#around;
    const { signal } = this.#released;
    let failures = 0;
    while (!signal.aborted) {
      const since = clock.monotonic();
      await this.#endOfProcess(signal);
      if (signal.aborted) return;
      log.error({ daemon: this.#spec.name, pid: this.pid, said: this.#lastWords() }, 'network daemon died');
      failures = clock.monotonic() - since > SETTLED_AFTER_MS ? 0 : failures;
      while (!signal.aborted) {
        if (failures > 0) await pause(clock, Math.min(250 * 2 ** failures, LONGEST_PAUSE_MS), signal);
        failures += 1;
        if (signal.aborted) return;
        try {
          await this.#findOrStart();
          break;
        } catch (error) {
          log.error({ daemon: this.#spec.name, err: error }, 'network daemon cannot be started again');
        }
      }
      this.#around.onRestarted(this.#spec.name);
    }
  }

  async #endOfProcess(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#process && isAlive(this.#process)) {
      const ended = this.#ended;
      this.#ended = undefined; // it tells once: should the daemon outlive its launcher, watching takes over
      await (ended ? Promise.race([ended, aborted(signal)]) : pause(this.#around.clock, WATCH_EVERY_MS, signal));
    }
  }

  #lastWords(): string {
    try {
      return readFileSync(this.#spec.logFile, 'utf8').trim().slice(-1000) || 'it said nothing';
    } catch {
      return 'it said nothing';
    }
  }
}

/** Ends every daemon of the namespace that runs one of `programs`; others may look around in there (`ip netns exec`). */
export async function endDaemons(
  clock: Clock,
  namespace: NetworkNamespace,
  programs: readonly string[],
): Promise<void> {
  const patience = clock.monotonic() + 1_000;
  for (;;) {
    const ours = processesInNamespace(namespace.identity).filter((process) =>
      programs.some((program) => process.arguments.includes(program)),
    );
    if (ours.length === 0) return;
    // Launchers end with their programs and reap them. Left over are those that a killed hostd had only just started.
    const running = ours.filter((process) => programs.includes(process.arguments[0] ?? ''));
    const targets = running.length > 0 || clock.monotonic() < patience ? running : ours;
    await Promise.all(targets.map((target) => endProcess(clock, target)));
    await delay(clock, 10);
  }
}

/** SIGTERM, and SIGKILL when that does not help within 3 s. Resolves when the process is gone. */
async function endProcess(clock: Clock, target: ProcessIdentity): Promise<void> {
  signalProcess(target, 'SIGTERM');
  const patience = clock.monotonic() + 3_000;
  while (isAlive(target)) {
    if (clock.monotonic() > patience) signalProcess(target, 'SIGKILL');
    await delay(clock, 10);
  }
}

async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  await delay(clock, delayMs, signal).catch(() => undefined);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
