// The machine's network cards as vSphere shows them: vmnic0, vmnic1 … in the order of their Linux names. For information:
// they stay the machine's, no switch uses them. Pure.
import { make, type PhysicalNic, type PhysicalNicHintInfo } from '@vivarium/vim';
import type { MachineNetwork, PhysicalDevice } from '../network/machine/machine-network.ts';
import { addressAt } from '../network/services/subnet.ts';

export function physicalNic(machine: MachineNetwork, device: PhysicalDevice, index: number): PhysicalNic {
  const { speedMbps, isFullDuplex, driver, busAddress, mac } = device;
  const link =
    speedMbps === undefined ? undefined : make('PhysicalNicLinkInfo', { speedMb: speedMbps, duplex: isFullDuplex });
  const address = machine.addresses.find((entry) => entry.device === device.device);
  return make('PhysicalNic', {
    key: `key-vim.host.PhysicalNic-${vmnicName(index)}`,
    device: vmnicName(index),
    pci: busAddress,
    driver: driver === '' ? undefined : driver,
    linkSpeed: link,
    spec: make('PhysicalNicSpec', {
      ip: make('HostIpConfig', { dhcp: false, ipAddress: address?.address, subnetMask: address?.netmask }),
      linkSpeed: link,
    }),
    wakeOnLanSupported: false,
    mac,
    resourcePoolSchedulerAllowed: false,
    vmDirectPathGen2Supported: false,
    autoNegotiateSupported: false,
  });
}

/** What is known of the networks on these cards: the machine's own subnets. Undefined for a name that is no card. */
export function networkHint(machine: MachineNetwork, name: string): PhysicalNicHintInfo | undefined {
  const device = machine.physical.find((_, index) => vmnicName(index) === name)?.device;
  if (device === undefined) return undefined;
  const subnets = machine.addresses
    .filter((address) => address.device === device && address.prefixLength < 31)
    .map(({ subnet }) => `${addressAt(subnet, 1)}-${addressAt(subnet, 2 ** (32 - subnet.prefixLength) - 2)}`);
  return make('PhysicalNicHintInfo', {
    device: name,
    subnet: subnets.map((ipSubnet) => make('PhysicalNicIpHint', { ipSubnet })),
    network: [],
  });
}

export function vmnicName(index: number): string {
  return `vmnic${index}`;
}
