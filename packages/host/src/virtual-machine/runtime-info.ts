// VirtualMachine.runtime from what we know of a VM. Pure.
import { make, type VirtualMachineRuntimeInfo } from '@vivarium/vim';
import type { VmView } from '../vm/vm-view.ts';

export function runtimeInfo(view: VmView): VirtualMachineRuntimeInfo {
  const { config } = view;
  return make('VirtualMachineRuntimeInfo', {
    host: view.host,
    connectionState: 'connected',
    powerState: view.power,
    faultToleranceState: 'notConfigured',
    toolsInstallerMounted: false,
    suspendTime: view.suspendTime,
    bootTime: view.bootTime,
    question: view.question,
    suspendInterval: 0,
    memoryOverhead: view.overheadMB * 2 ** 20,
    maxCpuUsage: view.bounds?.cpuMhz ?? view.cpuMhz * config.hardware.numCPU,
    maxMemoryUsage: view.bounds?.memoryMB ?? config.hardware.memoryMB,
    numMksConnections: view.consoles,
    recordReplayState: 'inactive',
    cleanPowerOff: view.power === 'poweredOff' ? !view.crashed : undefined,
    onlineStandby: false,
    consolidationNeeded: false,
    paused: false,
    snapshotInBackground: false,
    quiescedForkParent: false,
    instantCloneFrozen: false,
    suspendedToMemory: false,
  });
}
