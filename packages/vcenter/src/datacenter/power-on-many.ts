// Datacenter.PowerOnMultiVM_Task: starts each VM where it is; what cannot be tried is told apart.
import { type ClusterPowerOnVmResult, MethodFault, type MoRef, make, toLocalizedMethodFault } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { powerOn } from '../virtual-machine/vm-face.ts';

export async function powerOnMany(
  center: Center,
  vms: readonly MoRef<'VirtualMachine'>[],
  call: Call,
): Promise<ClusterPowerOnVmResult> {
  const { service } = center;
  const attempted = [];
  const notAttempted = [];
  for (const vm of vms) {
    try {
      const object = service.graph.get(vm);
      service.authorization.check(call.session, object as never, 'VirtualMachine.Interact.PowerOn');
      const task = powerOn(center, vm, call);
      attempted.push(make('ClusterAttemptedVmInfo', { vm, task }));
    } catch (error) {
      if (!(error instanceof MethodFault)) throw error;
      notAttempted.push(make('ClusterNotAttemptedVmInfo', { vm, fault: toLocalizedMethodFault(error) }));
    }
  }
  return make('ClusterPowerOnVmResult', { attempted, notAttempted });
}
