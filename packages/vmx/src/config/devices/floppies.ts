// floppy0 and floppy1 of a VMX.
import { isA, make, type VirtualDevice, type VirtualDeviceBackingInfo } from '@vivarium/vim';
import { SIO_KEY } from '../../device/fixed-devices.ts';
import type { VmxFile } from '../../text/vmx-file.ts';
import { datastoreRefOf, pathFromVmx, pathToVmx } from '../datastore-path.ts';
import type { DeviceFamily, ReadContext } from '../device-context.ts';
import { readFlag, readText, readWord, write } from '../vmx-values.ts';
import { readConnectable, writeConnectable } from './connectable.ts';

export const FIRST_FLOPPY_KEY = 8000;
export const MAX_FLOPPIES = 2;

export const floppies: DeviceFamily = {
  keys: /^floppy\d+\.(present|filename|filetype|startconnected|allowguestconnectioncontrol|clientdevice|autodetect)$/,

  read(vmx, context) {
    const found: VirtualDevice[] = [];
    for (let unit = 0; unit < MAX_FLOPPIES; unit++) {
      const prefix = `floppy${unit}`;
      if (!readFlag(vmx, `${prefix}.present`)) continue;
      const key = FIRST_FLOPPY_KEY + unit;
      found.push(
        make('VirtualFloppy', {
          key,
          backing: readBacking(vmx, prefix, context),
          connectable: readConnectable(vmx, prefix, key, context),
          controllerKey: SIO_KEY,
          unitNumber: unit,
        }),
      );
    }
    return found;
  },

  write(vmx, devices, vmPathName) {
    // Without this line older VMware products add a floppy drive of their own.
    write(vmx, 'floppy0.present', false);
    for (const device of devices) {
      if (!isA('VirtualFloppy', device)) continue;
      const prefix = `floppy${device.key - FIRST_FLOPPY_KEY}`;
      write(vmx, `${prefix}.present`, true);
      writeBacking(vmx, prefix, device.backing, vmPathName);
      writeConnectable(vmx, prefix, device);
    }
  },
};

function readBacking(vmx: VmxFile, prefix: string, context: ReadContext): VirtualDeviceBackingInfo {
  const name = readText(vmx, `${prefix}.fileName`) ?? '';
  const useAutoDetect = readFlag(vmx, `${prefix}.autodetect`) ?? false;
  if (readFlag(vmx, `${prefix}.clientDevice`)) {
    return make('VirtualFloppyRemoteDeviceBackingInfo', { deviceName: name, useAutoDetect });
  }
  if (readWord(vmx, `${prefix}.fileType`, ['file', 'device']) !== 'file') {
    return make('VirtualFloppyDeviceBackingInfo', { deviceName: name, useAutoDetect });
  }
  const fileName = pathFromVmx(name, context.vmPathName, context.datastores);
  return make('VirtualFloppyImageBackingInfo', { fileName, datastore: datastoreRefOf(fileName, context.datastores) });
}

function writeBacking(
  vmx: VmxFile,
  prefix: string,
  backing: VirtualDeviceBackingInfo | undefined,
  vmPathName: string,
): void {
  if (isA('VirtualFloppyImageBackingInfo', backing)) {
    write(vmx, `${prefix}.fileType`, 'file');
    write(vmx, `${prefix}.fileName`, pathToVmx(backing.fileName, vmPathName));
    return;
  }
  write(vmx, `${prefix}.fileType`, 'device');
  const isRemote = isA('VirtualFloppyRemoteDeviceBackingInfo', backing);
  if (isRemote || isA('VirtualFloppyDeviceBackingInfo', backing)) {
    write(vmx, `${prefix}.fileName`, backing.deviceName);
    write(vmx, `${prefix}.autodetect`, backing.useAutoDetect, false);
  }
  write(vmx, `${prefix}.clientDevice`, isRemote, false);
}
