import { type DrivePlace, driveBuses, driveKey, SCSI_CONTROLLER_UNIT } from '../../device/drive-bus.ts';
import type { VmxFile } from '../../text/vmx-file.ts';
import { readFlag } from '../vmx-values.ts';

export interface DriveEntry {
  /** e.g. `scsi0:1` */
  readonly prefix: string;
  readonly place: DrivePlace;
  readonly key: number;
  readonly controllerKey: number;
}

/** The drives that a VMX has: `scsi0:1.present = "TRUE"` with `scsi0.present = "TRUE"`. IDE controllers are always there. */
export function presentDrives(vmx: VmxFile): DriveEntry[] {
  const found: DriveEntry[] = [];
  for (const { key } of vmx.entries()) {
    const match = /^(scsi|sata|nvme|ide)(\d):(\d{1,2})\.present$/i.exec(key);
    if (!match?.[1] || !match[2] || !match[3] || !readFlag(vmx, key)) continue;
    const name = match[1].toLowerCase();
    const [busNumber, unit] = [Number(match[2]), Number(match[3])];
    const bus = driveBuses.find((candidate) => candidate.name === name);
    if (!bus || busNumber >= bus.buses || !isUnit(vmx, bus.name, busNumber, unit, bus.units)) continue;
    if (bus.name !== 'ide' && !readFlag(vmx, `${name}${busNumber}.present`)) continue;
    const place = { bus, busNumber, unit };
    found.push({
      prefix: `${name}${busNumber}:${unit}`,
      place,
      key: driveKey(place),
      controllerKey: bus.firstController + busNumber,
    });
  }
  return found.filter((entry, index) => found.findIndex((other) => other.key === entry.key) === index);
}

function isUnit(vmx: VmxFile, bus: string, busNumber: number, unit: number, units: number): boolean {
  const isWide = bus === 'scsi' && vmx.get(`scsi${busNumber}.virtualDev`)?.toLowerCase() === 'pvscsi';
  return unit < (isWide ? 64 : units) && !(bus === 'scsi' && unit === SCSI_CONTROLLER_UNIT);
}
