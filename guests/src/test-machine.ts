// For tests: boots a copy of the demo guest under TCG with user-mode networking and lets a test talk to it.
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@vivarium/base/node';
import { findRuntime } from '@vivarium/qemu';
import { findDemoGuest } from './ensure-demo-guest.ts';

const CACHE_DIR = process.env['VIVARIUM_CACHE'] ?? '/var/cache/vivarium';

/** What the tests need to run; `undefined` when this machine has not got it. */
export async function findTestAssets() {
  const [runtime, guest] = await Promise.all([findRuntime(CACHE_DIR), findDemoGuest(CACHE_DIR)]);
  return runtime === undefined || guest === undefined ? undefined : { runtime, guest };
}

export type TestAssets = NonNullable<Awaited<ReturnType<typeof findTestAssets>>>;

export interface TestMachine extends AsyncDisposable {
  /** Everything that came over the serial port. */
  readonly serial: () => string;
  /** Waits until the serial port has said it, after the place where the last wait ended. */
  readonly expect: (pattern: RegExp, timeoutMs?: number) => Promise<RegExpExecArray>;
  readonly type: (text: string) => void;
  /** One QMP command; its `return`. */
  readonly qmp: (command: string, args?: object) => Promise<unknown>;
  /** One guest agent command; its `return`. */
  readonly agent: (command: string, args?: object) => Promise<unknown>;
  /** Resolves when QEMU has ended. */
  readonly ended: Promise<number | null>;
  /** Milliseconds since QEMU was started. */
  readonly elapsed: () => number;
}

export interface TestMachineOptions {
  /** Another image to boot, written to. */
  readonly disk?: string;
  readonly machine?: string;
  readonly memoryMB?: number;
  readonly firmware?: readonly string[];
}

/** `devices` are QEMU arguments; the disk is the block node `disk0`. */
export async function bootTestMachine(
  assets: TestAssets,
  devices: readonly string[],
  options: TestMachineOptions = {},
): Promise<TestMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'viv-guest-'));
  const disk = options.disk ?? join(folder, 'disk.raw');
  if (options.disk === undefined) await copyFile(assets.guest.disk, disk);
  const socket = (name: string) => join(folder, `${name}.sock`);
  const share = (path: string) => join(assets.runtime.path, 'usr', path);
  const { file, args } = assets.runtime.direct('qemu-system-x86_64', [
    ...['-L', share('share/qemu'), '-L', share('share/seabios'), '-L', share('lib/ipxe/qemu')],
    ...[
      '-nodefaults',
      '-accel',
      'tcg',
      '-cpu',
      'qemu64',
      '-m',
      String(options.memoryMB ?? 256),
      '-display',
      'none',
      '-serial',
      'stdio',
    ],
    ...['-machine', options.machine ?? 'q35', ...(options.firmware ?? [])],
    ...['-qmp', `unix:${socket('qmp')},server=on,wait=off`],
    ...['-blockdev', JSON.stringify({ driver: 'raw', 'node-name': 'disk0', file: { driver: 'file', filename: disk } })],
    ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=agent,path=${socket('agent')},server=on,wait=off`],
    ...['-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
    ...devices,
  ]);
  const started = systemClock.monotonic();
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const serial = watchSerial(child);
  const ended = new Promise<number | null>((resolve) => child.once('close', (status) => resolve(status)));
  const lines = new Map<string, Promise<JsonLines>>();
  const talk = async (name: string, hello: readonly object[], request: object) => {
    const opened = lines.get(name) ?? JsonLines.open(socket(name), hello);
    lines.set(name, opened);
    return (await opened).request(request);
  };
  return {
    serial: serial.text,
    expect: serial.expect,
    type: (text) => child.stdin.write(text),
    qmp: (execute, args) => talk('qmp', [{ execute: 'qmp_capabilities' }], { execute, arguments: args ?? {} }),
    agent: (execute, args) => talk('agent', [], { execute, arguments: args ?? {} }),
    ended,
    elapsed: () => systemClock.monotonic() - started,
    async [Symbol.asyncDispose]() {
      for (const line of lines.values()) (await line.catch(() => undefined))?.close();
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

function watchSerial(child: ChildProcess) {
  let text = '';
  let from = 0;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of waiting) check();
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    wake();
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const expect = (pattern: RegExp, timeoutMs = 60_000) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const finish = (settle: () => void) => {
        waiting.delete(check);
        clearTimeout(timer);
        settle();
      };
      const check = () => {
        const match = pattern.exec(text.slice(from));
        if (match === null) return;
        from += match.index + match[0].length;
        finish(() => resolve(match));
      };
      const fail = (why: string) =>
        finish(() => reject(new Error(`${why} before ${pattern}: ${said}\n${text.slice(-1500)}`)));
      const timer = setTimeout(() => fail('time ran out'), timeoutMs);
      child.once('close', () => fail('QEMU ended'));
      waiting.add(check);
      check();
    });
  return { text: () => text, expect };
}

/** One JSON text a line in both directions, answers in the order of requests; events are skipped. */
class JsonLines {
  readonly #socket: Socket;
  readonly #answers: ((answer: { return?: unknown; error?: { desc: string } }) => void)[] = [];
  #text = '';

  static async open(path: string, hello: readonly object[]): Promise<JsonLines> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const lines = new JsonLines(socket);
    for (const request of hello) await lines.request(request);
    return lines;
  }

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const parts = (this.#text + chunk.toString()).split('\n');
      this.#text = parts.pop() ?? '';
      for (const part of parts) {
        const message = JSON.parse(part);
        if ('return' in message || 'error' in message) this.#answers.shift()?.(message);
      }
    });
  }

  async request(request: object): Promise<unknown> {
    const answer = new Promise<{ return?: unknown; error?: { desc: string } }>((resolve) =>
      this.#answers.push(resolve),
    );
    this.#socket.write(`${JSON.stringify(request)}\n`);
    const { return: value, error } = await answer;
    if (error !== undefined) throw new Error(error.desc);
    return value;
  }

  close(): void {
    this.#socket.destroy();
  }
}
