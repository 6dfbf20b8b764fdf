// Where a new drive goes: its controller and unit, chosen when the spec leaves them open, checked when it names them.
import { controllerTraits } from '@vivarium/qemu/machine';
import { isA, MethodFault, type VirtualController, type VirtualDevice } from '@vivarium/vim';
import { busOf, type DrivePlace, driveKey, isUsableUnit, unitsOf } from '../../device/drive-bus.ts';
import { controllerKind } from '../../machine/controller-kind.ts';
import type { DeviceChange, DeviceDraft } from '../device-draft.ts';
import { deviceFault } from '../device-fault.ts';
import { addController } from './change-controller.ts';

export interface PlacedDrive {
  readonly key: number;
  readonly controllerKey: number;
  readonly unitNumber: number;
}

/** `preferred`: controller types in the order in which a drive without a controller is put on them. */
export function placeDrive(
  change: DeviceChange,
  draft: DeviceDraft,
  preferred: readonly VirtualDevice['_typeName'][],
): PlacedDrive {
  const { device, index } = change;
  const named = device.controllerKey === undefined || device.controllerKey === 0 ? undefined : device.controllerKey;
  const controller = named === undefined ? chooseController(change, draft, preferred) : draft.find(draft.keyOf(named));
  if (!controller) {
    throw new MethodFault('InvalidController', {
      deviceIndex: index,
      property: 'virtualDeviceSpec.device.controllerKey',
      controllerKey: named ?? 0,
    });
  }
  const bus = busOf(controller);
  if (!bus || !isA('VirtualController', controller) || (isA('VirtualCdrom', device) && bus.name === 'nvme')) {
    throw deviceFault('InvalidDeviceSpec', index, 'device.controllerKey');
  }
  const unit = chooseUnit(change, controller, draft);
  const place: DrivePlace = { bus, busNumber: controller.busNumber, unit };
  return { key: driveKey(place), controllerKey: controller.key, unitNumber: unit };
}

function chooseUnit({ device, index }: DeviceChange, controller: VirtualController, draft: DeviceDraft): number {
  const wanted = device.unitNumber;
  const taken = takenUnits(controller, draft);
  if (wanted === undefined || wanted < 0) {
    const free = freeUnit(controller, draft);
    if (free === undefined) throw new MethodFault('TooManyDevices', { property: `deviceChange[${index}].device` });
    return free;
  }
  if (taken.has(wanted) || !isPossibleUnit(controller, wanted)) {
    throw deviceFault('InvalidDeviceSpec', index, 'device.unitNumber');
  }
  return wanted;
}

function takenUnits(controller: VirtualDevice, draft: DeviceDraft): ReadonlySet<number | undefined> {
  const onIt = draft.devices.filter((device) => device.controllerKey === controller.key);
  return new Set(onIt.map((device) => device.unitNumber));
}

/** VMware's limits and QEMU's, whichever are tighter. */
function isPossibleUnit(controller: VirtualDevice, unit: number): boolean {
  const bus = busOf(controller);
  const kind = controllerKind(controller);
  return (
    bus !== undefined &&
    kind !== undefined &&
    isUsableUnit(bus, controller, unit) &&
    unit < controllerTraits[kind].units
  );
}

function freeUnit(controller: VirtualDevice, draft: DeviceDraft): number | undefined {
  const bus = busOf(controller);
  if (!bus) return undefined;
  const taken = takenUnits(controller, draft);
  const units = Array.from({ length: unitsOf(bus, controller) }, (_, unit) => unit);
  return units.find((unit) => !taken.has(unit) && isPossibleUnit(controller, unit));
}

/** The first controller with room, by preference; when all are full or there is none, ESXi adds one of the guest's kind. */
function chooseController(
  change: DeviceChange,
  draft: DeviceDraft,
  preferred: readonly VirtualDevice['_typeName'][],
): VirtualDevice | undefined {
  for (const type of preferred) {
    const found = draft.devices.find((device) => isController(type, device) && freeUnit(device, draft) !== undefined);
    if (found) return found;
  }
  const { profile } = draft.settings;
  const wanted = isA('VirtualDisk', change.device) ? profile.diskController : profile.cdromController;
  const type = wanted === 'VirtualIDEController' ? 'VirtualLsiLogicController' : wanted;
  return addController({ ...change, device: { _typeName: type, key: 0 } }, draft);
}

function isController(type: VirtualDevice['_typeName'], device: VirtualDevice): boolean {
  const isNamed = type === 'VirtualSCSIController' ? isA('VirtualSCSIController', device) : device._typeName === type;
  return isNamed || (type === 'VirtualAHCIController' && isA('VirtualSATAController', device));
}
