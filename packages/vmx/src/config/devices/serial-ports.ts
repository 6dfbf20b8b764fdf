// serial0..3 of a VMX.
import { isA, make, type VirtualDevice, type VirtualDeviceBackingInfo } from '@vivarium/vim';
import { SIO_KEY } from '../../device/fixed-devices.ts';
import type { VmxFile } from '../../text/vmx-file.ts';
import { datastoreRefOf, pathFromVmx, pathToVmx } from '../datastore-path.ts';
import type { DeviceFamily, ReadContext } from '../device-context.ts';
import { readFlag, readText, readWord, write } from '../vmx-values.ts';
import { readConnectable, writeConnectable } from './connectable.ts';

export const FIRST_SERIAL_KEY = 9000;
/** The ISA ports of the emulated machine; vSphere has 32. */
export const MAX_SERIALS = 4;

export const serialPorts: DeviceFamily = {
  keys: /^serial\d+\.(present|filename|filetype|startconnected|allowguestconnectioncontrol|yieldonmsrread|autodetect|pipe\.endpoint|trynorxloss|network\.endpoint|vspc)$/,

  read(vmx, context) {
    const found: VirtualDevice[] = [];
    for (let index = 0; index < MAX_SERIALS; index++) {
      const prefix = `serial${index}`;
      if (!readFlag(vmx, `${prefix}.present`)) continue;
      const key = FIRST_SERIAL_KEY + index;
      found.push(
        make('VirtualSerialPort', {
          key,
          backing: readBacking(vmx, prefix, context),
          connectable: readConnectable(vmx, prefix, key, context),
          controllerKey: SIO_KEY,
          unitNumber: index,
          yieldOnPoll: readFlag(vmx, `${prefix}.yieldOnMsrRead`) ?? false,
        }),
      );
    }
    return found;
  },

  write(vmx, devices, vmPathName) {
    for (const device of devices) {
      if (!isA('VirtualSerialPort', device)) continue;
      const prefix = `serial${device.key - FIRST_SERIAL_KEY}`;
      write(vmx, `${prefix}.present`, true);
      writeBacking(vmx, prefix, device.backing, vmPathName);
      write(vmx, `${prefix}.yieldOnMsrRead`, device.yieldOnPoll, false);
      writeConnectable(vmx, prefix, device);
    }
  },
};

function readBacking(vmx: VmxFile, prefix: string, context: ReadContext): VirtualDeviceBackingInfo {
  const name = readText(vmx, `${prefix}.fileName`) ?? '';
  switch (readWord(vmx, `${prefix}.fileType`, ['file', 'pipe', 'network', 'device', 'thinprint']) ?? 'device') {
    case 'file': {
      const fileName = pathFromVmx(name, context.vmPathName, context.datastores);
      return make('VirtualSerialPortFileBackingInfo', {
        fileName,
        datastore: datastoreRefOf(fileName, context.datastores),
      });
    }
    case 'pipe':
      return make('VirtualSerialPortPipeBackingInfo', {
        pipeName: name,
        endpoint: readWord(vmx, `${prefix}.pipe.endPoint`, ['client', 'server']) ?? 'client',
        noRxLoss: readFlag(vmx, `${prefix}.tryNoRxLoss`) ?? false,
      });
    case 'network':
      return make('VirtualSerialPortURIBackingInfo', {
        serviceURI: name,
        direction: readWord(vmx, `${prefix}.network.endPoint`, ['client', 'server']) ?? 'server',
        proxyURI: readText(vmx, `${prefix}.vspc`),
      });
    case 'thinprint':
      return make('VirtualSerialPortThinPrintBackingInfo', {});
    case 'device':
      return make('VirtualSerialPortDeviceBackingInfo', {
        deviceName: name,
        useAutoDetect: readFlag(vmx, `${prefix}.autodetect`) ?? false,
      });
  }
}

function writeBacking(
  vmx: VmxFile,
  prefix: string,
  backing: VirtualDeviceBackingInfo | undefined,
  vmPathName: string,
): void {
  if (isA('VirtualSerialPortFileBackingInfo', backing)) {
    write(vmx, `${prefix}.fileType`, 'file');
    write(vmx, `${prefix}.fileName`, pathToVmx(backing.fileName, vmPathName));
  } else if (isA('VirtualSerialPortPipeBackingInfo', backing)) {
    write(vmx, `${prefix}.fileType`, 'pipe');
    write(vmx, `${prefix}.fileName`, backing.pipeName);
    write(vmx, `${prefix}.pipe.endPoint`, backing.endpoint);
    write(vmx, `${prefix}.tryNoRxLoss`, backing.noRxLoss, false);
  } else if (isA('VirtualSerialPortURIBackingInfo', backing)) {
    write(vmx, `${prefix}.fileType`, 'network');
    write(vmx, `${prefix}.fileName`, backing.serviceURI);
    write(vmx, `${prefix}.network.endPoint`, backing.direction);
    write(vmx, `${prefix}.vspc`, backing.proxyURI);
  } else if (isA('VirtualSerialPortThinPrintBackingInfo', backing)) {
    write(vmx, `${prefix}.fileType`, 'thinprint');
  } else if (isA('VirtualSerialPortDeviceBackingInfo', backing)) {
    write(vmx, `${prefix}.fileType`, 'device');
    write(vmx, `${prefix}.fileName`, backing.deviceName);
    write(vmx, `${prefix}.autodetect`, backing.useAutoDetect, false);
  }
}
