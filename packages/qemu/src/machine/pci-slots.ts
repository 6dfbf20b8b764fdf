// Which PCI slot each device has, in VMware's numbering, and where that is in QEMU. Pure.
//
// VMware writes a slot as `pciSlotNumber` = bridge * 32 + device + function * 1024. Bridge 0 is the root bus, bridge 1 holds
// conventional devices (32..63), bridges 5..8 are PCI Express root ports of eight functions each (160, 192, 224, 256 and
// those + 1024 a function). A Linux guest names its NICs after the slot number that the port shows (ens160, ens192, ens33),
// so q35 rebuilds these numbers: a root port for each device, at VMware's place and with VMware's number in its slot
// register. Guests read that register only with native hot-plug, so ACPI's is off (see chipset.ts). i440fx has no ports; there
// the bridges are two conventional ones and names differ (docs/fidelity.md).
import { MachineError, type PciAddress } from './device.ts';
import type { Machine } from './model.ts';

export type Chipset = 'q35' | 'i440fx';

/** Throws a MachineError on a machine type that is neither. */
export function chipsetOf(machineType: string): Chipset {
  const match = /^pc-(q35|i440fx)-\d{1,3}\.\d{1,3}$/.exec(machineType);
  if (match?.[1] === 'q35' || match?.[1] === 'i440fx') return match[1];
  throw new MachineError(`not a versioned pc machine type: ${JSON.stringify(machineType)}`);
}

interface Place {
  readonly bridge: number;
  readonly device: number;
  readonly function: number;
}

const functions = [0, 1, 2, 3, 4, 5, 6, 7];
const CONVENTIONAL_BRIDGE = 1;
const EXPRESS_BRIDGES = [5, 6, 7, 8];
/** Free devices of the root bus; the others are the chipset's, the fixed devices' and the bridges' own. */
const ROOT_DEVICES = [0x10, 0x12, 0x13, 0x14, 0x19, 0x1a, 0x1b, 0x1c, 0x1d];

const slotNumber = (bridge: number, device: number, fn: number) => bridge * 32 + device + fn * 1024;
const conventional = Array.from({ length: 32 }, (_, device) => slotNumber(CONVENTIONAL_BRIDGE, device, 0));

// In the order in which the firmware and the guest find them, so that NICs keep the order of the devices.
const pools = {
  storage: [...functions.map((fn) => slotNumber(5, 0, fn)), ...conventional],
  nic: [
    ...[slotNumber(6, 0, 0), slotNumber(7, 0, 0)],
    ...functions.map((fn) => slotNumber(8, 0, fn)),
    ...functions.slice(1).flatMap((fn) => [slotNumber(6, 0, fn), slotNumber(7, 0, fn)]),
  ],
  disk: conventional,
} as const;

type Pool = keyof typeof pools;

/** The part of a machine that slots are planned for. */
export type SlottedMachine = Pick<Machine, 'controllers' | 'disks' | 'nics'>;

function placeOf(slot: number): Place {
  return { bridge: (slot >> 5) & 31, device: slot & 31, function: slot >> 10 };
}

function isUsable(slot: number): boolean {
  if (!Number.isInteger(slot) || slot < 0) return false;
  const place = placeOf(slot);
  if (place.bridge === 0) return place.function === 0 && ROOT_DEVICES.includes(place.device);
  if (place.bridge === CONVENTIONAL_BRIDGE) return place.function === 0;
  return EXPRESS_BRIDGES.includes(place.bridge) && place.device === 0 && place.function < 8;
}

/** The devices that have a slot each, in the order in which slots are given out. */
function slottedDevices(machine: SlottedMachine): { id: string; pool: Pool; pinned: number | undefined }[] {
  const perDisk = new Set(machine.controllers.filter(({ kind }) => kind === 'virtio-blk').map(({ id }) => id));
  return [
    ...machine.controllers
      .filter(({ kind }) => kind !== 'virtio-blk' && kind !== 'ide')
      .map(({ id, pciSlot }) => ({ id, pool: 'storage' as const, pinned: pciSlot })),
    ...machine.disks
      .filter(({ controller }) => perDisk.has(controller))
      .map(({ id, pciSlot }) => ({ id, pool: 'disk' as const, pinned: pciSlot })),
    ...machine.nics.map(({ id, pciSlot }) => ({ id, pool: 'nic' as const, pinned: pciSlot })),
  ];
}

/**
 * The slot number of every controller, virtio-blk disk and NIC by device id. Slots of the hardware record are kept as far as
 * they are usable and not taken twice (the first device has it); the other devices get the next free ones.
 */
export function planPciSlots(machine: SlottedMachine): ReadonlyMap<string, number> {
  const slots = new Map<string, number>();
  const taken = new Set<number>();
  const take = (id: string, slot: number) => {
    slots.set(id, slot);
    taken.add(slot);
  };
  const devices = slottedDevices(machine);
  for (const { id, pinned } of devices) {
    if (pinned !== undefined && isUsable(pinned) && !taken.has(pinned)) take(id, pinned);
  }
  for (const { id, pool } of devices) {
    if (slots.has(id)) continue;
    const slot = pools[pool].find((candidate) => !taken.has(candidate));
    if (slot === undefined) throw new MachineError(`no PCI slot is left for ${id}`);
    take(id, slot);
  }
  return slots;
}

/**
 * Slot numbers that hold nothing when the machine starts and into which a device can be plugged while it runs. On i440fx that
 * is every free slot of the express bridge, on q35 the spare ports.
 */
export function spareSlots(machine: Machine): readonly number[] {
  const taken = new Set(planPciSlots(machine).values());
  const free = (pool: Pool) => pools[pool].filter((slot) => !taken.has(slot));
  if (chipsetOf(machine.machineType) === 'i440fx')
    return [...free('storage'), ...free('nic')].filter((slot) => slot >= 64);
  const count = machine.sparePorts ?? 1;
  const chosen = [...free('storage').slice(0, count), ...free('nic').slice(0, count)];
  // Function 0 of a port group is there whenever another function is: it is a spare if nothing sits on it.
  const groups = [...taken, ...chosen].filter((slot) => slot >= 32).map(functionZero);
  return [...new Set([...chosen, ...groups])].filter((slot) => !taken.has(slot));
}

// Conventional slots share root devices 8..11, eight to a device, in the same way.
function functionZero(slot: number): number {
  const place = placeOf(slot);
  if (place.bridge === CONVENTIONAL_BRIDGE) return slotNumber(CONVENTIONAL_BRIDGE, place.device & ~7, 0);
  return slotNumber(place.bridge, 0, 0);
}

/** QEMU's bus and address of a slot. */
export function pciAddress(chipset: Chipset, slot: number): PciAddress {
  const place = placeOf(slot);
  if (place.bridge === 0)
    return { bus: chipset === 'q35' ? 'pcie.0' : 'pci.0', addr: `0x${place.device.toString(16)}.0` };
  if (chipset === 'q35') return { bus: portId(slot), addr: '0x0.0' };
  const device = place.bridge === CONVENTIONAL_BRIDGE ? place.device : (place.bridge - 5) * 8 + place.function;
  return { bus: bridgeId(place.bridge), addr: `0x${device.toString(16)}.0` };
}

/** Id of the root port of a slot (q35). */
export const portId = (slot: number) => `port${slot}`;

/** Id of the conventional bridge of a VMware bridge number (i440fx). */
export const bridgeId = (bridge: number) => (bridge === CONVENTIONAL_BRIDGE ? 'bridge-conventional' : 'bridge-express');

/** Root-bus address of the root port of a slot (q35), and the number it shows in its slot register. */
export function portPlace(slot: number): { addr: string; isFunctionZero: boolean; number: number } {
  const place = placeOf(slot);
  const isConventional = place.bridge === CONVENTIONAL_BRIDGE;
  const device = isConventional ? 0x8 + (place.device >> 3) : 0x10 + place.bridge;
  const fn = isConventional ? place.device & 7 : place.function;
  return { addr: `0x${device.toString(16)}.${fn}`, isFunctionZero: fn === 0, number: (slot & 1023) + place.function };
}
