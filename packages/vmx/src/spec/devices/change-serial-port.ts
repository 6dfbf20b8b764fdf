// Serial ports of a spec.
import { isA, MethodFault, make, type VirtualDevice, type VirtualDeviceBackingInfo } from '@vivarium/vim';
import { FIRST_SERIAL_KEY, MAX_SERIALS } from '../../config/devices/serial-ports.ts';
import { SIO_KEY } from '../../device/fixed-devices.ts';
import type { DeviceChange, DeviceDraft } from '../device-draft.ts';
import { deviceFault } from '../device-fault.ts';
import { connection } from './connection.ts';
import { outputPath } from './file-backing.ts';
import { freeIndex } from './free-index.ts';

const MAX_URI = 2048;

export function addSerialPort(change: DeviceChange, draft: DeviceDraft): void {
  const { device } = change;
  const index = freeIndex(FIRST_SERIAL_KEY, MAX_SERIALS, draft);
  if (index === undefined)
    throw new MethodFault('TooManyDevices', { property: `deviceChange[${change.index}].device` });
  const backing = serialBacking(change, draft);
  if (!backing) throw deviceFault('InvalidDeviceBacking', change.index, 'device.backing');
  draft.add(
    make('VirtualSerialPort', {
      key: FIRST_SERIAL_KEY + index,
      controllerKey: SIO_KEY,
      unitNumber: index,
      backing,
      connectable: connection(device, undefined, draft),
      yieldOnPoll: isA('VirtualSerialPort', device) ? (device.yieldOnPoll ?? true) : true,
    }),
    device.key,
  );
}

export function editSerialPort(change: DeviceChange, old: VirtualDevice, draft: DeviceDraft): void {
  const { device } = change;
  const backing = serialBacking(change, draft) ?? old.backing;
  const yieldOnPoll = isA('VirtualSerialPort', device) ? device.yieldOnPoll : undefined;
  draft.replace(old.key, {
    ...old,
    ...(backing ? { backing } : {}),
    connectable: connection(device, old, draft),
    ...(yieldOnPoll === undefined ? {} : { yieldOnPoll }),
  } as VirtualDevice);
}

function serialBacking(change: DeviceChange, draft: DeviceDraft): VirtualDeviceBackingInfo | undefined {
  const { backing } = change.device;
  const refuse = (path: string) => deviceFault('InvalidDeviceBacking', change.index, path);
  if (backing === undefined) return undefined;
  if (isA('VirtualSerialPortFileBackingInfo', backing)) {
    return make('VirtualSerialPortFileBackingInfo', { fileName: outputPath(backing.fileName, change, draft) });
  }
  if (isA('VirtualSerialPortURIBackingInfo', backing)) {
    if (backing.serviceURI === '' || backing.serviceURI.length > MAX_URI) throw refuse('device.backing.serviceURI');
    if (backing.direction !== 'client' && backing.direction !== 'server') throw refuse('device.backing.direction');
    return { ...backing };
  }
  if (isA('VirtualSerialPortPipeBackingInfo', backing)) {
    if (backing.endpoint !== 'client' && backing.endpoint !== 'server') throw refuse('device.backing.endpoint');
    return { ...backing };
  }
  const isOther =
    isA('VirtualSerialPortDeviceBackingInfo', backing) || isA('VirtualSerialPortThinPrintBackingInfo', backing);
  if (!isOther) throw refuse('device.backing');
  return { ...backing };
}
