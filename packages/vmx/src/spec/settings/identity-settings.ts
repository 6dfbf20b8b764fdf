// Name, guest, UUIDs, version and notes of a spec.
import { make, type VirtualMachineConfigInfo, type VirtualMachineConfigSpec } from '@vivarium/vim';
import { formatVersion } from '../../config/topics/identity.ts';
import { findGuestOs } from '../../guest/guest-os.ts';
import { parseDdbUuid } from '../../vmdk/disk-uuid.ts';
import { invalidArgument } from '../invalid-argument.ts';
import { canonicalName } from './vm-name.ts';

/** Hardware versions that can be made: those of ESX 3 and Workstation 4, which libvirt still asks for, and 7 to 22. */
export const hardwareVersions = [4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22];
export const DEFAULT_HARDWARE_VERSION = 21;
const MAX_ANNOTATION = 65_536;

export function applyIdentity(
  config: VirtualMachineConfigInfo,
  spec: VirtualMachineConfigSpec,
): VirtualMachineConfigInfo {
  const guest = spec.guestId === undefined ? undefined : findGuestOs(spec.guestId);
  if (spec.guestId !== undefined && !guest) throw invalidArgument('guestId');
  if ((spec.annotation?.length ?? 0) > MAX_ANNOTATION) throw invalidArgument('annotation');
  return {
    ...config,
    ...(spec.name === undefined ? {} : { name: canonicalName(spec.name) }),
    ...(guest ? { guestId: guest.guestId } : {}),
    ...(spec.alternateGuestName === undefined ? {} : { alternateGuestName: spec.alternateGuestName }),
    ...(spec.annotation === undefined ? {} : { annotation: spec.annotation }),
    ...(spec.uuid ? { uuid: checkUuid(spec.uuid, 'uuid') } : {}),
    ...(spec.instanceUuid ? { instanceUuid: checkUuid(spec.instanceUuid, 'instanceUuid') } : {}),
    ...(spec.locationId ? { locationId: checkUuid(spec.locationId, 'locationId') } : {}),
    ...(spec.version ? { version: checkVersion(spec.version, config.version) } : {}),
    ...(spec.managedBy ? managedBy(spec.managedBy) : {}),
  };
}

function checkUuid(text: string, name: string): string {
  const uuid = parseDdbUuid(text)?.toLowerCase();
  if (uuid === undefined) throw invalidArgument(name);
  return uuid;
}

export function checkVersion(version: string, current: string | undefined): string {
  const number = parseVersion(version);
  const least = current === undefined ? 0 : Number(current.replace('vmx-', ''));
  if (number === undefined || number < least) throw invalidArgument('version');
  return formatVersion(number);
}

/** Of those that can be made. */
export function parseVersion(version: string): number | undefined {
  const number = Number(/^vmx-(\d{2})$/.exec(version)?.[1]);
  return hardwareVersions.includes(number) ? number : undefined;
}

/** An empty extension key ends the management. */
function managedBy({ extensionKey, type }: { extensionKey: string; type: string }) {
  if (extensionKey === '') return { managedBy: make('ManagedByInfo', { extensionKey: '', type: '' }) };
  return { managedBy: make('ManagedByInfo', { extensionKey, type }) };
}
