// Who the VM is: name, guest, UUIDs, version, notes.
import { findGuestOs, guestOfVmxName } from '../../guest/guest-os.ts';
import type { VmxFile } from '../../text/vmx-file.ts';
import { formatDdbUuid, parseDdbUuid } from '../../vmdk/disk-uuid.ts';
import { parseDatastorePath } from '../datastore-path.ts';
import type { Topic } from '../topic.ts';
import { readInteger, readText, write } from '../vmx-values.ts';

type Part =
  | 'changeVersion'
  | 'modified'
  | 'name'
  | 'guestFullName'
  | 'version'
  | 'uuid'
  | 'createDate'
  | 'instanceUuid'
  | 'locationId'
  | 'template'
  | 'guestId'
  | 'alternateGuestName'
  | 'annotation'
  | 'managedBy';

const OLDEST_VERSION = 3;

export const identity: Topic<Part> = {
  keys: [
    '.encoding',
    'config.version',
    'virtualhw.version',
    'displayname',
    'guestos',
    'guestosaltname',
    'uuid.bios',
    'uuid.location',
    'vc.uuid',
    'annotation',
    'vivarium.changeversion',
    'vm.createdate',
    'managedby.extensionkey',
    'managedby.type',
  ],

  read(vmx, _devices, env) {
    const guest = guestOfVmxName(readText(vmx, 'guestOS') ?? 'other');
    const alternateGuestName = readText(vmx, 'guestOSAltName') ?? '';
    const uuid = parseDdbUuid(readText(vmx, 'uuid.bios') ?? '')?.toLowerCase() ?? '';
    const changeVersion = readText(vmx, 'vivarium.changeVersion') ?? env.modified;
    const extensionKey = readText(vmx, 'managedBy.extensionKey');
    return {
      changeVersion,
      modified: changeVersion,
      name: readText(vmx, 'displayName') || fileStem(env.vmPathName),
      guestFullName: alternateGuestName || guest.fullName,
      version: formatVersion(readInteger(vmx, 'virtualHW.version') ?? OLDEST_VERSION),
      uuid,
      createDate: readCreateDate(vmx),
      ...uuidPart('instanceUuid', readText(vmx, 'vc.uuid')),
      ...uuidPart('locationId', readText(vmx, 'uuid.location')),
      template: env.vmPathName.toLowerCase().endsWith('.vmtx'),
      guestId: guest.guestId,
      alternateGuestName,
      annotation: readText(vmx, 'annotation') ?? '',
      ...(!extensionKey
        ? {}
        : {
            managedBy: { _typeName: 'ManagedByInfo', extensionKey, type: readText(vmx, 'managedBy.type') ?? '' },
          }),
    };
  },

  write(vmx, config) {
    write(vmx, 'config.version', '8');
    write(vmx, 'virtualHW.version', Number(config.version.replace('vmx-', '')));
    write(vmx, 'displayName', config.name);
    write(vmx, 'guestOS', findGuestOs(config.guestId)?.vmxName ?? 'other');
    write(vmx, 'guestOSAltName', config.alternateGuestName, '');
    write(vmx, 'uuid.bios', formatUuid(config.uuid));
    write(vmx, 'uuid.location', formatUuid(config.locationId));
    write(vmx, 'vc.uuid', formatUuid(config.instanceUuid));
    write(vmx, 'annotation', config.annotation, '');
    write(vmx, 'vivarium.changeVersion', config.changeVersion);
    write(vmx, 'vm.createDate', microseconds(config.createDate), 0);
    write(vmx, 'managedBy.extensionKey', config.managedBy?.extensionKey, '');
    write(vmx, 'managedBy.type', config.managedBy?.extensionKey ? config.managedBy.type : undefined);
  },
};

/** `vm.createDate` counts microseconds since 1970; 1970 itself means that nobody knows. */
function readCreateDate(vmx: VmxFile): string {
  const micros = readText(vmx, 'vm.createDate')?.trim() ?? '0';
  const millis = /^\d{1,18}$/.test(micros) ? Math.floor(Number(micros) / 1000) : 0;
  return new Date(millis <= MAX_DATE_MS ? millis : 0).toISOString();
}

function microseconds(dateTime: string | undefined): number {
  const millis = Date.parse(dateTime ?? '');
  return Number.isNaN(millis) || millis < 0 ? 0 : millis * 1000;
}

/** The end of the year 9999. */
const MAX_DATE_MS = 253_402_300_799_999;

/** `vmx-09`, `vmx-21`. */
export function formatVersion(number: number): string {
  return `vmx-${`${number}`.padStart(2, '0')}`;
}

function fileStem(vmPathName: string): string {
  const file = parseDatastorePath(vmPathName)?.path.split('/').at(-1) ?? vmPathName;
  return file.replace(/\.vm(x|tx)$/i, '');
}

function uuidPart<K extends 'instanceUuid' | 'locationId'>(name: K, text: string | undefined): { [P in K]?: string } {
  const uuid = parseDdbUuid(text ?? '')?.toLowerCase();
  return uuid === undefined ? {} : ({ [name]: uuid } as { [P in K]?: string }); // a computed key widens to string
}

function formatUuid(uuid: string | undefined): string | undefined {
  return uuid ? formatDdbUuid(uuid) : undefined;
}
