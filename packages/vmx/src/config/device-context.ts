import type { VirtualDevice } from '@vivarium/vim';
import type { Surroundings } from '../environment.ts';
import type { VmxFile } from '../text/vmx-file.ts';

/** What reading devices out of a VMX needs besides the VMX. */
export interface ReadContext extends Surroundings {
  readonly vmPathName: string;
  readonly is64Bit: boolean;
  /** Whether the running machine has the device (by key) connected; see connected-devices.ts. */
  isConnected(key: number): boolean;
}

/** One family of devices: the two directions side by side, and which keys of a VMX belong to them. */
export interface DeviceFamily {
  read(vmx: VmxFile, context: ReadContext): VirtualDevice[];
  write(vmx: VmxFile, devices: readonly VirtualDevice[], vmPathName: string): void;
  /** Matches lower-case keys. */
  readonly keys: RegExp;
}
