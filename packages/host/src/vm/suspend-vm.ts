// SuspendVM: the guest's state goes into a file, and the machine ends.
import { onMachine } from './on-machine.ts';
import type { RunningMachine } from './running-machine.ts';
import { removeSuspendFile, suspendFault, suspendFile, suspendName } from './suspend-files.ts';
import { findSuspendState, withoutSuspendState, withSuspendState } from './suspend-state.ts';
import type { Request, VmState } from './vm-state.ts';

export async function suspendVm(vm: VmState, request: Request): Promise<void> {
  vm.desk.checkNothingAsked();
  vm.post('VmSuspendingEvent', request);
  await onMachine(vm, 'VmFailedToSuspendEvent', request, (machine) => saveState(vm, machine, request));
  vm.wentToSleep();
  vm.post('VmSuspendedEvent', request);
}

/** The VM is off, not suspended: on disk first, as a state that nothing names does no harm. */
export async function dropSuspendState(vm: VmState): Promise<void> {
  const saved = findSuspendState(vm.config);
  if (!saved) return;
  await vm.saveConfig(withoutSuspendState(vm.config));
  await removeSuspendFile(vm, saved);
}

async function saveState(vm: VmState, machine: RunningMachine, request: Request): Promise<void> {
  const name = suspendName(vm.vmxFile, vm.config);
  try {
    const modules = await machine.vmm.devices.memoryModules();
    await machine.vmm.suspendTo(suspendFile(vm, name), request.progress, async () => {
      if (vm.machine !== machine) throw new Error('the machine ended while its state was saved');
      // The state is whole: the machine is not needed any more, whatever happens to it.
      machine.expectEnd();
      await vm.saveConfig(withSuspendState(vm.config, name, modules));
    });
  } catch (error) {
    if (findSuspendState(vm.config) === undefined) {
      machine.unexpectEnd();
      throw suspendFault(vm, name, error);
    }
    // Once the state is noted the VM is suspended.
    vm.host.log.warn({ vm: vm.id, err: error }, 'the machine of a suspended VM did not end well');
  }
}
