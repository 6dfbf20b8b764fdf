// CD/DVD drives of a VMX, on IDE, SATA or SCSI.
import { isA, make, type VirtualCdrom, type VirtualDevice, type VirtualDeviceBackingInfo } from '@vivarium/vim';
import { placeOf } from '../../device/drive-bus.ts';
import type { VmxFile } from '../../text/vmx-file.ts';
import { datastoreRefOf, pathFromVmx, pathToVmx } from '../datastore-path.ts';
import type { DeviceFamily, ReadContext } from '../device-context.ts';
import { readFlag, readText, readWord, write } from '../vmx-values.ts';
import { readConnectable, writeConnectable } from './connectable.ts';
import { presentDrives } from './present-drives.ts';

/** cdrom-image = an ISO; atapi-cdrom and cdrom-raw = a real drive, emulated or passed through. */
export const cdromTypes = ['cdrom-image', 'atapi-cdrom', 'cdrom-raw'] as const;
type CdromType = (typeof cdromTypes)[number];

/** VMware's word in a file name for "nothing". */
const EMPTY = 'emptyBackingString';

export const cdroms: DeviceFamily = {
  keys: /^(scsi|sata|ide)\d+:\d+\.(startconnected|allowguestconnectioncontrol|clientdevice|autodetect|exclusive)$/,

  read(vmx, context) {
    return presentDrives(vmx).flatMap(({ prefix, place, key, controllerKey }) => {
      const type = readWord(vmx, `${prefix}.deviceType`, cdromTypes);
      if (type === undefined || place.bus.name === 'nvme') return [];
      return make('VirtualCdrom', {
        key,
        backing: readBacking(vmx, prefix, type, context),
        connectable: readConnectable(vmx, prefix, key, context),
        controllerKey,
        unitNumber: place.unit,
      });
    });
  },

  write(vmx, devices, vmPathName) {
    for (const device of devices) {
      if (isA('VirtualCdrom', device)) writeCdrom(vmx, device, devices, vmPathName);
    }
  },
};

function readBacking(vmx: VmxFile, prefix: string, type: CdromType, context: ReadContext): VirtualDeviceBackingInfo {
  const text = readText(vmx, `${prefix}.fileName`) ?? '';
  const name = text.toLowerCase() === EMPTY.toLowerCase() ? '' : text;
  const useAutoDetect = readFlag(vmx, `${prefix}.autodetect`) ?? name.toLowerCase() === 'auto detect';
  const exclusive = readFlag(vmx, `${prefix}.exclusive`) ?? false;
  const isRemote = readFlag(vmx, `${prefix}.clientDevice`) ?? false;
  if (type === 'cdrom-image') {
    const fileName = pathFromVmx(name, context.vmPathName, context.datastores);
    return make('VirtualCdromIsoBackingInfo', { fileName, datastore: datastoreRefOf(fileName, context.datastores) });
  }
  const device = { deviceName: name, useAutoDetect };
  if (type === 'atapi-cdrom') {
    return isRemote ? make('VirtualCdromRemoteAtapiBackingInfo', device) : make('VirtualCdromAtapiBackingInfo', device);
  }
  return isRemote
    ? make('VirtualCdromRemotePassthroughBackingInfo', { ...device, exclusive })
    : make('VirtualCdromPassthroughBackingInfo', { ...device, exclusive });
}

function writeCdrom(vmx: VmxFile, device: VirtualCdrom, devices: readonly VirtualDevice[], vmPathName: string): void {
  const place = placeOf(device, devices);
  if (!place) return;
  const prefix = `${place.bus.name}${place.busNumber}:${place.unit}`;
  write(vmx, `${prefix}.present`, true);
  writeConnectable(vmx, prefix, device);
  const { backing } = device;
  const isAtapi = isA('VirtualCdromAtapiBackingInfo', backing) || isA('VirtualCdromRemoteAtapiBackingInfo', backing);
  const isIso = isA('VirtualCdromIsoBackingInfo', backing);
  write(vmx, `${prefix}.deviceType`, isIso ? 'cdrom-image' : isAtapi ? 'atapi-cdrom' : 'cdrom-raw');
  if (isIso) {
    write(vmx, `${prefix}.fileName`, pathToVmx(backing.fileName, vmPathName) || EMPTY);
    return;
  }
  const isRemote = isA('VirtualDeviceRemoteDeviceBackingInfo', backing);
  if (!isRemote && !isA('VirtualDeviceDeviceBackingInfo', backing)) return;
  write(vmx, `${prefix}.fileName`, backing.deviceName || EMPTY);
  write(vmx, `${prefix}.clientDevice`, isRemote, false);
  write(vmx, `${prefix}.autodetect`, backing.useAutoDetect, backing.deviceName.toLowerCase() === 'auto detect');
  if ('exclusive' in backing) write(vmx, `${prefix}.exclusive`, backing.exclusive === true, false);
}
