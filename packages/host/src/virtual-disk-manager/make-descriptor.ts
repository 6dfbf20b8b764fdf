// Descriptors of new disks: from what is asked for, or after an existing one. Pure but for the given randomness.
import { type Random, token } from '@vivarium/base';
import {
  type DiskAdapter,
  type DiskFacts,
  type DiskProvisioning,
  dataFileOf,
  newDiskUuid,
  newVmdkDescriptor,
  type VmdkDescriptor,
} from '@vivarium/vmx';
import type { Preallocation } from './disk-images.ts';

/** `ddb.virtualHWVersion` of new disks: hardware version 21, vSphere 8. */
const HARDWARE_VERSION = 21;

export interface DescriptorRequest {
  /** Without folder. */
  readonly fileName: string;
  readonly capacityBytes: number;
  readonly provisioning: DiskProvisioning;
  readonly adapter: DiskAdapter;
  /** New ones when absent. */
  readonly uuid?: string | undefined;
  readonly longContentId?: string | undefined;
  readonly parent?: { readonly contentId: string; readonly fileNameHint: string } | undefined;
}

export function makeDescriptor(random: Random, request: DescriptorRequest): VmdkDescriptor {
  const { uuid, longContentId, parent, ...rest } = request;
  return newVmdkDescriptor({
    ...rest,
    uuid: uuid || newDiskUuid(random),
    longContentId: longContentId ?? newContentId(random),
    hardwareVersion: HARDWARE_VERSION,
    ...(parent ? { parent } : {}),
  });
}

/** The same disk (identity, content) with its data kept another way or under another name. */
export function remadeDescriptor(
  random: Random,
  descriptor: VmdkDescriptor,
  facts: DiskFacts,
  change: { readonly fileName: string; readonly provisioning: DiskProvisioning },
): VmdkDescriptor {
  const parent = descriptor.parentFileNameHint;
  const next = makeDescriptor(random, {
    ...change,
    capacityBytes: facts.capacityBytes,
    adapter: facts.adapter,
    uuid: facts.uuid,
    parent: facts.parent && parent ? { contentId: descriptor.parentCid, fileNameHint: parent } : undefined,
  });
  const ddb = new Map(next.ddb);
  for (const key of ['longContentID', 'uuid', 'virtualHWVersion', 'deletable', 'comment']) {
    const value = descriptor.ddb.get(key);
    if (value !== undefined) ddb.set(key, value);
  }
  return { ...next, cid: descriptor.cid, ddb, other: descriptor.other };
}

/** The same disk under another name, its data file with it; `parentHint` names the parent as seen from the new place. */
export function renamedDescriptor(descriptor: VmdkDescriptor, fileName: string, parentHint?: string): VmdkDescriptor {
  const stem = fileName.replace(/\.vmdk$/i, '');
  const data = dataFileOf(descriptor);
  const isQcow2 = data.format === 'qcow2';
  const extents = descriptor.extents.map((extent) => ({
    ...extent,
    fileName: `${stem}-${extent.type === 'VMFSSPARSE' ? 'delta' : 'flat'}.vmdk`,
  }));
  const entries = Array.from(
    descriptor.ddb,
    ([key, value]) => [key, isQcow2 && value === data.fileName ? `${stem}.qcow2` : value] as const,
  );
  const parent = parentHint === undefined ? {} : { parentFileNameHint: parentHint };
  return { ...descriptor, ...parent, extents, ddb: new Map(entries) };
}

/** How blocks are reserved for a kind of provisioning. */
export function preallocationOf(provisioning: DiskProvisioning): Preallocation {
  if (provisioning === 'thin') return 'off';
  return provisioning === 'eagerZeroedThick' ? 'full' : 'falloc';
}

// The last 8 digits become the CID, of which the two highest values have meanings of their own.
function newContentId(random: Random): string {
  const id = token(random, 16);
  return /fffffff[ef]$/.test(id) ? newContentId(random) : id;
}
