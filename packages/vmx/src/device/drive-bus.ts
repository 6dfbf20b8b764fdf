// Where drives sit: the four buses, their controllers, and the device keys that follow from a place. In vSphere a drive's
// key is its place (disk 2000 = SCSI bus 0 unit 0), and so it is here: nothing but the VMX is needed to know a key again.
import { isA, type VirtualController, type VirtualDevice } from '@vivarium/vim';

export type BusName = 'scsi' | 'sata' | 'nvme' | 'ide';

export interface DriveBus {
  readonly name: BusName;
  readonly controllerType:
    | 'VirtualSCSIController'
    | 'VirtualSATAController'
    | 'VirtualNVMEController'
    | 'VirtualIDEController';
  readonly firstController: number;
  readonly buses: number;
  /** Units 0 .. units-1; SCSI keeps 7 for the controller itself. */
  readonly units: number;
}

export const driveBuses: readonly DriveBus[] = [
  { name: 'scsi', controllerType: 'VirtualSCSIController', firstController: 1000, buses: 4, units: 16 },
  { name: 'sata', controllerType: 'VirtualSATAController', firstController: 15_000, buses: 4, units: 30 },
  { name: 'nvme', controllerType: 'VirtualNVMEController', firstController: 31_000, buses: 4, units: 64 },
  { name: 'ide', controllerType: 'VirtualIDEController', firstController: 200, buses: 2, units: 2 },
];

/** Unit numbers that drives cannot take. */
export const SCSI_CONTROLLER_UNIT = 7;
/** A paravirtual SCSI controller has 64 targets (from hardware version 14 on); QEMU's too. */
const PVSCSI_UNITS = 64;
/** First key of the paravirtual units above 15, behind those of the four buses. */
const FIRST_WIDE_SCSI_KEY = 2064;

export interface DrivePlace {
  readonly bus: DriveBus;
  readonly busNumber: number;
  readonly unit: number;
}

export function busOf(controller: VirtualDevice): DriveBus | undefined {
  return driveBuses.find((bus) => isA(bus.controllerType, controller));
}

export function unitsOf(bus: DriveBus, controller: VirtualDevice): number {
  return isA('ParaVirtualSCSIController', controller) ? PVSCSI_UNITS : bus.units;
}

export function isUsableUnit(bus: DriveBus, controller: VirtualDevice, unit: number): boolean {
  const isReserved = bus.name === 'scsi' && unit === SCSI_CONTROLLER_UNIT;
  return Number.isInteger(unit) && unit >= 0 && unit < unitsOf(bus, controller) && !isReserved;
}

/** The key of the drive at a place. */
export function driveKey({ bus, busNumber, unit }: DrivePlace): number {
  switch (bus.name) {
    case 'scsi':
      return unit < 16 ? 2000 + 16 * busNumber + unit : FIRST_WIDE_SCSI_KEY + 48 * busNumber + (unit - 16);
    case 'ide':
      return 3000 + 2 * busNumber + unit;
    case 'sata':
      return 16_000 + 30 * busNumber + unit;
    case 'nvme':
      return 32_000 + 64 * busNumber + unit;
  }
}

/** Where a drive sits, by its controller among `devices`; `undefined` when it has none that carries drives. */
export function placeOf(drive: VirtualDevice, devices: readonly VirtualDevice[]): DrivePlace | undefined {
  const controller = devices.find((device) => device.key === drive.controllerKey);
  const bus = controller && busOf(controller);
  if (!bus || drive.unitNumber === undefined || !isA('VirtualController', controller)) return undefined;
  return { bus, busNumber: (controller as VirtualController).busNumber, unit: drive.unitNumber };
}
