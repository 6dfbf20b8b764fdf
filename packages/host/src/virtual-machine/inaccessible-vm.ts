// The managed object of a registered VM whose VMX cannot be read (its datastore is away, or somebody spoilt the file): it
// stays in the inventory, as on ESXi, and can be read again or unregistered.
import { isFault, MethodFault, type MoRef, make, type VirtualMachineConnectionState } from '@vivarium/vim';
import type { Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import type { BrokenVm, VmRegistry } from '../vm/vm-registry.ts';

export interface InaccessibleVmContext {
  readonly service: Service;
  readonly registry: () => Pick<VmRegistry, 'reopen' | 'forget'>;
  readonly pool: MoRef<'ResourcePool'>;
}

/** Puts it into the graph until `remove`. */
export function publishInaccessibleVm(
  vm: BrokenVm,
  { service, registry, pool }: InaccessibleVmContext,
): { remove(): void } {
  const runtime = make('VirtualMachineRuntimeInfo', {
    host: refs.host,
    connectionState: connectionState(vm.error),
    powerState: 'poweredOff',
    faultToleranceState: 'notConfigured',
    toolsInstallerMounted: false,
    numMksConnections: 0,
    recordReplayState: 'inactive',
    onlineStandby: false,
    consolidationNeeded: false,
  });
  const notNow = () => {
    throw new MethodFault('InvalidState', {});
  };
  service.graph.add(
    vm.ref,
    {
      name: vm.vmx,
      parent: refs.vmFolder,
      resourcePool: pool,
      overallStatus: 'gray',
      configStatus: 'gray',
      guestHeartbeatStatus: 'gray',
      runtime,
      summary: make('VirtualMachineSummary', {
        vm: vm.ref,
        runtime,
        config: make('VirtualMachineConfigSummary', { name: vm.vmx, template: false, vmPathName: vm.vmx }),
        quickStats: make('VirtualMachineQuickStats', { guestHeartbeatStatus: 'gray' }),
        overallStatus: 'gray',
      }),
    },
    {
      UnregisterVM: (_args, call) =>
        registry().forget({ userName: call.session.userName, progress: () => undefined }, vm),
      Reload: () => registry().reopen(vm),
      PowerOnVM_Task: notNow,
      PowerOffVM_Task: notNow,
      ReconfigVM_Task: notNow,
      Destroy_Task: notNow,
    },
  );
  return { remove: () => service.graph.remove(vm.ref) };
}

/** `invalid`: the file is there, but is no VMX. */
function connectionState(error: unknown): VirtualMachineConnectionState {
  return isFault(error, 'VmConfigFault') ? 'invalid' : 'inaccessible';
}
