// One running QEMU as a Vmm. Owns the connection to its monitor and agent; ends when QEMU does, and then frees what the
// machine held: switch ports, run folder.
import { open, readFile, rm, statfs } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { delay, uuid } from '@vivarium/base';
import {
  abandonSaving,
  continueMachine,
  isAlive,
  jailFolders,
  type MachineEvent,
  type Monitor,
  ProcessMeter,
  queryBalloon,
  queryBlockStatistics,
  queryGuestMemory,
  queryRxFilter,
  queryStatus,
  quit,
  readEvent,
  saveState,
  screendump,
  sendKeys,
  setBalloon,
  setGuestStatisticsInterval,
  setVncPassword,
  signalProcess,
  systemPowerdown,
  systemReset,
  type VmProcess,
} from '@vivarium/qemu';
import { runFiles } from '@vivarium/qemu/machine';
import { vmGroup } from '../../resource-pool/control-groups.ts';
import type { KeyStroke, Vmm, VmmEvents, VmmUsage } from '../vmm.ts';
import { AgentDoor } from './agent-door.ts';
import { giveFiles } from './files.ts';
import { IoErrors } from './io-errors.ts';
import type { ProcessRecord } from './process-record.ts';
import { QemuDevices } from './qemu-devices.ts';
import { type QemuOptions, vmUid } from './qemu-options.ts';
import { type RunFolder, removeRunFolder, serialSocketName } from './run-folder.ts';

/** The guest's balloon driver tells of its memory as often as anybody asks for it: a real-time sample. */
const GUEST_STATISTICS_S = 20;
/** How long QEMU may take to end after it was told to, or after its monitor is gone. */
const END_MS = 3_000;

export class QemuVmm implements Vmm {
  readonly bootTime: string;
  readonly accelerator: 'kvm' | 'tcg';
  readonly vncSocket: string;
  readonly devices: QemuDevices;
  readonly agent: AgentDoor;
  readonly #options: QemuOptions;
  readonly #id: string;
  readonly #record: ProcessRecord & { readonly process: VmProcess };
  readonly #folder: RunFolder;
  readonly #monitor: Monitor;
  readonly #events: VmmEvents;
  readonly #ioErrors: IoErrors;
  readonly #ended: Promise<void>;
  readonly #meter: ProcessMeter;
  #guestReports: Promise<void> | undefined;
  hasAgent = false;
  #isRequested = false;
  #guestShutDown = false;
  #isReleased = false;

  constructor(
    options: QemuOptions,
    id: string,
    record: ProcessRecord & { readonly process: VmProcess },
    folder: RunFolder,
    monitor: Monitor,
    events: VmmEvents,
  ) {
    this.#options = options;
    this.#id = id;
    this.#record = record;
    this.#folder = folder;
    this.#monitor = monitor;
    this.#events = events;
    this.#meter = new ProcessMeter(record.process);
    this.#ioErrors = new IoErrors({
      state: async () => (await queryStatus(monitor)).state,
      stoppedBy: (error) => events.ioError(error),
    });
    this.bootTime = record.bootTime;
    this.accelerator = record.accelerator;
    this.vncSocket = join(folder.vmm, runFiles.vnc);
    this.agent = new AgentDoor(join(folder.vmm, runFiles.agent), options);
    this.devices = new QemuDevices({ options, id, vmxFile: record.vmxFile, folder, monitor, started: record.machine });
    monitor.onEvent((event) => {
      const known = readEvent(event);
      if (known) this.#hear(known);
    });
    this.#ended = monitor.closed.then((reason) => this.#onClosed(reason));
  }

  serialSocket(id: string): string {
    return join(this.#folder.vmm, serialSocketName(id));
  }

  async isRunning(): Promise<boolean> {
    return (await queryStatus(this.#monitor)).isRunning;
  }

  async isNew(): Promise<boolean> {
    return (await queryStatus(this.#monitor)).state === 'prelaunch';
  }

  async continue(): Promise<void> {
    // A hostd that was killed while it suspended the guest has left that under way.
    await abandonSaving(this.#monitor);
    await continueMachine(this.#monitor);
  }

  async reset(): Promise<void> {
    await systemReset(this.#monitor);
  }

  async powerDown(): Promise<void> {
    await systemPowerdown(this.#monitor);
  }

  async kill(): Promise<void> {
    this.#isRequested = true;
    // QEMU writes back what it holds of the disks when it may end by itself.
    await quit(this.#monitor).catch(() => undefined);
    const { clock } = this.#options;
    const end = clock.monotonic() + END_MS;
    while (isAlive(this.#record.process) && clock.monotonic() < end) await delay(clock, 5);
    signalProcess(this.#record.process, 'SIGKILL');
    await this.#ended;
  }

  async suspendTo(file: string, onProgress: (percent: number) => void, beforeEnd: () => Promise<void>): Promise<void> {
    const uid = vmUid(this.#options, this.#id);
    const vmFolder = dirname(this.#record.vmxFile);
    await rm(file, { force: true });
    await giveFiles([file], uid);
    const inside = jailFolders({ jail: this.#options.jail, vmFolder, runFolder: this.#folder.vmm });
    try {
      await saveState(this.#monitor, join(inside.vmFolder, relative(vmFolder, file)), {
        onProgress,
        timeoutMs: 600_000,
      });
      await syncFile(file);
      await beforeEnd();
    } catch (error) {
      await this.continue().catch(() => undefined);
      const reason = (await isFull(file)) ? new Error('no space left on device', { cause: error }) : error;
      await rm(file, { force: true });
      throw reason;
    }
    await this.kill();
  }

  async screenshot(): Promise<Uint8Array> {
    const name = `screen-${uuid(this.#options.random)}.png`;
    const inside = jailFolders({
      jail: this.#options.jail,
      vmFolder: dirname(this.#record.vmxFile),
      runFolder: this.#folder.vmm,
    });
    const file = join(this.#folder.vmm, name);
    try {
      await screendump(this.#monitor, join(inside.runFolder, name));
      return await readFile(file);
    } finally {
      await rm(file, { force: true });
    }
  }

  async sendKeys(strokes: readonly KeyStroke[]): Promise<void> {
    await sendKeys(this.#monitor, strokes);
  }

  async openVnc(password: string): Promise<string> {
    await setVncPassword(this.#monitor, password);
    return join(this.#folder.vmm, runFiles.vncPassword);
  }

  async setMemoryTarget(megabytes: number): Promise<void> {
    if (this.#record.machine.balloon) await setBalloon(this.#monitor, megabytes * 2 ** 20);
  }

  async usage(): Promise<VmmUsage | undefined> {
    this.#guestReports ??= setGuestStatisticsInterval(this.#monitor, GUEST_STATISTICS_S).catch(() => undefined);
    await this.#guestReports;
    const [disks, balloon, guest] = await Promise.all([
      queryBlockStatistics(this.#monitor).catch(() => []),
      queryBalloon(this.#monitor).catch(() => undefined),
      queryGuestMemory(this.#monitor).catch(() => undefined),
    ]);
    // After the answers, so that the times are as close as can be to the moment that the caller notes.
    const usage = this.#meter.read();
    if (!usage) return undefined;
    const throttledNs = this.#options.groups?.throttledNs(vmGroup(this.#id));
    const { cpuSeconds, vcpus, residentBytes, swappedBytes, mergedBytes, zeroBytes } = usage;
    const { totalBytes, availableBytes } = guest ?? {};
    return {
      cpuSeconds,
      vcpus,
      residentBytes,
      swappedBytes,
      disks: disks.filter(({ id }) => id.startsWith('disk-')),
      ...(throttledNs === undefined ? {} : { throttledNs }),
      ...(mergedBytes === undefined ? {} : { sharedBytes: mergedBytes }),
      ...(zeroBytes === undefined ? {} : { zeroBytes }),
      ...(balloon === undefined ? {} : { balloonedBytes: Math.max(0, this.devices.memoryBytes - balloon) }),
      ...(totalBytes === undefined || availableBytes === undefined
        ? {}
        : { activeBytes: Math.max(0, totalBytes - availableBytes) }),
    };
  }

  release(): void {
    this.#isReleased = true;
    this.agent.close();
    this.#monitor.close();
  }

  #hear(event: MachineEvent): void {
    const events = this.#events;
    switch (event.kind) {
      case 'shutdown':
        this.#guestShutDown = event.byGuest;
        break;
      case 'reset':
        events.reset();
        break;
      case 'stopped':
        this.#ioErrors.stopped();
        break;
      case 'continued':
        this.#ioErrors.continued();
        events.resumed();
        break;
      case 'blockIoError':
        if (event.action === 'stop') this.#ioErrors.failed(event);
        break;
      case 'channel':
        if (event.device !== 'agent-channel') break;
        this.hasAgent = event.isOpen;
        events.agent(event.isOpen);
        break;
      case 'nicFilterChanged':
        if (!event.device) break;
        events.macChanged(event.device);
        void this.#followMac(event.device);
        break;
      default:
        break;
    }
  }

  // Asking also makes QEMU tell of the next change.
  async #followMac(nic: string): Promise<void> {
    try {
      const filter = await queryRxFilter(this.#monitor, nic);
      const port = this.devices.portKey(nic);
      if (filter && port !== undefined) await this.#options.network.setEffectiveMac(port, filter.mac);
    } catch (error) {
      this.#options.log.warn({ vm: this.#id, nic, err: error }, "a NIC's new address is not known to the switch");
    }
  }

  async #onClosed(reason: Error | undefined): Promise<void> {
    if (this.#isReleased) return;
    this.agent.close();
    const { clock, log } = this.#options;
    const end = clock.monotonic() + END_MS;
    while (isAlive(this.#record.process) && clock.monotonic() < end) await delay(clock, 5);
    // A QEMU that nobody can talk to is no machine any more.
    signalProcess(this.#record.process, 'SIGKILL');
    await releaseResources(this.#options, this.#id, this.#record, this.#folder).catch((error: unknown) => {
      log.error({ vm: this.#id, err: error }, 'what a stopped machine held could not all be freed');
    });
    this.#events.ended(
      this.#isRequested
        ? { kind: 'requested' }
        : this.#guestShutDown
          ? { kind: 'guestShutdown' }
          : { kind: 'died', detail: reason ? `the monitor broke: ${reason.message}` : 'the QEMU process ended' },
    );
  }
}

/** Frees what a machine held that runs no more: switch ports, run folder. */
export async function releaseResources(
  options: QemuOptions,
  id: string,
  record: ProcessRecord,
  folder: RunFolder,
): Promise<void> {
  for (const portKey of Object.values(record.ports)) await options.network.detach(portKey);
  await removeRunFolder(folder);
}

// QEMU says no more than "Input/output error". It writes in pieces of at most a megabyte: where one did not fit there may be
// some room left.
async function isFull(file: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(file).catch(() => ({ bavail: 1, bsize: Number.POSITIVE_INFINITY }));
  return bavail * bsize < 1 << 20;
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
