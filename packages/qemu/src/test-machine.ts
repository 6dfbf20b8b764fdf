// Real machines for tests: made in a temporary folder, jailed as far as the user may, and gone when the test ends.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval } from 'node:timers';
import { systemClock } from '@vivarium/base/node';
import type { JailMode } from './launch/jail.ts';
import { jailFolders, type Launched, type LaunchSpec, launch } from './launch/launch.ts';
import { signalProcess } from './launch/process-identity.ts';
import { runJailed } from './launch/tool.ts';
import { machineArguments } from './machine/arguments.ts';
import type { HostBinding, Machine } from './machine/model.ts';
import { testRuntime } from './test-runtime.ts';

export const isRoot = process.getuid?.() === 0;
const TEST_UID = 64_321;

export interface TestMachine extends Launched {
  /** The VM's folder on the host. */
  readonly folder: string;
  readonly runFolder: string;
}

/** A machine with nothing in it. */
export function plainMachine(changes: Partial<Machine> = {}): Machine {
  return {
    name: 'test',
    uuid: '42000000-1111-2222-3333-444444444444',
    machineType: 'pc-q35-11.1',
    cpu: { model: 'qemu64', count: 1, coresPerSocket: 1, maxCount: 1 },
    memoryMB: 64,
    firmware: { kind: 'bios' },
    bootDelayMs: 0,
    enterSetup: false,
    controllers: [],
    disks: [],
    cdroms: [],
    floppies: [],
    nics: [],
    serials: [],
    video: { kind: 'std', videoRamKB: 4096 },
    usbInput: false,
    balloon: false,
    rng: false,
    ...changes,
  };
}

export interface Cleanup {
  after(undo: () => void | Promise<void>): void;
}

/** A test's clean-up in the reverse of the order in which things were made; node:test itself goes forward. */
export function inReverse(t: Cleanup): Cleanup {
  const undo = new AsyncDisposableStack();
  t.after(() => undo.disposeAsync());
  return { after: (work) => undo.defer(work) };
}

export interface TestFolder {
  readonly folder: string;
  readonly runFolder: string;
}

/** A VM folder and a run folder that the test uid owns. */
export function testFolder(t: Cleanup): TestFolder {
  const base = mkdtempSync(join(tmpdir(), 'vivarium-vm-'));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  chmodSync(base, 0o711);
  const [folder, runFolder] = [join(base, 'vm'), join(base, 'run')];
  for (const path of [folder, runFolder]) {
    mkdirSync(path, { mode: 0o700 });
    own(path);
  }
  return { folder, runFolder };
}

/** Gives a file to the uid of the test VMM. */
export function own(path: string): void {
  if (isRoot) chownSync(path, TEST_UID, TEST_UID);
}

/** Takes a file back to the uid of the tests, under which the weaker jails run. */
export function disown(path: string): void {
  if (isRoot) chownSync(path, 0, 0);
}

export function writeOwned(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content);
  own(path);
}

export async function makeImage(folder: string, name: string, format: 'qcow2' | 'raw', size: string): Promise<void> {
  await runJailed({
    runtime: { path: testRuntime() ?? '' },
    program: '/usr/bin/qemu-img',
    args: ['create', '-q', '-f', format, `/vm/${name}`, size],
    binds: [{ host: folder, inside: '/vm', writable: true }],
    timeoutMs: 20_000,
    ...(isRoot ? { uid: TEST_UID } : {}),
  });
}

/** Starts a machine and registers its end with the test. `extra` goes to QEMU as it is (kernels of test guests). */
export async function startMachine(
  t: Cleanup,
  machine: Machine,
  options: TestFolder & {
    readonly binding?: Partial<HostBinding>;
    readonly spec?: Partial<LaunchSpec>;
    readonly extra?: readonly string[];
  },
): Promise<TestMachine> {
  const { folder, runFolder, binding = {}, extra = [] } = options;
  const jail: JailMode = options.spec?.jail ?? (isRoot ? 'full' : 'user');
  const runtime = { path: testRuntime() ?? '' };
  const args = machineArguments(machine, {
    accelerator: 'tcg',
    networks: {},
    paused: false,
    sandbox: true,
    ...jailFolders({ jail, vmFolder: folder, runFolder }),
    ...(jail === 'none' ? { runtimeFolder: runtime.path } : {}),
    ...binding,
  });
  const launched = await launch({
    runtime,
    args: [...args, ...extra],
    vmFolder: folder,
    runFolder,
    jail,
    uid: TEST_UID,
    fds: [],
    accelerator: 'tcg',
    network: 'none',
    logFile: join(folder, 'qemu.log'),
    clock: systemClock,
    ...options.spec,
  });
  t.after(async () => {
    launched.monitor.close();
    signalProcess(launched.process, 'SIGKILL');
    const awake = setInterval(() => undefined, 1000); // the child itself does not keep this process alive
    await launched.ended;
    clearInterval(awake);
  });
  return { ...launched, folder, runFolder };
}

export const logOf = (machine: TestMachine) => readFileSync(join(machine.folder, 'qemu.log'), 'utf8');
