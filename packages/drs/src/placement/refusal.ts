// Why no host can take a VM, host by host. Pure.

import { MethodFault, toLocalizedMethodFault } from '@vivarium/vim';
import { findIncompatibilities } from '../compatibility/compatibility.ts';
import type { BoundRules } from '../rules/bound-rules.ts';
import type { VmNeeds } from '../snapshot/vm-needs.ts';
import { type HostLoad, hasRoom } from './host-load.ts';
import type { Unit } from './vm-units.ts';

/** A cluster has no more hosts in vSphere; of larger ones the first are named. */
const MAX_HOSTS_NAMED = 96;
const BYTES_PER_MB = 2 ** 20;

/** All reasons against one host; none when it could take the VM together with the rest of its unit. */
export function findHostFaults(vm: VmNeeds, unit: Unit, load: HostLoad, rules: BoundRules): MethodFault[] {
  return [
    ...findIncompatibilities(vm, load.snapshot),
    ...rules.findFaults(load.snapshot),
    ...(hasRoom(load, unit) ? [] : [noRoom(load, unit)]),
  ];
}

/** NoCompatibleHost with one reason for each host, or NoCompatibleHardAffinityHost when mandatory rules leave no host at all. */
export function noCompatibleHost(vm: VmNeeds, unit: Unit, hosts: readonly HostLoad[], rules: BoundRules): MethodFault {
  const reasons = hosts.slice(0, MAX_HOSTS_NAMED).map((load) => {
    const faults = findHostFaults(vm, unit, load, rules);
    // The VM itself may fit where another one of its unit does not.
    const fault = faults[0] ?? new MethodFault('InsufficientHostCapacityFault', { host: load.snapshot.host });
    return { host: load.snapshot.host, fault, faults };
  });
  const isRuledOut = ({ faults }: { readonly faults: readonly MethodFault[] }) =>
    faults.some(({ fault }) => fault._typeName === 'VmHostAffinityRuleViolation');
  if (reasons.length > 0 && reasons.length === hosts.length && reasons.every(isRuledOut)) {
    return new MethodFault('NoCompatibleHardAffinityHost', { vmName: vm.name }) as MethodFault;
  }
  return new MethodFault('NoCompatibleHost', {
    host: reasons.map(({ host }) => host),
    error: reasons.map(({ fault }) => toLocalizedMethodFault(fault)),
  }) as MethodFault;
}

/** CPU in MHz, memory in bytes. */
function noRoom({ snapshot, reservedCpu, reservedMemory, vmCount }: HostLoad, unit: Unit): MethodFault {
  const { host, capacity, limits } = snapshot;
  const { cpuMhz, memoryMB } = unit.reservation;
  const cpu = Math.max(0, capacity.cpuMhz - reservedCpu);
  if (cpuMhz > cpu) {
    return new MethodFault('InsufficientHostCpuCapacityFault', {
      host,
      unreserved: cpu,
      requested: cpuMhz,
    }) as MethodFault;
  }
  const memory = Math.max(0, capacity.memoryMB - reservedMemory);
  if (memoryMB > memory || vmCount + unit.vmCount <= limits.maxRunningVms) {
    return new MethodFault('InsufficientHostMemoryCapacityFault', {
      host,
      unreserved: memory * BYTES_PER_MB,
      requested: memoryMB * BYTES_PER_MB,
    }) as MethodFault;
  }
  return new MethodFault('InsufficientHostCapacityFault', { host }) as MethodFault;
}
