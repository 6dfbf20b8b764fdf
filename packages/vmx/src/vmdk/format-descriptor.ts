// Data -> VMDK descriptor text, and the descriptors that Vivarium makes itself.
import { invariant } from '@vivarium/base';
import type { DiskAdapter, DiskProvisioning } from '../effects.ts';
import {
  DATA_KEY,
  EAGER_KEY,
  FORMAT_KEY,
  NO_PARENT,
  SECTOR_BYTES,
  type VmdkDescriptor,
  type VmdkExtent,
} from './descriptor.ts';
import { formatDdbUuid } from './disk-uuid.ts';
import { geometryOf } from './geometry.ts';

/** Text that parseVmdkDescriptor reads back as the same data. */
export function formatVmdkDescriptor(descriptor: VmdkDescriptor): string {
  const header = [
    `version=${descriptor.version}`,
    'encoding="UTF-8"',
    `CID=${descriptor.cid}`,
    `parentCID=${descriptor.parentCid}`,
    `createType=${quoted(descriptor.createType)}`,
    ...(descriptor.parentFileNameHint === undefined
      ? []
      : [`parentFileNameHint=${quoted(descriptor.parentFileNameHint)}`]),
    ...Array.from(descriptor.other, ([key, value]) => `${key}=${quoted(value)}`),
  ];
  const ddb = Array.from(descriptor.ddb, ([key, value]) => `ddb.${key} = ${quoted(value)}`);
  return [
    '# Disk DescriptorFile',
    ...header,
    '',
    '# Extent description',
    ...descriptor.extents.map(formatExtent),
    '',
    '# The Disk Data Base',
    '#DDB',
    '',
    ...ddb,
    '',
  ].join('\n');
}

function formatExtent(extent: VmdkExtent): string {
  const file = extent.fileName === undefined ? '' : ` ${quoted(extent.fileName)}`;
  const offset = extent.offset === undefined ? '' : ` ${extent.offset}`;
  return `${extent.access} ${extent.sectors} ${extent.type}${file}${offset}`;
}

function quoted(text: string): string {
  invariant(!/["\r\n\0]/.test(text), `not writable in a descriptor: ${JSON.stringify(text)}`);
  return `"${text}"`;
}

export interface NewDisk {
  /** Name of the descriptor without folder, e.g. `web.vmdk`. */
  readonly fileName: string;
  /** A multiple of 512. */
  readonly capacityBytes: number;
  readonly provisioning: DiskProvisioning;
  readonly adapter: DiskAdapter;
  /** 36 characters, `6000C29e-…`. */
  readonly uuid: string;
  /** 32 hex digits; the last 8 become the CID. */
  readonly longContentId: string;
  readonly hardwareVersion: number;
  /** Delta disk: the parent's CID and its file name as seen from this descriptor. */
  readonly parent?: { readonly contentId: string; readonly fileNameHint: string };
}

/** The descriptor of a disk of Vivarium's own. */
export function newVmdkDescriptor(disk: NewDisk): VmdkDescriptor {
  invariant(disk.capacityBytes % SECTOR_BYTES === 0, 'a disk is a whole number of sectors');
  const stem = disk.fileName.replace(/\.vmdk$/i, '');
  const sectors = disk.capacityBytes / SECTOR_BYTES;
  const geometry = geometryOf(disk.capacityBytes, disk.adapter);
  const isQcow2 = disk.provisioning === 'thin' || disk.parent !== undefined;
  const ddb = new Map([
    ['adapterType', disk.adapter === 'pvscsi' ? 'lsilogic' : disk.adapter],
    ['geometry.cylinders', `${geometry.cylinders}`],
    ['geometry.heads', `${geometry.heads}`],
    ['geometry.sectors', `${geometry.sectors}`],
    ['longContentID', disk.longContentId],
    ...(disk.provisioning === 'thin' ? [['thinProvisioned', '1'] as const] : []),
    ...(disk.provisioning === 'eagerZeroedThick' ? [[EAGER_KEY, '1'] as const] : []),
    ['uuid', formatDdbUuid(disk.uuid)],
    ['virtualHWVersion', `${disk.hardwareVersion}`],
    ...(isQcow2 ? [[FORMAT_KEY, 'qcow2'] as const, [DATA_KEY, `${stem}.qcow2`] as const] : []),
  ]);
  return {
    version: 1,
    cid: disk.longContentId.slice(-8),
    parentCid: disk.parent?.contentId ?? NO_PARENT,
    createType: disk.parent ? 'vmfsSparse' : 'vmfs',
    ...(disk.parent ? { parentFileNameHint: disk.parent.fileNameHint } : {}),
    extents: [
      disk.parent
        ? { access: 'RW', sectors, type: 'VMFSSPARSE', fileName: `${stem}-delta.vmdk` }
        : { access: 'RW', sectors, type: 'VMFS', fileName: `${stem}-flat.vmdk` },
    ],
    ddb,
    other: new Map(),
  };
}

/** The same disk, larger. */
export function resizedVmdkDescriptor(descriptor: VmdkDescriptor, capacityBytes: number): VmdkDescriptor {
  const [extent, ...more] = descriptor.extents;
  invariant(extent && more.length === 0, 'only a disk with one extent can be resized');
  const adapter = descriptor.ddb.get('adapterType') === 'ide' ? 'ide' : 'lsilogic';
  const geometry = geometryOf(capacityBytes, adapter);
  const ddb = new Map(descriptor.ddb);
  for (const [key, value] of Object.entries(geometry)) ddb.set(`geometry.${key}`, `${value}`);
  return { ...descriptor, extents: [{ ...extent, sectors: capacityBytes / SECTOR_BYTES }], ddb };
}
