// CD/DVD drives of a spec.
import { isA, MethodFault, make, type VirtualDevice, type VirtualDeviceBackingInfo } from '@vivarium/vim';
import { isProductImage } from '../../config/product-image.ts';
import type { DeviceChange, DeviceDraft } from '../device-draft.ts';
import { deviceFault } from '../device-fault.ts';
import { connection } from './connection.ts';
import { filePath } from './file-backing.ts';
import { placeDrive } from './place-drive.ts';

/** Where a drive without a controller goes: the client's habit is IDE, SATA when IDE is full. */
const preferred = ['VirtualIDEController', 'VirtualAHCIController'];

const deviceBackings = [
  'VirtualCdromAtapiBackingInfo',
  'VirtualCdromPassthroughBackingInfo',
  'VirtualCdromRemoteAtapiBackingInfo',
  'VirtualCdromRemotePassthroughBackingInfo',
] as const;

export function addCdrom(change: DeviceChange, draft: DeviceDraft): void {
  const place = placeDrive(change, draft, preferred);
  const connectable = connection(change.device, undefined, draft);
  const backing =
    cdromBacking(change, draft) ??
    make('VirtualCdromRemotePassthroughBackingInfo', { deviceName: '', exclusive: false });
  checkMedium(backing, connectable.connected, draft);
  draft.add(make('VirtualCdrom', { ...place, backing, connectable }), change.device.key);
}

export function editCdrom(change: DeviceChange, old: VirtualDevice, draft: DeviceDraft): void {
  const backing = cdromBacking(change, draft) ?? old.backing;
  const connectable = connection(change.device, old, draft);
  if (backing) checkMedium(backing, connectable.connected, draft);
  const { device } = change;
  const controllerKey = device.controllerKey ? draft.keyOf(device.controllerKey) : old.controllerKey;
  const unitNumber = device.unitNumber ?? (controllerKey === old.controllerKey ? old.unitNumber : undefined);
  const isMoved = controllerKey !== old.controllerKey || unitNumber !== old.unitNumber;
  draft.remove(old.key);
  const place = isMoved
    ? placeDrive({ ...change, device: { ...device, ...(controllerKey ? { controllerKey } : {}) } }, draft, preferred)
    : { key: old.key, controllerKey: old.controllerKey, unitNumber: old.unitNumber };
  draft.add(make('VirtualCdrom', { ...place, backing, connectable }), old.key);
}

function cdromBacking(change: DeviceChange, draft: DeviceDraft): VirtualDeviceBackingInfo | undefined {
  const { backing } = change.device;
  if (backing === undefined) return undefined;
  if (isA('VirtualCdromIsoBackingInfo', backing)) {
    return make('VirtualCdromIsoBackingInfo', { fileName: filePath(backing.fileName, change, draft, true) });
  }
  if (!deviceBackings.some((type) => isA(type, backing))) {
    throw deviceFault('InvalidDeviceBacking', change.index, 'device.backing');
  }
  return { ...backing };
}

/** Into a running machine only a medium that is there can be put; a machine that is off finds out when it starts. */
function checkMedium(backing: VirtualDeviceBackingInfo, isConnected: boolean, draft: DeviceDraft): void {
  if (!isConnected || !isA('VirtualDeviceFileBackingInfo', backing) || backing.fileName === '') return;
  if (!isProductImage(backing.fileName) && !draft.settings.env.exists(backing.fileName)) {
    throw new MethodFault('CannotAccessFile', { file: backing.fileName });
  }
}
