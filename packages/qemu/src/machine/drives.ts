// Disks, CD-ROM drives and floppy drives as devices. Their media are block nodes (block-nodes.ts).
import { mediumNode } from './block-nodes.ts';
import { drivePlace } from './controllers.ts';
import { type Device, MachineError } from './device.ts';
import type { Cdrom, Disk, Floppy, Machine } from './model.ts';
import { chipsetOf, pciAddress, planPciSlots } from './pci-slots.ts';

// An error of the host's storage (a full datastore, a lost mount) stops the machine with BLOCK_IO_ERROR instead of reaching the
// guest, so that work goes on when it is mended. NVMe has no such policy: its guest sees the error (docs/fidelity.md).
const stopOnError = { werror: 'stop', rerror: 'stop' } as const;

const bootOrder = (drive: { readonly bootIndex?: number }) =>
  drive.bootIndex === undefined ? {} : { bootindex: drive.bootIndex };

export function diskDevice(machine: Machine, disk: Disk): Device {
  const { traits, place } = drivePlace(machine, disk);
  const common = {
    id: disk.id,
    drive: mediumNode(disk.id),
    // The guest sees a write cache and flushes it; write-through has none.
    'write-cache': disk.writeThrough ? 'off' : 'on',
    ...place,
    ...bootOrder(disk),
  };
  switch (traits.drives) {
    case 'scsi':
      return {
        driver: 'scsi-hd',
        ...common,
        ...stopOnError,
        ...scsiIdentity(disk),
        vendor: 'VIVARIUM',
        product: 'Virtual disk',
      };
    case 'ide':
      return { driver: 'ide-hd', ...common, ...stopOnError, ...serial(disk, 20), model: 'Virtual disk' };
    case 'nvme':
      return { driver: 'nvme-ns', ...common, ...namespaceUuid(disk) };
    case 'virtio':
      return { driver: 'virtio-blk-pci', ...common, ...stopOnError, ...serial(disk, 20), ...slotOf(machine, disk) };
  }
}

// The longest serial that each bus can carry; a longer one would be refused or cut by QEMU.
const serial = (disk: Disk, longest: number) => (disk.serial === '' ? {} : { serial: disk.serial.slice(0, longest) });

// The serial number's page and the identification page (VPD 0x80, 0x83): whoever looks for the disk by id finds its UUID.
function scsiIdentity(disk: Disk) {
  return disk.serial === '' ? {} : { ...serial(disk, 36), device_id: disk.serial.slice(0, 36) };
}

function namespaceUuid(disk: Disk): { uuid?: string } {
  const parts = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i.exec(disk.serial);
  return parts ? { uuid: parts.slice(1).join('-') } : {};
}

function slotOf(machine: Machine, disk: Disk) {
  const slot = planPciSlots(machine).get(disk.id);
  if (slot === undefined) throw new MachineError(`no PCI slot for ${disk.id}`);
  return pciAddress(chipsetOf(machine.machineType), slot);
}

export function cdromDevice(machine: Machine, cdrom: Cdrom): Device {
  const { traits, place } = drivePlace(machine, cdrom);
  if (!traits.takesCdroms) throw new MachineError(`${cdrom.id}: its controller takes no CD-ROM drives`);
  return {
    driver: traits.drives === 'scsi' ? 'scsi-cd' : 'ide-cd',
    id: cdrom.id,
    ...place,
    ...(cdrom.file === undefined ? {} : { drive: mediumNode(cdrom.id) }),
    ...bootOrder(cdrom),
  };
}

/** The floppy controller (q35 has none of its own) and the drives. */
export function floppyDevices(machine: Machine): Device[] {
  if (machine.floppies.length === 0) return [];
  const controller: Device[] = chipsetOf(machine.machineType) === 'q35' ? [{ driver: 'isa-fdc', id: 'fdc' }] : [];
  return [...controller, ...machine.floppies.map(floppyDevice)];
}

function floppyDevice(floppy: Floppy): Device {
  return {
    driver: 'floppy',
    id: floppy.id,
    unit: floppy.unit,
    ...(floppy.file === undefined ? { 'drive-type': '144' } : { drive: mediumNode(floppy.id) }),
  };
}

/** A floppy drive has no boot order of its own; its controller has one for each (`-global`, as i440fx has it built in). */
export function floppyGlobals(machine: Machine): { driver: string; property: string; value: string }[] {
  return machine.floppies.flatMap(({ unit, bootIndex }) =>
    bootIndex === undefined
      ? []
      : [{ driver: 'isa-fdc', property: unit === 0 ? 'bootindexA' : 'bootindexB', value: String(bootIndex) }],
  );
}
