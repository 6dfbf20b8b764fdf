// The host's network adapters as vSphere shows them. Pure.
import { MethodFault, make, type PhysicalNic, type PhysicalNicHintInfo } from '@vivarium/vim';
import type { PhysicalAdapter } from '../network/adapters/physical-adapter.ts';
import type { MachineNetwork } from '../network/machine/machine-network.ts';
import { addressAt } from '../network/services/subnet.ts';

export function physicalNicKey(name: string): string {
  return `key-vim.host.PhysicalNic-${name}`;
}

/** Without a link there is no `linkSpeed`. An adapter that does not say how fast it is (virtio) has a speed of 0. */
export function physicalNic(machine: MachineNetwork, adapter: PhysicalAdapter): PhysicalNic {
  const { name, hasLink, speedMbps = 0, isFullDuplex, driver, busAddress, mac } = adapter;
  const link = hasLink ? make('PhysicalNicLinkInfo', { speedMb: speedMbps, duplex: isFullDuplex }) : undefined;
  const address = machine.addresses.find(({ device }) => device === adapter.device);
  return make('PhysicalNic', {
    key: physicalNicKey(name),
    device: name,
    pci: busAddress,
    driver: driver === '' ? undefined : driver,
    linkSpeed: link,
    // It is set to no other speed here.
    validLinkSpecification: link ? [link] : [],
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

/** What is known of the networks on these adapters: the machine's own subnets. Default: all adapters. Fault: NotFound. */
export function networkHints(
  machine: MachineNetwork,
  adapters: readonly PhysicalAdapter[],
  names: readonly string[] = adapters.map(({ name }) => name),
): PhysicalNicHintInfo[] {
  return names.map((name) => {
    const device = adapters.find((adapter) => adapter.name === name)?.device;
    if (device === undefined) throw new MethodFault('NotFound', {}, `There is no physical NIC '${name}'.`);
    const subnets = machine.addresses
      .filter((address) => address.device === device && address.prefixLength < 31)
      .map(({ subnet }) => `${addressAt(subnet, 1)}-${addressAt(subnet, 2 ** (32 - subnet.prefixLength) - 2)}`);
    return make('PhysicalNicHintInfo', {
      device: name,
      subnet: subnets.map((ipSubnet) => make('PhysicalNicIpHint', { ipSubnet })),
      network: [],
    });
  });
}
