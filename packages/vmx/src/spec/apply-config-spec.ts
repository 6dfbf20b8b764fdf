// The decision behind CreateVM_Task and ReconfigVM_Task: old configuration + spec -> new configuration + effects, or a
// fault. Touches nothing.
import { MethodFault, type VirtualMachineConfigInfo, type VirtualMachineConfigSpec } from '@vivarium/vim';
import type { Effects } from '../effects.ts';
import type { SpecEnvironment } from '../environment.ts';

export interface ConfigChange {
  readonly config: VirtualMachineConfigInfo;
  readonly effects: Effects;
}

/**
 * `current` absent = CreateVM: defaults of a new machine, `files.vmPathName` chosen when the spec names only a datastore
 * (config.files.vmPathName says where; the caller makes the folder before it executes the effects).
 * Throws MethodFaults with property paths as vSphere does.
 */
export function applyConfigSpec(
  _current: VirtualMachineConfigInfo | undefined,
  _spec: VirtualMachineConfigSpec,
  _env: SpecEnvironment,
): ConfigChange {
  throw new MethodFault('NotSupported', {});
}
