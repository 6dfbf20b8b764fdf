// Datacenter.PowerOnMultiVM_Task: starts each VM where it is; what cannot be tried is told apart.
import { type ClusterPowerOnVmResult, MethodFault, type MoRef, make, toLocalizedMethodFault } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { admit } from '../virtual-machine/vm-face.ts';

export async function powerOnMany(
  center: Center,
  vms: readonly MoRef<'VirtualMachine'>[],
  call: Call,
): Promise<ClusterPowerOnVmResult> {
  const { inventory, forwarder, service } = center;
  const attempted = [];
  const notAttempted = [];
  for (const vm of vms) {
    try {
      const object = service.graph.get(vm);
      service.authorization.check(call.session, object as never, 'VirtualMachine.Interact.PowerOn');
      center.apps.requireCalm(vm);
      admit(center, vm);
      const { host } = inventory.get(vm);
      const task = forwarder.startTask(vm, { host, method: 'PowerOnVM_Task', args: {} }, call);
      attempted.push(make('ClusterAttemptedVmInfo', { vm, task }));
    } catch (error) {
      if (!(error instanceof MethodFault)) throw error;
      notAttempted.push(make('ClusterNotAttemptedVmInfo', { vm, fault: toLocalizedMethodFault(error) }));
    }
  }
  return make('ClusterPowerOnVmResult', { attempted, notAttempted });
}
