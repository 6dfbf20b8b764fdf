// Which privileges a ReconfigVM needs, by what its spec touches. Pure.
// Source: vSphere API, VirtualMachine.reconfigure, "Required Privileges" by part of the spec.
import { isA, type VirtualDeviceConfigSpec, type VirtualMachineConfigSpec } from '@vivarium/vim';

type Rule = readonly [privilege: string, touches: (spec: VirtualMachineConfigSpec) => boolean];

const rules: readonly Rule[] = [
  ['VirtualMachine.Config.Rename', (spec) => spec.name !== undefined],
  ['VirtualMachine.Config.Annotation', (spec) => spec.annotation !== undefined],
  ['VirtualMachine.Config.CPUCount', (spec) => spec.numCPUs !== undefined || spec.numCoresPerSocket !== undefined],
  ['VirtualMachine.Config.Memory', (spec) => spec.memoryMB !== undefined],
  ['VirtualMachine.Config.Resource', (spec) => spec.cpuAllocation !== undefined || spec.memoryAllocation !== undefined],
  ['VirtualMachine.Config.AdvancedConfig', (spec) => (spec.extraConfig?.length ?? 0) > 0],
  [
    'VirtualMachine.Config.Settings',
    (spec) =>
      [spec.guestId, spec.bootOptions, spec.tools, spec.flags, spec.firmware, spec.uuid, spec.instanceUuid].some(
        (part) => part !== undefined,
      ),
  ],
  [
    'VirtualMachine.Config.AddNewDisk',
    (spec) => changes(spec, 'add').some((change) => isDisk(change) && makesFile(change)),
  ],
  [
    'VirtualMachine.Config.AddExistingDisk',
    (spec) => changes(spec, 'add').some((change) => isDisk(change) && !makesFile(change)),
  ],
  ['VirtualMachine.Config.RemoveDisk', (spec) => changes(spec, 'remove').some(isDisk)],
  ['VirtualMachine.Config.DiskExtend', (spec) => changes(spec, 'edit').some(isDisk)],
  [
    'VirtualMachine.Config.AddRemoveDevice',
    (spec) => [...changes(spec, 'add'), ...changes(spec, 'remove')].some((change) => !isDisk(change)),
  ],
  ['VirtualMachine.Config.EditDevice', (spec) => changes(spec, 'edit').some((change) => !isDisk(change))],
];

/** Privilege ids that the caller must hold on the VM. */
export function reconfigurePrivileges(spec: VirtualMachineConfigSpec): string[] {
  return rules.filter(([, touches]) => touches(spec)).map(([privilege]) => privilege);
}

function changes(spec: VirtualMachineConfigSpec, operation: string): VirtualDeviceConfigSpec[] {
  return (spec.deviceChange ?? []).filter((change) => change.operation === operation);
}

function isDisk(change: VirtualDeviceConfigSpec): boolean {
  return isA('VirtualDisk', change.device);
}

function makesFile(change: VirtualDeviceConfigSpec): boolean {
  return change.fileOperation === 'create' || change.fileOperation === 'replace';
}
