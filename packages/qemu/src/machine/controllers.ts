// Storage controllers: what QEMU emulates for each kind, which units it has, what can be plugged while the machine runs.
import { type Device, MachineError, type PciAddress } from './device.ts';
import type { Controller, ControllerKind, Machine } from './model.ts';
import { chipsetOf, pciAddress, planPciSlots } from './pci-slots.ts';

export interface ControllerTraits {
  /** The words that the drives on it speak. */
  readonly drives: 'scsi' | 'ide' | 'nvme' | 'virtio';
  /** Units are 0 … units - 1. */
  readonly units: number;
  /** The controller itself can come and go while the machine runs. */
  readonly isHotPluggable: boolean;
  /** Disks on it can, too; otherwise QEMU refuses (`Bus '…' does not support hotplugging`). */
  readonly drivesHotPluggable: boolean;
  readonly takesCdroms: boolean;
  /** OVMF can boot from it. Debian builds OVMF (2022.11 and 2025.02 tried) without its PVSCSI and LSI drivers; SeaBIOS has them all. */
  readonly bootsWithEfi: boolean;
}

/** Units that one AHCI function has; a controller with more is several functions in one slot. */
const AHCI_PORTS = 6;

// Tried with QEMU 11.1: units by machine.qemu.test.ts, hot-plug and booting by hand with the demo guest. VMware's own limits (unit 7 is a SCSI controller's own address, 15 units of
// lsilogic …) are the vmx package's; where QEMU's are tighter, docs/fidelity.md says so.
export const controllerTraits: Readonly<Record<ControllerKind, ControllerTraits>> = {
  pvscsi: {
    drives: 'scsi',
    units: 64,
    isHotPluggable: true,
    drivesHotPluggable: true,
    takesCdroms: true,
    bootsWithEfi: false,
  },
  'virtio-scsi': {
    drives: 'scsi',
    units: 256,
    isHotPluggable: true,
    drivesHotPluggable: true,
    takesCdroms: true,
    bootsWithEfi: true,
  },
  lsilogic: {
    drives: 'scsi',
    units: 8,
    isHotPluggable: true,
    drivesHotPluggable: false,
    takesCdroms: true,
    bootsWithEfi: false,
  },
  lsisas: {
    drives: 'scsi',
    units: 8,
    isHotPluggable: true,
    drivesHotPluggable: false,
    takesCdroms: true,
    bootsWithEfi: false,
  },
  buslogic: {
    drives: 'scsi',
    units: 7,
    isHotPluggable: true,
    drivesHotPluggable: true,
    takesCdroms: true,
    bootsWithEfi: false,
  },
  ahci: {
    drives: 'ide',
    units: 30,
    isHotPluggable: true,
    drivesHotPluggable: false,
    takesCdroms: true,
    bootsWithEfi: true,
  },
  ide: {
    drives: 'ide',
    units: 2,
    isHotPluggable: false,
    drivesHotPluggable: false,
    takesCdroms: true,
    bootsWithEfi: true,
  },
  nvme: {
    drives: 'nvme',
    units: 64,
    isHotPluggable: true,
    drivesHotPluggable: false,
    takesCdroms: false,
    bootsWithEfi: true,
  },
  'virtio-blk': {
    drives: 'virtio',
    units: 256,
    isHotPluggable: true,
    drivesHotPluggable: true,
    takesCdroms: false,
    bootsWithEfi: true,
  },
};

const drivers = {
  pvscsi: 'pvscsi',
  'virtio-scsi': 'virtio-scsi-pci',
  lsilogic: 'mptsas1068',
  lsisas: 'mptsas1068',
  buslogic: 'lsi53c895a',
  ahci: 'ich9-ahci',
  nvme: 'nvme',
} as const satisfies Partial<Record<ControllerKind, string>>;

/** The devices of all controllers, in their order. */
export function controllerDevices(machine: Machine): Device[] {
  const slots = planPciSlots(machine);
  const chipset = chipsetOf(machine.machineType);
  const devices = machine.controllers.flatMap((controller) => {
    const slot = slots.get(controller.id);
    return slot === undefined ? [] : controllerDevice(machine, controller, pciAddress(chipset, slot));
  });
  return [...devices, ...ideDevice(machine)];
}

/** The device (AHCI: devices) of one controller that has a slot of its own. */
export function controllerDevice(machine: Machine, controller: Controller, address: PciAddress): Device[] {
  const { id, kind } = controller;
  if (kind === 'ide' || kind === 'virtio-blk') throw new MachineError(`a controller of kind ${kind} is not a device`);
  if (kind === 'ahci') return ahciDevices(machine, id, address);
  const base: Device = { driver: drivers[kind], id, ...address };
  if (kind === 'nvme') return [{ ...base, serial: `Virtual NVMe ${id}`.slice(0, 20) }];
  return [base];
}

function ahciDevices(machine: Machine, id: string, { bus, addr }: PciAddress): Device[] {
  const highest = Math.max(0, ...drivesOn(machine, id).map(({ unit }) => unit));
  const count = Math.floor(highest / AHCI_PORTS) + 1;
  const slot = addr.split('.')[0];
  const functions = Array.from({ length: count }, (_, fn) => ({
    driver: drivers.ahci,
    id: ahciFunctionId(id, fn),
    bus,
    addr: `${slot}.${fn}`,
    ...(fn === 0 && count > 1 ? { multifunction: true } : {}),
  }));
  // A running guest looks at a slot when its function 0 comes.
  return functions.toReversed();
}

const ahciFunctionId = (id: string, fn: number) => (fn === 0 ? id : `${id}-${fn}`);

// One PIIX4 function has both of VMware's IDE controllers as its two channels. i440fx has it built in; q35 gets it as a card,
// which works on the legacy ports and interrupts, and only when something is on it: probing empty channels costs boot time.
const IDE_ID = 'ide';

function ideDevice(machine: Machine): Device[] {
  const ides = machine.controllers.filter(({ kind }) => kind === 'ide');
  if (ides.length > 2) throw new MachineError('a machine has at most two IDE controllers');
  const isUsed = ides.some(({ id }) => drivesOn(machine, id).length > 0);
  if (!isUsed || chipsetOf(machine.machineType) === 'i440fx') return [];
  return [{ driver: 'piix4-ide', id: IDE_ID, bus: 'pcie.0', addr: '0x7.0' }];
}

function drivesOn(machine: Machine, controller: string) {
  return [...machine.disks, ...machine.cdroms].filter((drive) => drive.controller === controller);
}

/** Bus and unit properties of a drive, and the controller's traits. Throws a MachineError for a place that does not exist. */
export function drivePlace(
  machine: Machine,
  drive: { readonly id: string; readonly controller: string; readonly unit: number; readonly serial?: string },
): { traits: ControllerTraits; place: Readonly<Record<string, string | number>> } {
  const controller = machine.controllers.find(({ id }) => id === drive.controller);
  if (!controller) throw new MachineError(`${drive.id} is on a controller that does not exist: ${drive.controller}`);
  const traits = controllerTraits[controller.kind];
  if (!Number.isInteger(drive.unit) || drive.unit < 0 || drive.unit >= traits.units) {
    throw new MachineError(`${drive.id}: a ${controller.kind} controller has no unit ${drive.unit}`);
  }
  return { traits, place: placeOn(machine, controller, drive.unit, drive.serial) };
}

const scsiPlace = (controller: string, unit: number) => ({
  bus: `${controller}.0`,
  channel: 0,
  'scsi-id': unit,
  lun: 0,
});

/**
 * The SAS address of a drive: Linux's mptsas driver does not see a drive without one (tried: 6.1, 6.12). 41 bits of the disk's UUID, or the
 * unit number, below an NAA-5 prefix. QEMU takes it as a JSON number, so it has to be one that JavaScript can write.
 */
function sasName(identity: string, unit: number): number {
  const digits = /([0-9a-f]{10})$/i.exec(identity)?.[1];
  return 0x5000_0000_0000_0000 + (digits === undefined ? unit + 1 : Number.parseInt(digits, 16)) * 2048;
}

function placeOn(
  machine: Machine,
  { id, kind }: Controller,
  unit: number,
  identity: string | undefined,
): Record<string, string | number> {
  switch (kind) {
    case 'virtio-blk':
      return {};
    case 'nvme':
      return { bus: id, nsid: unit + 1 };
    case 'ahci':
      return { bus: `${ahciFunctionId(id, Math.floor(unit / AHCI_PORTS))}.${unit % AHCI_PORTS}`, unit: 0 };
    case 'ide': {
      const channel = machine.controllers.filter((other) => other.kind === 'ide').findIndex((other) => other.id === id);
      return { bus: `${IDE_ID}.${channel}`, unit };
    }
    case 'lsilogic':
    case 'lsisas':
      return { ...scsiPlace(id, unit), wwn: sasName(identity ?? '', unit) };
    case 'pvscsi':
    case 'virtio-scsi':
    case 'buslogic':
      return scsiPlace(id, unit);
  }
}
