import type { VirtualDevice, VirtualMachineConfigInfo } from '@vivarium/vim';
import type { VmxEnvironment } from '../environment.ts';
import type { VmxFile } from '../text/vmx-file.ts';

/** One group of scalar settings: the two directions side by side, and the VMX keys that belong to it. */
export interface Topic<Part extends keyof VirtualMachineConfigInfo> {
  read(vmx: VmxFile, devices: readonly VirtualDevice[], env: VmxEnvironment): Pick<VirtualMachineConfigInfo, Part>;
  write(vmx: VmxFile, config: VirtualMachineConfigInfo): void;
  /** Exact, lower case. */
  readonly keys: readonly string[];
}
