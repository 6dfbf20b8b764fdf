// deviceChange of a spec, entry by entry. Order matters less to clients than to us: what goes goes first, so that its place
// is free; then controllers come, so that drives find them.
import { isA, MethodFault, type VirtualDevice, type VirtualDeviceConfigSpec } from '@vivarium/vim';
import { busOf } from '../device/drive-bus.ts';
import { isFixedDevice } from '../device/fixed-devices.ts';
import type { DeviceChange, DeviceDraft } from './device-draft.ts';
import { deviceFault } from './device-fault.ts';
import { addCdrom, editCdrom } from './devices/change-cdrom.ts';
import { addController, editController, removeController } from './devices/change-controller.ts';
import { addDisk, editDisk, removeDisk } from './devices/change-disk.ts';
import { addFloppy, editFloppy } from './devices/change-floppy.ts';
import { addNetworkAdapter, editNetworkAdapter } from './devices/change-network-adapter.ts';
import { addSerialPort, editSerialPort } from './devices/change-serial-port.ts';
import { editFixedDevice } from './devices/edit-fixed-device.ts';
import { refuseUnsupportedDevice } from './settings/unsupported-settings.ts';

/** More entries than vSphere has devices. */
const MAX_CHANGES = 1000;

type Kind = 'disk' | 'cdrom' | 'floppy' | 'nic' | 'serial' | 'controller' | 'fixed';

export function applyDeviceChanges(changes: readonly VirtualDeviceConfigSpec[], draft: DeviceDraft): void {
  if (changes.length > MAX_CHANGES) throw new MethodFault('TooManyDevices', { property: 'deviceChange' });
  const parsed = changes.map(parseChange);
  const run = (operation: DeviceChange['operation'], isController: boolean) => {
    for (const change of parsed) {
      if (change.operation !== operation || carriesOthers(change) !== isController) continue;
      draft.begin(change.index);
      apply(change, draft);
    }
  };
  run('remove', false);
  run('remove', true);
  run('add', true);
  run('edit', true);
  run('edit', false);
  run('add', false);
}

function parseChange(spec: VirtualDeviceConfigSpec, index: number): DeviceChange {
  const { operation, device, fileOperation } = spec;
  refuseUnsupportedDevice(spec);
  if (operation === undefined) throw deviceFault('InvalidDeviceSpec', index, 'operation');
  if (device === undefined) throw deviceFault('InvalidDeviceSpec', index, 'device');
  if (fileOperation === 'destroy' && operation !== 'remove') {
    throw new MethodFault('InvalidDeviceOperation', { deviceIndex: index, badFileOp: fileOperation });
  }
  if ((fileOperation === 'create' || fileOperation === 'replace') && operation !== 'add') {
    throw new MethodFault('InvalidDeviceOperation', { deviceIndex: index, badFileOp: fileOperation });
  }
  return { index, device, operation, fileOperation };
}

function kindOf({ device, index }: Pick<DeviceChange, 'device' | 'index'>): Kind {
  if (isA('VirtualDisk', device)) return 'disk';
  if (isA('VirtualCdrom', device)) return 'cdrom';
  if (isA('VirtualFloppy', device)) return 'floppy';
  if (isA('VirtualEthernetCard', device)) return 'nic';
  if (isA('VirtualSerialPort', device)) return 'serial';
  if (isFixedType(device)) return 'fixed';
  const isController = busOf(device) || isA('VirtualUSBController', device) || isA('VirtualUSBXHCIController', device);
  if (isController) return 'controller';
  // Sound, parallel ports, PCI passthrough, TPM, NVDIMM, USB devices …: docs/fidelity.md
  throw deviceFault('DeviceUnsupportedForVmPlatform', index, 'device');
}

function carriesOthers(change: DeviceChange): boolean {
  const kind = kindOf(change);
  return kind === 'controller' || kind === 'fixed';
}

function isFixedType(device: VirtualDevice): boolean {
  const types = [
    'VirtualIDEController',
    'VirtualPS2Controller',
    'VirtualPCIController',
    'VirtualSIOController',
    'VirtualKeyboard',
    'VirtualPointingDevice',
    'VirtualMachineVideoCard',
    'VirtualMachineVMCIDevice',
  ] as const;
  return types.some((type) => isA(type, device));
}

function apply(change: DeviceChange, draft: DeviceDraft): void {
  if (change.operation === 'add') {
    add(change, draft);
    return;
  }
  const old = draft.find(draft.keyOf(change.device.key));
  if (!old) throw deviceFault('DeviceNotFound', change.index, 'device.key');
  if (change.operation === 'edit') edit(change, old, draft);
  else remove(change, old, draft);
}

function add(change: DeviceChange, draft: DeviceDraft): void {
  switch (kindOf(change)) {
    case 'disk':
      addDisk(change, draft);
      return;
    case 'cdrom':
      addCdrom(change, draft);
      return;
    case 'floppy':
      addFloppy(change, draft);
      return;
    case 'nic':
      addNetworkAdapter(change, draft);
      return;
    case 'serial':
      addSerialPort(change, draft);
      return;
    case 'controller':
      addController(change, draft);
      return;
    case 'fixed':
      addFixed(change, draft);
  }
}

/** Clients add the chipset to be sure of it (IDE controllers, a video card): it is there already, as what the spec calls it. */
function addFixed(change: DeviceChange, draft: DeviceDraft): void {
  const { device } = change;
  const sameType = draft.devices.filter((other) => other._typeName === device._typeName);
  const wanted = 'busNumber' in device ? device.busNumber : undefined;
  const old = sameType.find((other) => 'busNumber' in other && other.busNumber === wanted) ?? sameType[0];
  if (!old) throw deviceFault('InvalidDeviceSpec', change.index, 'device');
  draft.alias(device.key, old.key);
  editFixedDevice(change, old, draft);
}

function edit(change: DeviceChange, old: VirtualDevice, draft: DeviceDraft): void {
  const kind = kindOf(change);
  if (kind !== kindOf({ device: old, index: change.index }))
    throw deviceFault('InvalidDeviceSpec', change.index, 'device');
  switch (kind) {
    case 'disk':
      editDisk(change, old, draft);
      return;
    case 'cdrom':
      editCdrom(change, old, draft);
      return;
    case 'floppy':
      editFloppy(change, old, draft);
      return;
    case 'nic':
      editNetworkAdapter(change, old, draft);
      return;
    case 'serial':
      editSerialPort(change, old, draft);
      return;
    case 'controller':
      editController(change, old, draft);
      return;
    case 'fixed':
      editFixedDevice(change, old, draft);
  }
}

function remove(change: DeviceChange, old: VirtualDevice, draft: DeviceDraft): void {
  if (isFixedDevice(old)) {
    throw new MethodFault('InvalidDeviceOperation', { deviceIndex: change.index, badOp: 'remove' });
  }
  if (isA('VirtualDisk', old)) removeDisk(change, old, draft);
  else if (busOf(old)) removeController(change, old, draft);
  else draft.remove(old.key);
}
