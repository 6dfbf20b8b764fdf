// Who is on a distributed switch: VMs by the networks that their hosts tell. Reads the graph's lists, changes nothing.
import { MethodFault, type MoRef } from '@vivarium/vim';
import type { Center } from '../center.ts';

export function vmsOn(
  { lists }: Pick<Center, 'lists'>,
  portgroups: readonly MoRef<'DistributedVirtualPortgroup'>[],
): MoRef<'VirtualMachine'>[] {
  const vms = portgroups.flatMap((portgroup) => lists.members(portgroup, 'vm') as MoRef[] as MoRef<'VirtualMachine'>[]);
  return [...new Map(vms.map((vm) => [vm.value, vm])).values()];
}

/** Fault: ResourceInUse, when a VM is on one of them. */
export function requireUnused(
  center: Center,
  portgroups: readonly MoRef<'DistributedVirtualPortgroup'>[],
  type: string,
  name: string,
): void {
  if (vmsOn(center, portgroups).length > 0) throw new MethodFault('ResourceInUse', { type, name });
}
