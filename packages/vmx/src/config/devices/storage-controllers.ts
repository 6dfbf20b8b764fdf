// scsi0..3, sata0..3, nvme0..3 of a VMX.
import {
  isA,
  make,
  type VirtualDevice,
  type VirtualDevicePciBusSlotInfo,
  type VirtualSCSIController,
  type VirtualSCSISharing,
} from '@vivarium/vim';
import { type DriveBus, driveBuses, SCSI_CONTROLLER_UNIT } from '../../device/drive-bus.ts';
import { PCI_KEY } from '../../device/fixed-devices.ts';
import type { VmxFile } from '../../text/vmx-file.ts';
import type { DeviceFamily } from '../device-context.ts';
import { readFlag, readWord, write } from '../vmx-values.ts';
import { readSlot, writeSlot } from './pci-slot.ts';

const scsiModels = {
  lsilogic: 'VirtualLsiLogicController',
  lsisas1068: 'VirtualLsiLogicSASController',
  pvscsi: 'ParaVirtualSCSIController',
  buslogic: 'VirtualBusLogicController',
} as const;
type ScsiModel = keyof typeof scsiModels;
const scsiModelNames = Object.keys(scsiModels) as ScsiModel[]; // the keys of the literal above

const sharings = { none: 'noSharing', virtual: 'virtualSharing', physical: 'physicalSharing' } as const;
type Sharing = keyof typeof sharings;

/** Where ESXi puts the controllers of each kind on PCI controller 0, in its own numbering. */
const firstPciUnit = { scsi: 3, sata: 24, nvme: 30, ide: 0 } as const;

export const storageControllers: DeviceFamily = {
  keys: /^(scsi|sata|nvme)\d+\.(present|virtualdev|sharedbus|pcislotnumber)$/,

  read(vmx) {
    const found: VirtualDevice[] = [];
    for (const bus of driveBuses) {
      if (bus.name === 'ide') continue;
      for (let busNumber = 0; busNumber < bus.buses; busNumber++) {
        if (readFlag(vmx, `${bus.name}${busNumber}.present`)) found.push(readController(vmx, bus, busNumber));
      }
    }
    return found;
  },

  write(vmx, devices) {
    for (const device of devices) {
      if (isA('VirtualIDEController', device)) continue;
      const bus = driveBuses.find((candidate) => isA(candidate.controllerType, device));
      if (!bus || !isA('VirtualController', device)) continue;
      const prefix = `${bus.name}${device.busNumber}`;
      write(vmx, `${prefix}.present`, true);
      if (isA('VirtualSCSIController', device)) {
        write(
          vmx,
          `${prefix}.virtualDev`,
          scsiModelNames.find((name) => isA(scsiModels[name], device)),
        );
        const sharing = Object.entries(sharings).find(([, value]) => value === device.sharedBus)?.[0];
        write(vmx, `${prefix}.sharedBus`, sharing, 'none');
      }
      writeSlot(vmx, prefix, device);
    }
  },
};

function readController(vmx: VmxFile, bus: DriveBus, busNumber: number): VirtualDevice {
  const prefix = `${bus.name}${busNumber}`;
  const place = { key: bus.firstController + busNumber, busNumber };
  const slotInfo = readSlot(vmx, prefix);
  const onPci = { controllerKey: PCI_KEY, unitNumber: firstPciUnit[bus.name] + busNumber };
  if (bus.name === 'sata') return make('VirtualAHCIController', { ...place, ...onPci, slotInfo });
  if (bus.name === 'nvme')
    return make('VirtualNVMEController', { ...place, ...onPci, slotInfo, sharedBus: 'noSharing' });
  const sharing = readWord(vmx, `${prefix}.sharedBus`, Object.keys(sharings) as Sharing[]) ?? 'none';
  const model = readWord(vmx, `${prefix}.virtualDev`, scsiModelNames) ?? 'lsilogic';
  return scsiController(scsiModels[model], place, sharings[sharing], slotInfo);
}

export function scsiController(
  type: (typeof scsiModels)[ScsiModel],
  place: { key: number; busNumber: number },
  sharedBus: VirtualSCSISharing,
  slotInfo?: VirtualDevicePciBusSlotInfo,
): VirtualSCSIController {
  return make(type, {
    ...place,
    controllerKey: PCI_KEY,
    unitNumber: firstPciUnit.scsi + place.busNumber,
    hotAddRemove: true,
    sharedBus,
    scsiCtlrUnitNumber: SCSI_CONTROLLER_UNIT,
    slotInfo,
  });
}
