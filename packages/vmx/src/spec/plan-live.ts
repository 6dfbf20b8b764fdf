// What of a change happens to a running machine, and what cannot: the difference of two configurations, read once.
import { MethodFault, type VirtualMachineConfigInfo, type VirtualMachinePowerState } from '@vivarium/vim';
import { textOf } from '../config/vmx-from-config.ts';
import type { LiveEffect } from '../effects.ts';
import { invalidArgument } from './invalid-argument.ts';
import { planLiveDevices } from './plan-live-devices.ts';
import { sameValue } from './same-value.ts';

/** Steps of memory that a running machine can take (a DIMM of Linux's block size). */
const MEMORY_STEP_MB = 128;

/** Settings that only a machine that is off can take. */
const coldSettings: readonly ((config: VirtualMachineConfigInfo) => unknown)[] = [
  (config) => config.guestId,
  (config) => config.uuid,
  (config) => config.instanceUuid,
  (config) => config.version,
  (config) => config.firmware,
  (config) => config.bootOptions?.efiSecureBootEnabled,
  (config) => config.hardware.numCoresPerSocket,
  (config) => config.hardware.virtualICH7MPresent,
  (config) => config.hardware.virtualSMCPresent,
  (config) => config.memoryHotAddEnabled,
  (config) => config.cpuHotAddEnabled,
  (config) => config.cpuHotRemoveEnabled,
  (config) => config.nestedHVEnabled,
  (config) => config.vPMCEnabled,
  (config) => config.swapPlacement,
  (config) => [config.flags.diskUuidEnabled, config.flags.vvtdEnabled, config.flags.vbsEnabled],
];

/** `indexOf`: the entry of deviceChange that a device's change came from. */
export function planLive(
  current: VirtualMachineConfigInfo,
  next: VirtualMachineConfigInfo,
  powerState: VirtualMachinePowerState,
  indexOf: (key: number) => number,
): LiveEffect[] {
  if (powerState === 'poweredOff') return [];
  const refusal = () =>
    new MethodFault('InvalidPowerState', { requestedState: 'poweredOff', existingState: powerState });
  const isChanged = (read: (config: VirtualMachineConfigInfo) => unknown) => !sameValue(read(current), read(next));
  if (coldSettings.some(isChanged)) throw refusal();
  if (powerState === 'suspended') {
    const isHardware = isChanged((config) => [
      config.hardware.numCPU,
      config.hardware.memoryMB,
      config.hardware.device,
    ]);
    if (isHardware) throw refusal();
    return [];
  }
  return [
    ...planLiveDevices(current, next, indexOf, refusal),
    ...planProcessor(current, next),
    ...(isChanged((config) => [config.cpuAllocation, config.memoryAllocation])
      ? [{ kind: 'setAllocation' } as const]
      : []),
    ...planGuestInfo(current, next),
  ];
}

function planProcessor(current: VirtualMachineConfigInfo, next: VirtualMachineConfigInfo): LiveEffect[] {
  const effects: LiveEffect[] = [];
  const count = next.hardware.numCPU;
  if (count !== current.hardware.numCPU) {
    if (!current.cpuHotAddEnabled || count < current.hardware.numCPU)
      throw new MethodFault('CpuHotPlugNotSupported', {});
    effects.push({ kind: 'plugCpus', count });
  }
  const { memoryMB } = next.hardware;
  const growth = memoryMB - current.hardware.memoryMB;
  if (growth !== 0) {
    if (!current.memoryHotAddEnabled || growth < 0) throw new MethodFault('MemoryHotPlugNotSupported', {});
    if (growth % MEMORY_STEP_MB !== 0)
      throw invalidArgument('memoryMB', `Running memory grows in steps of ${MEMORY_STEP_MB} MB.`);
    effects.push({ kind: 'plugMemory', memoryMB });
  }
  return effects;
}

function planGuestInfo(current: VirtualMachineConfigInfo, next: VirtualMachineConfigInfo): LiveEffect[] {
  const of = (config: VirtualMachineConfigInfo) =>
    new Map(
      (config.extraConfig ?? [])
        .filter(({ key }) => key.toLowerCase().startsWith('guestinfo.'))
        .map(({ key, value }) => [key, textOf(value)]),
    );
  const [before, after] = [of(current), of(next)];
  const set = [...after].filter(([name, value]) => before.get(name) !== value);
  const gone = [...before.keys()].filter((name) => !after.has(name));
  return [
    ...set.map(([name, value]) => ({ kind: 'setGuestInfo', name, value }) as const),
    ...gone.map((name) => ({ kind: 'setGuestInfo', name }) as const),
  ];
}
