// Flags, VMware Tools, power operations and other switches of a spec.
import type { VirtualMachineConfigInfo, VirtualMachineConfigSpec } from '@vivarium/vim';
import { checkRange, invalidArgument } from '../invalid-argument.ts';

const powerTypes = ['soft', 'hard', 'preset'];
const MAX_CONSOLES = 40;

const words: Readonly<Record<string, readonly string[]>> = {
  'flags.monitorType': ['release', 'debug', 'stats'],
  'flags.htSharing': ['any', 'none', 'internal'],
  'flags.virtualMmuUsage': ['automatic', 'on', 'off'],
  'flags.virtualExecUsage': ['hvAuto', 'hvOn', 'hvOff'],
  'flags.snapshotPowerOffBehavior': ['powerOff', 'revert', 'prompt', 'take'],
  'tools.toolsUpgradePolicy': ['manual', 'upgradeAtPowerCycle'],
  'powerOpInfo.powerOffType': powerTypes,
  'powerOpInfo.suspendType': powerTypes,
  'powerOpInfo.resetType': powerTypes,
  'powerOpInfo.standbyAction': ['checkpoint', 'powerOnSuspend'],
  migrateEncryption: ['disabled', 'opportunistic', 'required'],
};

export function applySwitches(
  config: VirtualMachineConfigInfo,
  spec: VirtualMachineConfigSpec,
): VirtualMachineConfigInfo {
  for (const [name, allowed] of Object.entries(words)) {
    const value = valueAt(spec, name);
    if (value !== undefined && !allowed.includes(value)) throw invalidArgument(name);
  }
  if (spec.maxMksConnections !== undefined) checkRange(spec.maxMksConnections, -1, MAX_CONSOLES, 'maxMksConnections');
  const { powerOpInfo } = spec;
  return {
    ...config,
    ...(spec.flags ? { flags: { ...config.flags, ...spec.flags } } : {}),
    ...(spec.tools ? { tools: { ...config.tools, ...spec.tools } } : {}),
    ...(powerOpInfo ? { defaultPowerOps: { ...config.defaultPowerOps, ...powerOpInfo } } : {}),
    ...pick(spec, 'rebootPowerOff'),
    ...pick(spec, 'vAssertsEnabled'),
    ...pick(spec, 'maxMksConnections'),
    ...pick(spec, 'guestAutoLockEnabled'),
    ...pick(spec, 'messageBusTunnelEnabled'),
    ...pick(spec, 'migrateEncryption'),
  };
}

function pick<K extends keyof VirtualMachineConfigSpec>(spec: VirtualMachineConfigSpec, key: K) {
  return spec[key] === undefined ? {} : ({ [key]: spec[key] } as Pick<VirtualMachineConfigSpec, K>); // the one key
}

function valueAt(spec: VirtualMachineConfigSpec, path: string): string | undefined {
  let value: unknown = spec;
  for (const name of path.split('.')) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined; // checked object
  }
  return typeof value === 'string' && value !== '' ? value : undefined;
}
