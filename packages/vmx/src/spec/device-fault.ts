// Refusals of one entry of deviceChange. `property` is spelled as ESXi spells it: `virtualDeviceSpec.device.backing`.
import { MethodFault } from '@vivarium/vim';

type DeviceFaultName =
  | 'InvalidDeviceSpec'
  | 'InvalidDeviceBacking'
  | 'MissingController'
  | 'DeviceNotFound'
  | 'DeviceUnsupportedForVmPlatform'
  | 'DeviceHotPlugNotSupported';

/** `path` is relative to the spec: `device.backing.fileName`, `operation` … */
export function deviceFault(type: DeviceFaultName, deviceIndex: number, path: string, message?: string): MethodFault {
  return new MethodFault(type, { deviceIndex, property: `virtualDeviceSpec.${path}` }, message);
}
