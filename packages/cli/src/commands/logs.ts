// viv logs: the end of a daemon's log, one readable line per record.
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { delay } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { lastLines } from '../last-lines.ts';
import { centerInstance, frontInstance, hostInstances, readLayout } from '../layout.ts';
import { type Instance, UserError } from '../state.ts';

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'warn ', 50: 'error', 60: 'fatal' };

interface LogsOptions {
  readonly stateDir: string;
  /** Whose log: vcenter, esx1 …; default: of what people talk to. */
  readonly of?: string;
  readonly follow?: boolean;
  readonly lines: number;
}

async function chosenInstance({ stateDir, of }: LogsOptions): Promise<Instance> {
  const layout = await readLayout(stateDir);
  if (of === undefined || !layout) return frontInstance(stateDir);
  const center = centerInstance(stateDir, layout);
  const all = [...(center ? [center] : []), ...hostInstances(stateDir, layout)];
  const found = all.find(({ name }) => name === of);
  if (found) return found;
  throw new UserError(`there is no ${of} here`, `choose one of ${all.map(({ name }) => name).join(', ')}`);
}

export async function logs(options: LogsOptions): Promise<void> {
  const instance = await chosenInstance(options);
  const path = join(instance.stateDir, `${instance.kind}.log`);
  const last = await lastLines(path, options.lines).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new UserError(`there is no log at ${path}`, 'start a host with: ./viv up');
    const mend = 'run this as the user that started it, or as root';
    throw new UserError(`${path} cannot be read (${cause.code})`, mend, { cause });
  });
  for (const line of last.lines) print(line);
  let position = last.end;
  while (options.follow) {
    await delay({ ...systemClock, setTimer: keepAliveTimer }, 300);
    const { size } = await stat(path);
    if (size < position) position = 0;
    if (size === position) continue;
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - position), 0, size - position, position);
      const text = buffer.toString('utf8', 0, bytesRead);
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      position += Buffer.byteLength(whole);
      for (const line of whole.trimEnd().split('\n')) if (line !== '') print(line);
    } finally {
      await handle.close();
    }
  }
}

function keepAliveTimer(delayMs: number, fire: () => void) {
  const timer = setTimeout(fire, delayMs);
  return { cancel: () => clearTimeout(timer) };
}

function print(line: string): void {
  try {
    const { time, level, msg, pid: _pid, hostname: _hostname, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const data = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
    process.stdout.write(`${String(time)} ${LEVELS[Number(level)] ?? String(level)} ${String(msg)}${data}\n`);
  } catch {
    process.stdout.write(`${line}\n`);
  }
}
