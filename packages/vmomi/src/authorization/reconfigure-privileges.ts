// Which privileges a VirtualMachineConfigSpec needs: ReconfigVM_Task names none of its own. Pure.
// After the "Required Privileges" of VirtualMachineConfigSpec's properties in the vSphere API reference.
import { isA, type VirtualDeviceConfigSpec, type VirtualMachineConfigSpec } from '@vivarium/vim';

const BY_PROPERTY: Readonly<Record<string, string>> = {
  name: 'Rename',
  annotation: 'Annotation',
  numCPUs: 'CPUCount',
  numCoresPerSocket: 'CPUCount',
  memoryMB: 'Memory',
  cpuAllocation: 'Resource',
  memoryAllocation: 'Resource',
  latencySensitivity: 'Resource',
  extraConfig: 'AdvancedConfig',
  cpuFeatureMask: 'AdvancedConfig',
  swapPlacement: 'SwapPlacement',
  changeTrackingEnabled: 'ChangeTracking',
  managedBy: 'ManagedBy',
};
/** Say which configuration is meant, change nothing. */
const NOT_A_CHANGE: ReadonlySet<string> = new Set(['_typeName', 'changeVersion', 'deviceChange']);

export function reconfigurePrivileges(spec: VirtualMachineConfigSpec): string[] {
  const needed = new Set<string>();
  for (const [property, value] of Object.entries(spec)) {
    if (value !== undefined && !NOT_A_CHANGE.has(property)) needed.add(BY_PROPERTY[property] ?? 'Settings');
  }
  for (const change of spec.deviceChange ?? []) needed.add(devicePrivilege(change));
  return needed.size === 0 ? ['System.Read'] : Array.from(needed, (name) => `VirtualMachine.Config.${name}`);
}

function devicePrivilege({ operation, fileOperation, device }: VirtualDeviceConfigSpec): string {
  if (operation === undefined || operation === 'edit') return 'EditDevice';
  if (isA('VirtualDisk', device)) {
    if (operation === 'remove') return 'RemoveDisk';
    if (isA('VirtualDiskRawDiskMappingVer1BackingInfo', device.backing)) return 'RawDevice';
    return fileOperation === undefined ? 'AddExistingDisk' : 'AddNewDisk';
  }
  if (isA('VirtualUSB', device)) return 'HostUSBDevice';
  if (isA('VirtualPCIPassthrough', device) || isA('VirtualSCSIPassthrough', device)) return 'RawDevice';
  return 'AddRemoveDevice';
}
