import { isA, make, type VirtualDevice, type VirtualDevicePciBusSlotInfo } from '@vivarium/vim';
import type { VmxFile } from '../../text/vmx-file.ts';
import { readInteger, write } from '../vmx-values.ts';

/** VMware writes -1 for "not chosen yet". */
export function readSlot(vmx: VmxFile, prefix: string): VirtualDevicePciBusSlotInfo | undefined {
  const pciSlotNumber = readInteger(vmx, `${prefix}.pciSlotNumber`);
  if (pciSlotNumber === undefined || pciSlotNumber < 0) return undefined;
  return make('VirtualDevicePciBusSlotInfo', { pciSlotNumber });
}

export function writeSlot(vmx: VmxFile, prefix: string, device: VirtualDevice): void {
  write(vmx, `${prefix}.pciSlotNumber`, slotOf(device));
}

export function slotOf(device: VirtualDevice): number | undefined {
  const slot = device.slotInfo;
  return isA('VirtualDevicePciBusSlotInfo', slot) && slot.pciSlotNumber >= 0 ? slot.pciSlotNumber : undefined;
}
