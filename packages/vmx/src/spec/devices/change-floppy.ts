// Floppy drives of a spec.
import { isA, MethodFault, make, type VirtualDevice, type VirtualDeviceBackingInfo } from '@vivarium/vim';
import { FIRST_FLOPPY_KEY, MAX_FLOPPIES } from '../../config/devices/floppies.ts';
import { SIO_KEY } from '../../device/fixed-devices.ts';
import type { DeviceChange, DeviceDraft } from '../device-draft.ts';
import { deviceFault } from '../device-fault.ts';
import { connection } from './connection.ts';
import { filePath } from './file-backing.ts';
import { freeIndex } from './free-index.ts';

export function addFloppy(change: DeviceChange, draft: DeviceDraft): void {
  const unit = freeIndex(FIRST_FLOPPY_KEY, MAX_FLOPPIES, draft);
  if (unit === undefined) throw new MethodFault('TooManyDevices', { property: `deviceChange[${change.index}].device` });
  const backing = floppyBacking(change, draft) ?? make('VirtualFloppyRemoteDeviceBackingInfo', { deviceName: '' });
  draft.add(
    make('VirtualFloppy', {
      key: FIRST_FLOPPY_KEY + unit,
      controllerKey: SIO_KEY,
      unitNumber: unit,
      backing,
      connectable: connection(change.device, undefined, draft),
    }),
    change.device.key,
  );
}

export function editFloppy(change: DeviceChange, old: VirtualDevice, draft: DeviceDraft): void {
  const connectable = connection(change.device, old, draft);
  const backing = floppyBacking(change, draft) ?? old.backing;
  draft.replace(old.key, { ...old, ...(backing ? { backing } : {}), connectable });
}

function floppyBacking(change: DeviceChange, draft: DeviceDraft): VirtualDeviceBackingInfo | undefined {
  const { backing } = change.device;
  if (backing === undefined) return undefined;
  if (isA('VirtualFloppyImageBackingInfo', backing)) {
    return make('VirtualFloppyImageBackingInfo', { fileName: filePath(backing.fileName, change, draft, true) });
  }
  const isDevice =
    isA('VirtualFloppyDeviceBackingInfo', backing) || isA('VirtualFloppyRemoteDeviceBackingInfo', backing);
  if (!isDevice) throw deviceFault('InvalidDeviceBacking', change.index, 'device.backing');
  return { ...backing };
}
