// The process of `viv sim`: reads vcsim's flags, starts, tells where it listens, ends on SIGINT, SIGTERM and SIGQUIT.
import { createWriteStream, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { silentLogger, uuid } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { FlagError, parseFlags, type SimFlags, USAGE } from './flags.ts';
import { type Sim, type SimOptions, startSim } from './sim.ts';

type Started = Pick<Sim, 'url' | 'close'>;

/**
 * Bytes. A larger heap may grow by a half before V8 goes through all of it, not to twice its size: with 45,000 VMs that is after some
 * 4,000 changes, and takes two seconds of processor time.
 */
const LARGE_HEAP = 400 * 2 ** 20;

const args = process.argv.slice(2);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

if (args[0] === 'uuidgen') {
  process.stdout.write(`${uuid(systemRandom)}\n`);
} else if (args.some((arg) => /^--?(h|help)$/.test(arg))) {
  process.stdout.write(USAGE);
} else {
  try {
    await run(parseFlags(args));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`viv sim: ${error.message}\n`);
    process.exit(2);
  }
}

async function run(flags: SimFlags): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'viv-sim-'));
  const ended = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) process.once(signal, () => ended.resolve());
  try {
    const trace = openTrace(flags);
    const start: (flags: SimFlags, options: SimOptions) => Promise<Started> = flags.isEsx
      ? (await import('./esx.ts')).startEsx
      : startSim;
    const sim = await starting(flags, () =>
      start(flags, {
        clock: systemClock,
        random: systemRandom,
        log: silentLogger,
        version,
        folder,
        progress: () => undefined,
        notice: (text) => void process.stderr.write(`viv sim: ${text}\n`),
        ...(trace ? { trace: (text: string) => void trace.write(text) } : {}),
      }),
    );
    if (process.memoryUsage().heapUsed > LARGE_HEAP) setFlagsFromString('--heap-growing-percent=50');
    // What the start leaves behind is nearly all that a simulator of this size ever needs: V8 would keep the room for twice as much.
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    const line = `export GOVC_URL=${sim.url} GOVC_SIM_PID=${process.pid}\n`;
    try {
      await tell(flags, line);
      await ended.promise;
    } finally {
      await sim.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Says of an address that cannot be had what is wrong with it. */
async function starting({ listen }: SimFlags, start: () => Promise<Started>): Promise<Started> {
  try {
    return await start();
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall !== 'listen' && syscall !== 'getaddrinfo') throw error;
    throw new FlagError(`-l ${listen.address}:${listen.port} cannot be listened on: ${message}`);
  }
}

async function tell({ environmentFile }: SimFlags, line: string): Promise<void> {
  if (environmentFile === undefined || environmentFile === '-') {
    process.stdout.write(line);
    return;
  }
  try {
    await writeFile(environmentFile, line);
  } catch (error) {
    throw new FlagError(`-E cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function openTrace({ traceFile }: SimFlags): Writable | undefined {
  if (traceFile === undefined) return undefined;
  if (traceFile === '-') return process.stderr;
  try {
    // Requests have passwords in them.
    return createWriteStream('', { fd: openSync(traceFile, 'w', 0o600) }).on('error', ({ message }) => {
      process.stderr.write(`viv sim: what clients ask is not written down any more: ${message}\n`);
    });
  } catch (error) {
    throw new FlagError(`-trace-file cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
