// What is asked of a running machine, and how it is told when that fails.
import { MethodFault } from '@vivarium/vim';
import { systemFault } from './driver-fault.ts';
import type { RunningMachine } from './running-machine.ts';
import { vmFailed } from './vm-events.ts';
import type { Request, VmState } from './vm-state.ts';

type Failure = Parameters<typeof vmFailed>[0];

/**
 * Runs `work`; when it fails the event `failure` is posted and a fault thrown. What a machine refuses because it has just ended
 * is a matter of power states: InvalidPowerState.
 */
export async function onMachine<T>(
  vm: VmState,
  failure: Failure | undefined,
  request: Request,
  work: (machine: RunningMachine) => Promise<T>,
): Promise<T> {
  const machine = vm.runningMachine();
  try {
    return await work(machine);
  } catch (error) {
    const fault =
      error instanceof MethodFault || (vm.machine === machine && (await machine.isThere()))
        ? systemFault(error)
        : new MethodFault('InvalidPowerState', { requestedState: 'poweredOn', existingState: 'poweredOff' });
    if (failure) vm.tell(vmFailed(failure, vm.subject, fault, request.userName));
    throw fault;
  }
}

/** Ends the machine, if there is one, and says so: the VM is off. `by`: that was the answer to its question. */
export async function endMachine(vm: VmState, request: Request, by?: 'answer'): Promise<void> {
  vm.post('VmStoppingEvent', request);
  const { machine } = vm;
  if (machine) {
    machine.expectEnd();
    await onMachine(vm, 'VmFailedToPowerOffEvent', request, async () => {
      try {
        await machine.vmm.kill();
      } catch (error) {
        machine.unexpectEnd();
        throw error;
      }
    });
  }
  vm.desk.clear(by);
  vm.wentOff();
  vm.post('VmPoweredOffEvent', request);
}
