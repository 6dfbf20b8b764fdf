// A VM when hostd starts: the machine that an earlier hostd left running is found and held, and what was cut short is finished.
import { connectForPowerOn, disconnectForPowerOff } from '@vivarium/vmx';
import { systemFault } from './driver-fault.ts';
import { describeHardware, openFiles } from './hardware.ts';
import type { MachineLine } from './running-machine.ts';
import { hasSuspendFile, removeSuspendFile, suspendName } from './suspend-files.ts';
import { findSuspendState, withoutSuspendState } from './suspend-state.ts';
import type { VmState } from './vm-state.ts';
import type { Hardware, Vmm } from './vmm.ts';

export async function adoptVm(vm: VmState, line: MachineLine): Promise<void> {
  const vmm = await vm.host.vmms.adopt({ id: vm.id, vmxFile: vm.vmxFile }, line.events);
  if (!vmm) {
    if (vm.power === 'suspended') return;
    vm.noteConfig(disconnectForPowerOff(vm.config));
    // Not noted: a suspension or a resumption was cut short.
    await removeSuspendFile(vm, suspendName(vm.vmxFile, vm.config));
    return;
  }
  const isRunning = await vmm.isRunning();
  const saved = findSuspendState(vm.config);
  if (saved && !isRunning && (await hasSuspendFile(vm, saved))) {
    // Killed while it suspended or resumed: the guest has not run since its state was written, so that is what counts.
    await vmm.kill();
    return;
  }
  // A state that was resumed from must never be resumed from again.
  if (saved) await vm.saveConfig(withoutSuspendState(vm.config));
  // What it was started with may not have reached the disk.
  else if (!isRunning && (await vmm.isNew())) await vm.saveConfig(connectForPowerOn(vm.config));
  const hardware = await describeAdopted(vm, vmm);
  const admission = vm.host.resources.adopt(vm.id, vm.demand, (share) => vm.share.given(share));
  const machine = vm.hold(vmm, admission, hardware ? openFiles(vm.vmxFile, hardware) : []);
  vm.wentOn();
  await removeSuspendFile(vm, saved ?? suspendName(vm.vmxFile, vm.config));
  line.connect(machine);
  // Half started, half suspended, or waiting for room on its disk: it goes on, and asks again if it cannot.
  if (!isRunning) await goOn(vm, vmm, hardware);
}

async function describeAdopted(vm: VmState, vmm: Vmm): Promise<Hardware | undefined> {
  try {
    const hardware = await describeHardware(vm, vm.config);
    vmm.devices.learn(hardware);
    return hardware;
  } catch (error) {
    // It runs all the same; what it is made of cannot be changed before it was off.
    vm.host.log.error({ vm: vm.id, err: error }, 'the files of a running VM are not what its VMX says');
    return undefined;
  }
}

async function goOn(vm: VmState, vmm: Vmm, hardware: Hardware | undefined): Promise<void> {
  try {
    for (const { id, linkUp } of hardware?.machine.nics ?? []) await vmm.devices.setLink(id, linkUp);
    await vmm.continue();
  } catch (error) {
    vm.host.log.error({ vm: vm.id, err: error }, 'a machine that was found stopped does not go on');
    vm.desk.ask(false, systemFault(error).message);
  }
}
