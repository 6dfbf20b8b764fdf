// NICs and the host's side of them (netdev).
import { type Device, MachineError, type Netdev, type PciAddress } from './device.ts';
import type { Machine, NetworkBinding, Nic, NicKind } from './model.ts';
import { chipsetOf, pciAddress, planPciSlots } from './pci-slots.ts';

const drivers: Readonly<Record<NicKind, string>> = {
  vmxnet3: 'vmxnet3',
  e1000: 'e1000',
  e1000e: 'e1000e',
  virtio: 'virtio-net-pci',
  pcnet: 'pcnet',
};

/** Id of a nic's netdev: `nic-4000` has `net-4000`. */
export const netdevId = (nicId: string) => `net-${nicId.replace(/^nic-/, '')}`;

/**
 * The host's side of a nic. Without a network it is a port of an empty hub: the nic is there and hears nothing, and a
 * netdev can be put into the hub later (a nic cannot get its netdev while the machine runs).
 */
export function nicNetdev(nic: Nic, network: NetworkBinding | undefined): Netdev {
  const id = netdevId(nic.id);
  switch (network?.kind) {
    case 'tap':
      return { type: 'tap', id, fd: String(network.fd) };
    case 'user':
      return { type: 'user', id, hostfwd: (network.hostForward ?? []).map((rule) => ({ str: rule })) };
    case undefined:
      return { type: 'hubport', id, hubid: hubId(nic) };
  }
}

/** Hub of a nic that started without a network; unique by the number in its id. */
export function hubId(nic: { readonly id: string }): number {
  const digits = /(\d{1,9})$/.exec(nic.id)?.[1];
  if (digits === undefined) throw new MachineError(`a nic's id ends with a number: ${nic.id}`);
  return Number(digits);
}

export function nicDevice(nic: Nic, address: PciAddress): Device {
  return {
    driver: drivers[nic.kind],
    id: nic.id,
    netdev: netdevId(nic.id),
    mac: nic.mac,
    ...address,
    // iPXE takes time at every boot, so it is there only for a nic that can be booted from.
    ...(nic.bootIndex === undefined ? { romfile: '' } : { bootindex: nic.bootIndex }),
  };
}

export function nicDevices(machine: Machine): Device[] {
  const slots = planPciSlots(machine);
  const chipset = chipsetOf(machine.machineType);
  return machine.nics.flatMap((nic) => {
    const slot = slots.get(nic.id);
    return slot === undefined ? [] : [nicDevice(nic, pciAddress(chipset, slot))];
  });
}
