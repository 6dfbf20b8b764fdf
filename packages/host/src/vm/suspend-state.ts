// Where a suspended guest's state is noted: `checkpoint.vmState` in the VMX, as VMware does. Pure.
import { make, type VirtualMachineConfigInfo } from '@vivarium/vim';

const KEY = 'checkpoint.vmState';

/** File name of the suspend state, relative to the VM's folder; `undefined` when the VM is not suspended. */
export function findSuspendState(config: VirtualMachineConfigInfo): string | undefined {
  const value = config.extraConfig?.find(({ key }) => isKey(key))?.value;
  const name = typeof value === 'string' ? value : undefined;
  return name && !name.includes('/') && !name.includes('\0') ? name : undefined;
}

export function withSuspendState(config: VirtualMachineConfigInfo, name: string): VirtualMachineConfigInfo {
  return { ...config, extraConfig: [...others(config), make('OptionValue', { key: KEY, value: name })] };
}

export function withoutSuspendState(config: VirtualMachineConfigInfo): VirtualMachineConfigInfo {
  return { ...config, extraConfig: others(config) };
}

function others(config: VirtualMachineConfigInfo) {
  return (config.extraConfig ?? []).filter(({ key }) => !isKey(key));
}

// Keys of a VMX are the same in upper and lower case.
function isKey(key: string): boolean {
  return key.toLowerCase() === KEY.toLowerCase();
}
