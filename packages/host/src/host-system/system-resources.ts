// HostSystem.systemResources and licensableResource: how the machine is divided between the system and VMs, and what of it is
// counted. Pure.
import { type HostLicensableResourceInfo, type HostSystemResourceInfo, make } from '@vivarium/vim';
import type { Resource } from '../resource-pool/share-tree.ts';
import type { MachineFacts } from './machine-facts.ts';

type Amounts = Readonly<Record<Resource, number>>;

/** `capacity`: MHz and MB that VMs can have; the rest is the system's. */
export function systemResources(facts: MachineFacts, capacity: Amounts): HostSystemResourceInfo {
  const all = { cpu: facts.cpuMhz * facts.cores, memory: Math.floor(facts.memoryBytes / 2 ** 20) };
  const system = { cpu: all.cpu - capacity.cpu, memory: all.memory - capacity.memory };
  return make('HostSystemResourceInfo', {
    key: 'host',
    config: config(all),
    child: [
      make('HostSystemResourceInfo', { key: 'host/system', config: config(system) }),
      make('HostSystemResourceInfo', { key: 'host/user', config: config(capacity) }),
    ],
  });
}

export function licensableResource({ packages, cores }: MachineFacts): HostLicensableResourceInfo {
  return make('HostLicensableResourceInfo', {
    resource: [
      make('KeyAnyValue', { key: 'numCpuPackages', value: packages.length }),
      make('KeyAnyValue', { key: 'numCpuCores', value: cores }),
    ],
  });
}

function config({ cpu, memory }: Amounts) {
  const fixed = (amount: number) =>
    make('ResourceAllocationInfo', { reservation: amount, expandableReservation: false, limit: amount });
  return make('ResourceConfigSpec', { cpuAllocation: fixed(cpu), memoryAllocation: fixed(memory) });
}
