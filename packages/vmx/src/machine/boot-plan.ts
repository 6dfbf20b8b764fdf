// Which device boots when: 1 is first.
import { isA, type VirtualDevice, type VirtualMachineConfigInfo } from '@vivarium/vim';

/**
 * Boot index by device key. With a boot order the devices it names come in that order and the others follow as in the default
 * order: disks, CD-ROM drives, floppy drives. Network adapters boot only when the order names one, or when `offerNetwork`.
 */
export function planBoot(config: VirtualMachineConfigInfo, offerNetwork: boolean): ReadonlyMap<number, number> {
  const devices = config.hardware.device ?? [];
  const ofType = (type: 'VirtualDisk' | 'VirtualCdrom' | 'VirtualFloppy' | 'VirtualEthernetCard') =>
    devices.filter((device) => isA(type, device)).map((device) => device.key);
  const order: number[] = [];
  const isAdapter = (device: VirtualDevice | undefined) => device !== undefined && isA('VirtualEthernetCard', device);
  for (const entry of config.bootOptions?.bootOrder ?? []) {
    if (isA('VirtualMachineBootOptionsBootableCdromDevice', entry)) order.push(...ofType('VirtualCdrom'));
    if (isA('VirtualMachineBootOptionsBootableFloppyDevice', entry)) order.push(...ofType('VirtualFloppy'));
    if (isA('VirtualMachineBootOptionsBootableDiskDevice', entry)) order.push(entry.deviceKey);
    if (isA('VirtualMachineBootOptionsBootableEthernetDevice', entry)) order.push(entry.deviceKey);
  }
  order.push(...ofType('VirtualDisk'), ...ofType('VirtualCdrom'), ...ofType('VirtualFloppy'));
  const namesAdapter = order.some((key) => isAdapter(devices.find((device) => device.key === key)));
  if (offerNetwork && !namesAdapter) order.push(...ofType('VirtualEthernetCard'));
  const known = [...new Set(order)].filter((key) => devices.some((device) => device.key === key));
  return new Map(known.map((key, index) => [key, index + 1]));
}
