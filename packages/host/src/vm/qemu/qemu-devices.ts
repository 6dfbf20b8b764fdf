// The devices of a running QEMU that come, go or change. Knows what the machine is made of now: a device that leaves takes
// its block nodes and its switch port along.
import { closeSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import {
  blockdevAddAll,
  blockdevDeleteAll,
  blockResize,
  type ChardevBackend,
  changeMedium,
  chardevChange,
  deviceAdd,
  deviceDelete,
  getFd,
  jailFolders,
  loadSendWithFd,
  type Monitor,
  MonitorTimeoutError,
  netdevAdd,
  netdevDelete,
  plugCpus,
  plugMemory,
  queryMemoryModules,
  queryMemorySize,
  type SendWithFd,
  setIopsLimit,
  setLink,
} from '@vivarium/qemu';
import {
  cdromDevice,
  chipsetOf,
  controllerDevice,
  type Device,
  diskDevice,
  diskNodes,
  type Machine,
  mediumNode,
  mediumNodes,
  netdevId,
  nicDevice,
  pciAddress,
  planPciSlots,
  type Serial,
  spareSlots,
} from '@vivarium/qemu/machine';
import { MethodFault } from '@vivarium/vim';
import type { Hardware, LiveDevices } from '../vmm.ts';
import { giveFiles, letRead } from './files.ts';
import { type QemuOptions, vmUid } from './qemu-options.ts';
import { linkImage, MEDIA_FOLDER, mediaName, type RunFolder } from './run-folder.ts';

/** A guest gets this long to let go of a device. */
const UNPLUG_MS = 15_000;

export interface QemuDevicesOptions {
  readonly options: QemuOptions;
  readonly id: string;
  readonly vmxFile: string;
  readonly folder: RunFolder;
  readonly monitor: Monitor;
  /** What QEMU was started as. */
  readonly started: Machine;
}

export class QemuDevices implements LiveDevices {
  readonly #options: QemuOptions;
  readonly #uid: number | undefined;
  readonly #vmFolder: { readonly host: string; readonly inside: string };
  /** The run folder as the machine sees it. */
  readonly #runFolder: string;
  readonly #folder: RunFolder;
  readonly #monitor: Monitor;
  readonly #started: Machine;
  #hardware: Hardware | undefined;
  #sendWithFd: SendWithFd | undefined;

  constructor({ options, id, vmxFile, folder, monitor, started }: QemuDevicesOptions) {
    this.#options = options;
    this.#uid = vmUid(options, id);
    this.#folder = folder;
    this.#monitor = monitor;
    this.#started = started;
    const host = dirname(vmxFile);
    const { vmFolder, runFolder } = jailFolders({ jail: options.jail, vmFolder: host, runFolder: folder.vmm });
    this.#vmFolder = { host, inside: vmFolder };
    this.#runFolder = runFolder;
  }

  /** Memory that the guest was started with, in bytes. */
  get memoryBytes(): number {
    return this.#started.memoryMB * 2 ** 20;
  }

  /** The switch port of a NIC; `undefined` when it has none. */
  portKey(nic: string): string | undefined {
    return this.#hardware?.networks.get(nic)?.portKey;
  }

  learn(hardware: Hardware): void {
    this.#hardware = hardware;
  }

  spareSlots(): readonly number[] {
    const taken = this.#hardware ? new Set(planPciSlots(this.#hardware.machine).values()) : new Set<number>();
    return spareSlots(this.#started).filter((slot) => !taken.has(slot));
  }

  async plugController(id: string, hardware: Hardware): Promise<void> {
    const { machine } = hardware;
    const controller = found(machine.controllers, id);
    if (controller.kind !== 'virtio-blk') {
      await using undo = new AsyncDisposableStack();
      for (const device of controllerDevice(machine, controller, addressOf(machine, id))) {
        await deviceAdd(this.#monitor, device);
        undo.defer(() => this.#release(String(device['id'])));
      }
      undo.move();
    }
    this.learn(hardware);
  }

  async unplugController(id: string): Promise<void> {
    const kind = this.#hardware?.machine.controllers.find((controller) => controller.id === id)?.kind;
    if (kind !== 'virtio-blk') await this.#release(id);
  }

  async plugDisk(id: string, hardware: Hardware): Promise<void> {
    const { machine } = hardware;
    const disk = found(machine.disks, id);
    await this.#expose(hardware);
    await using undo = new AsyncDisposableStack();
    const nodes = diskNodes(disk, this.#vmFolder.inside);
    await blockdevAddAll(this.#monitor, nodes);
    undo.defer(() => blockdevDeleteAll(this.#monitor, nodes));
    await deviceAdd(this.#monitor, withoutBootOrder(diskDevice(machine, disk)));
    undo.move();
    this.learn(hardware);
  }

  async unplugDisk(id: string): Promise<void> {
    const disk = this.#hardware?.machine.disks.find((candidate) => candidate.id === id);
    await this.#release(id);
    if (disk) await blockdevDeleteAll(this.#monitor, diskNodes(disk, this.#vmFolder.inside));
  }

  async plugCdrom(id: string, hardware: Hardware): Promise<void> {
    const { machine } = hardware;
    const cdrom = found(machine.cdroms, id);
    await this.#expose(hardware);
    await using undo = new AsyncDisposableStack();
    if (cdrom.file !== undefined) {
      const nodes = mediumNodes(id, cdrom.file, true, this.#vmFolder.inside);
      await blockdevAddAll(this.#monitor, nodes);
      undo.defer(() => blockdevDeleteAll(this.#monitor, nodes));
    }
    await deviceAdd(this.#monitor, withoutBootOrder(cdromDevice(machine, cdrom)));
    undo.move();
    this.learn(hardware);
  }

  async unplugCdrom(id: string): Promise<void> {
    await this.#release(id);
    await this.#dropMedium(id);
  }

  async plugNic(id: string, hardware: Hardware): Promise<void> {
    const { machine } = hardware;
    const nic = found(machine.nics, id);
    const port = hardware.networks.get(id);
    await using undo = new AsyncDisposableStack();
    if (port) {
      const connection = await this.#options.network.attach({ ...port, vmName: machine.name });
      undo.defer(() => this.#options.network.detach(port.portKey));
      if (connection.kind === 'tap') {
        await this.#addTap(id, connection.openFd());
      } else {
        const hostfwd = connection.hostForward.map((rule) => ({ str: rule }));
        await netdevAdd(this.#monitor, { type: 'user', id: netdevId(id), hostfwd });
      }
      undo.defer(() => netdevDelete(this.#monitor, netdevId(id)));
    }
    await deviceAdd(this.#monitor, withoutBootOrder(nicDevice(nic, addressOf(machine, id))));
    if (!nic.linkUp) await setLink(this.#monitor, id, false);
    undo.move();
    this.learn(hardware);
  }

  async unplugNic(id: string): Promise<void> {
    const port = this.#hardware?.networks.get(id);
    await this.#release(id);
    await netdevDelete(this.#monitor, netdevId(id));
    if (port) await this.#options.network.detach(port.portKey);
  }

  async setLink(id: string, up: boolean): Promise<void> {
    await setLink(this.#monitor, id, up);
  }

  async moveNic(id: string, portKey: string, portGroup: string, up: boolean): Promise<void> {
    // The guest sees the cable go and come back, and asks for an address again.
    await setLink(this.#monitor, id, false);
    await this.#options.network.move(portKey, portGroup);
    if (up) await setLink(this.#monitor, id, true);
  }

  async changeMedium(id: string, file: string | undefined, readOnly: boolean): Promise<void> {
    if (file === undefined) {
      await changeMedium(this.#monitor, id, undefined);
      await this.#dropMedium(id);
      return;
    }
    const inside = await this.#exposeOne(file, readOnly);
    await changeMedium(this.#monitor, id, undefined);
    await this.#dropMedium(id);
    await blockdevAddAll(this.#monitor, mediumNodes(id, inside, readOnly, this.#vmFolder.inside));
    await changeMedium(this.#monitor, id, mediumNode(id));
  }

  async resizeDisk(id: string, sizeBytes: number): Promise<void> {
    await blockResize(this.#monitor, mediumNode(id), sizeBytes);
  }

  async changeSerial(id: string, hardware: Hardware): Promise<void> {
    const { backing } = found(hardware.machine.serials, id);
    await giveFiles(hardware.writableFiles, this.#uid);
    const folders = { vmFolder: this.#vmFolder.inside, runFolder: this.#runFolder };
    await chardevChange(this.#monitor, `char-${id}`, serialBackend(backing, folders));
    this.learn(hardware);
  }

  async plugCpus(count: number): Promise<void> {
    await plugCpus(this.#monitor, count);
  }

  async plugMemory(memoryMB: number): Promise<void> {
    const { baseBytes, pluggedBytes } = await queryMemorySize(this.#monitor);
    const presentMB = (baseBytes + pluggedBytes) / 2 ** 20;
    if (memoryMB > presentMB) await plugMemory(this.#monitor, presentMB, memoryMB - presentMB);
  }

  async memoryModules(): Promise<number[]> {
    return (await queryMemoryModules(this.#monitor)).map((bytes) => bytes / 2 ** 20);
  }

  async setDiskLimit(id: string, iops: number | undefined): Promise<void> {
    await setIopsLimit(this.#monitor, id, iops);
  }

  // A guest that is not up, or has no driver, never lets go.
  async #release(id: string): Promise<void> {
    try {
      await deviceDelete(this.#monitor, id, { timeoutMs: UNPLUG_MS });
    } catch (cause) {
      if (!(cause instanceof MonitorTimeoutError)) throw cause;
      throw new MethodFault('Timedout', {}, `The guest did not let ${id} go within ${UNPLUG_MS / 1000} s.`, { cause });
    }
  }

  async #addTap(id: string, fd: number): Promise<void> {
    try {
      this.#sendWithFd ??= loadSendWithFd();
      const name = `fd-${id}`;
      await getFd(this.#monitor, name, fd, this.#sendWithFd);
      await netdevAdd(this.#monitor, { type: 'tap', id: netdevId(id), fd: name });
    } finally {
      closeSync(fd);
    }
  }

  /** Makes the files of `hardware` accessible that were not when the machine was started. */
  async #expose(hardware: Hardware): Promise<void> {
    await giveFiles(hardware.writableFiles, this.#uid);
    for (const image of hardware.images.values()) {
      await this.#exposeOne(image, !hardware.writableFiles.includes(image));
    }
  }

  /** The path by which the machine can open a file of the host. */
  async #exposeOne(file: string, readOnly: boolean): Promise<string> {
    if (readOnly) await letRead(file);
    else await giveFiles([file], this.#uid);
    const inFolder = relative(this.#vmFolder.host, file);
    if (!inFolder.startsWith('..')) return inFolder;
    const name = mediaName(file);
    if (await linkImage(this.#folder, name, file)) return `${MEDIA_FOLDER}/${name}`;
    throw new MethodFault(
      'NotSupported',
      {},
      'an image on another datastore cannot be inserted into a running virtual machine; power it off first',
    );
  }

  // The nodes of the medium that was in a drive; none when the tray was empty.
  async #dropMedium(id: string): Promise<void> {
    const nodes = mediumNodes(id, 'any', true, this.#vmFolder.inside);
    await blockdevDeleteAll(this.#monitor, nodes).catch(() => undefined);
  }
}

function found<T extends { readonly id: string }>(devices: readonly T[], id: string): T {
  const device = devices.find((candidate) => candidate.id === id);
  if (!device) throw new Error(`the machine has no device ${id}`);
  return device;
}

function serialBackend(
  backing: Serial['backing'],
  folders: { readonly vmFolder: string; readonly runFolder: string },
): ChardevBackend {
  const inside = (folder: string, path: string) => (path.startsWith('/') ? path : `${folder}/${path}`);
  switch (backing.kind) {
    case 'file':
      return { type: 'file', data: { out: inside(folders.vmFolder, backing.file), append: backing.append } };
    case 'socket': {
      const addr = { type: 'unix', data: { path: inside(folders.runFolder, backing.path) } } as const;
      return { type: 'socket', data: { addr, server: backing.server, wait: false } };
    }
    case 'null':
      return { type: 'null', data: {} };
  }
}

// The new machine's boot order was counted anew and would clash with the running one's; it counts from the next start.
function withoutBootOrder({ bootindex: _bootindex, ...device }: Device): Device {
  return device;
}

function addressOf(machine: Machine, id: string) {
  const slot = planPciSlots(machine).get(id);
  if (slot === undefined) throw new MethodFault('TooManyDevices', { property: 'device' });
  return pciAddress(chipsetOf(machine.machineType), slot);
}
