// Label and summary of a device, as the vSphere client shows them.
import { type Description, isA, make, type VirtualDevice } from '@vivarium/vim';

/** `ordinal` counts the devices of its kind from 1 in the order of their keys. */
export function deviceInfo(device: VirtualDevice, ordinal: number): Description {
  const [label, summary] = describe(device, ordinal);
  return make('Description', { label, summary });
}

function describe(device: VirtualDevice, ordinal: number): [label: string, summary: string] {
  if (isA('VirtualDisk', device)) return [`Hard disk ${ordinal}`, `${thousands(device.capacityInKB)} KB`];
  if (isA('VirtualCdrom', device)) return [`CD/DVD drive ${ordinal}`, backingSummary(device, 'ISO')];
  if (isA('VirtualFloppy', device)) return [`Floppy drive ${device.key - 8000 + 1}`, backingSummary(device, 'Image')];
  if (isA('VirtualEthernetCard', device)) return [`Network adapter ${device.key - 4000 + 1}`, networkSummary(device)];
  if (isA('VirtualSerialPort', device)) return [`Serial port ${device.key - 9000 + 1}`, backingSummary(device, 'File')];
  if (isA('VirtualController', device)) return controllerInfo(device, device.busNumber);
  if (isA('VirtualKeyboard', device)) return ['Keyboard', 'Keyboard'];
  if (isA('VirtualPointingDevice', device)) return ['Pointing device', 'Pointing device; Device'];
  if (isA('VirtualMachineVideoCard', device)) return ['Video card', 'Video card'];
  if (isA('VirtualMachineVMCIDevice', device)) {
    return [
      'VMCI device',
      'Device on the virtual machine PCI bus that provides support for the virtual machine communication interface',
    ];
  }
  return [`Device ${device.key}`, device._typeName ?? ''];
}

function controllerInfo(device: VirtualDevice, busNumber: number): [label: string, summary: string] {
  const same = (text: string): [string, string] => [text, text];
  if (isA('ParaVirtualSCSIController', device)) return [`SCSI controller ${busNumber}`, 'VMware paravirtual SCSI'];
  if (isA('VirtualLsiLogicSASController', device)) return [`SCSI controller ${busNumber}`, 'LSI Logic SAS'];
  if (isA('VirtualLsiLogicController', device)) return [`SCSI controller ${busNumber}`, 'LSI Logic'];
  if (isA('VirtualBusLogicController', device)) return [`SCSI controller ${busNumber}`, 'BusLogic'];
  if (isA('VirtualSATAController', device)) return [`SATA controller ${busNumber}`, 'AHCI'];
  if (isA('VirtualNVMEController', device)) return same(`NVME controller ${busNumber}`);
  if (isA('VirtualIDEController', device)) return same(`IDE ${busNumber}`);
  if (isA('VirtualPS2Controller', device)) return same(`PS2 controller ${busNumber}`);
  if (isA('VirtualPCIController', device)) return same(`PCI controller ${busNumber}`);
  if (isA('VirtualSIOController', device)) return same(`SIO controller ${busNumber}`);
  if (isA('VirtualUSBXHCIController', device)) return ['USB xHCI controller', 'USB xHCI controller'];
  if (isA('VirtualUSBController', device)) return ['USB controller', 'Auto connect Disabled'];
  return same(`Controller ${busNumber}`);
}

function networkSummary(device: VirtualDevice): string {
  const { backing } = device;
  if (isA('VirtualEthernetCardDistributedVirtualPortBackingInfo', backing))
    return `DVSwitch: ${backing.port.switchUuid}`;
  return isA('VirtualDeviceDeviceBackingInfo', backing) ? backing.deviceName : '';
}

function backingSummary(device: VirtualDevice, fileWord: string): string {
  const { backing } = device;
  if (isA('VirtualDeviceFileBackingInfo', backing)) return `${fileWord} ${backing.fileName}`;
  if (isA('VirtualCdromRemoteAtapiBackingInfo', backing)) return 'Remote ATAPI';
  if (isA('VirtualCdromAtapiBackingInfo', backing)) return `ATAPI ${backing.deviceName}`;
  if (isA('VirtualDeviceRemoteDeviceBackingInfo', backing)) return `Remote device ${backing.deviceName}`.trim();
  if (isA('VirtualDeviceDeviceBackingInfo', backing)) return `Device ${backing.deviceName}`.trim();
  if (isA('VirtualDeviceURIBackingInfo', backing)) return `Remote ${backing.serviceURI}`;
  if (isA('VirtualDevicePipeBackingInfo', backing)) return `Pipe ${backing.pipeName}`;
  return '';
}

// Not toLocaleString: that takes 0.08 ms a call and brings ICU's tables into memory.
function thousands(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
