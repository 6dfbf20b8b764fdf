// Where a suspended guest's state is noted: `checkpoint.vmState` in the VMX, as VMware does; and beside it the memory that had
// been plugged in meanwhile, which the machine that goes on has to have in the same way. Pure.
import { make, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { MEMORY_MODULES_KEY } from '@vivarium/vmx';

const KEY = 'checkpoint.vmState';

/** File name of the suspend state, relative to the VM's folder; `undefined` when the VM is not suspended. */
export function findSuspendState(config: VirtualMachineConfigInfo): string | undefined {
  const value = config.extraConfig?.find(({ key }) => isKey(key))?.value;
  const name = typeof value === 'string' ? value : undefined;
  return name && !name.includes('/') && !name.includes('\0') ? name : undefined;
}

/** `modules`: sizes in MB, in the order in which they were plugged. */
export function withSuspendState(
  config: VirtualMachineConfigInfo,
  name: string,
  modules: readonly number[],
): VirtualMachineConfigInfo {
  const noted = [make('OptionValue', { key: KEY, value: name })];
  if (modules.length > 0) noted.push(make('OptionValue', { key: MEMORY_MODULES_KEY, value: modules.join(' ') }));
  return { ...config, extraConfig: [...others(config), ...noted] };
}

export function withoutSuspendState(config: VirtualMachineConfigInfo): VirtualMachineConfigInfo {
  return { ...config, extraConfig: others(config) };
}

function others(config: VirtualMachineConfigInfo) {
  return (config.extraConfig ?? []).filter(
    ({ key }) => !isKey(key) && key.toLowerCase() !== MEMORY_MODULES_KEY.toLowerCase(),
  );
}

// Keys of a VMX are the same in upper and lower case.
function isKey(key: string): boolean {
  return key.toLowerCase() === KEY.toLowerCase();
}
