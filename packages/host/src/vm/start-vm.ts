// PowerOnVM: a machine for a VM that is off, or one that goes on from the state that it was suspended into.
import type { MethodFault } from '@vivarium/vim';
import { connectForPowerOn, disconnectForPowerOff } from '@vivarium/vmx';
import type { Admission } from '../resource-pool/vm-resources.ts';
import { configFault } from './driver-fault.ts';
import { describeHardware, openFiles } from './hardware.ts';
import type { MachineLine, RunningMachine } from './running-machine.ts';
import { checkSuspendFile, removeSuspendFile, suspendFile } from './suspend-files.ts';
import { findSuspendState, withoutSuspendState } from './suspend-state.ts';
import { vmFailed } from './vm-events.ts';
import type { Request, VmState } from './vm-state.ts';

export async function startVm(vm: VmState, line: MachineLine, request: Request): Promise<void> {
  const saved = findSuspendState(vm.config);
  vm.post(saved ? 'VmResumingEvent' : 'VmStartingEvent', request);
  let machine: RunningMachine;
  let admission: Admission | undefined;
  try {
    admission = vm.host.resources.admit(vm.id, vm.demand, (share) => vm.share.given(share));
    machine = await startMachine(vm, line, admission, saved);
  } catch (error) {
    admission?.release();
    throw await startFailed(vm, error, saved, request);
  }
  vm.wentOn();
  if (saved) await removeSuspendFile(vm, saved);
  vm.post('VmPoweredOnEvent', request);
  line.connect(machine);
}

async function startMachine(
  vm: VmState,
  line: MachineLine,
  admission: Admission,
  saved: string | undefined,
): Promise<RunningMachine> {
  const { host, id, vmxFile } = vm;
  if (saved) await checkSuspendFile(vm, saved);
  const config = saved ? vm.config : connectForPowerOn(vm.config);
  // The machine starts while the disk is waited for; its guest runs only when that is done.
  const written = saved ? undefined : vm.saveConfig(config);
  written?.catch(() => undefined); // awaited below
  try {
    const [hardware, share] = await Promise.all([describeHardware(vm, config), admission.ready()]);
    const { memoryMB } = config.hardware;
    const target = share?.balloonTargetMB ?? memoryMB;
    const vmm = await host.vmms.start(
      {
        id,
        vmxFile,
        hardware,
        vmName: config.name,
        // A guest that is resumed may still have a balloon from before.
        ...(saved || target < memoryMB ? { memoryTargetMB: target } : {}),
        ...(saved ? { resumeFrom: suspendFile(vm, saved) } : {}),
        // Forgotten on disk before the guest runs: a second resume of the same state would destroy its disks.
        beforeRun: async () => {
          await written;
          if (saved) await vm.saveConfig(withoutSuspendState(vm.config));
        },
      },
      line.events,
    );
    return vm.hold(vmm, admission, openFiles(vmxFile, hardware), target);
  } catch (error) {
    await written?.catch(() => undefined); // the VM is not free for others while its VMX is being written
    throw error;
  }
}

async function startFailed(
  vm: VmState,
  error: unknown,
  saved: string | undefined,
  request: Request,
): Promise<MethodFault> {
  const fault = configFault(error);
  vm.host.log.warn({ vm: vm.id, err: error }, 'power-on failed');
  vm.tell(vmFailed('VmFailedToPowerOnEvent', vm.subject, fault, request.userName));
  if (!saved) {
    vm.noteConfig(disconnectForPowerOff(vm.config));
  } else if (findSuspendState(vm.config) === undefined) {
    // Too late to go back: the guest may have run on from that state.
    await removeSuspendFile(vm, saved);
    vm.wentOff();
    vm.post('VmPoweredOffEvent', request);
  }
  return fault;
}
