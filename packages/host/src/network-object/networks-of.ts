import { isA, type VirtualMachineConfigInfo } from '@vivarium/vim';

/** Names of the networks that a VM's NICs are on, each once. Pure. */
export function networksOf(config: VirtualMachineConfigInfo): string[] {
  const names = (config.hardware.device ?? []).flatMap((device) =>
    isA('VirtualEthernetCard', device) && isA('VirtualEthernetCardNetworkBackingInfo', device.backing)
      ? [device.backing.deviceName]
      : [],
  );
  return [...new Set(names)];
}
