// What the API's Datastore object says of a datastore. Pure.
import { type DatastoreCapability, type DatastoreHostMount, type MoRef, make, type Properties } from '@vivarium/vim';
import type { Space } from './space.ts';

/** Of VMFS 6: "Configuration Maximums", vSphere 8. The directory below may do with less; then writing says so. */
const MAX_FILE_BYTES = 64 * 2 ** 40;
const MAX_DISK_BYTES = 62 * 2 ** 40;
const VMFS_BLOCK_BYTES = 2 ** 20;

export interface DatastoreFacts {
  readonly name: string;
  readonly ref: MoRef<'Datastore'>;
  readonly uuid: string;
  readonly url: string;
  readonly space: Space;
  /** What thin disks may still grow by; undefined while it has not been counted. */
  readonly uncommittedBytes?: number | undefined;
  /** ISO-8601: when `space` was read. */
  readonly timestamp: string;
}

/** `summary` and `info`: what changes when space is read or the name changes. */
export function datastoreStatus(
  facts: DatastoreFacts,
): Required<Pick<Properties<'Datastore'>, 'name' | 'summary' | 'info'>> {
  const { name, ref, uuid, url, space } = facts;
  return {
    name,
    summary: make('DatastoreSummary', {
      datastore: ref,
      name,
      url,
      capacity: space.capacityBytes,
      freeSpace: space.freeBytes,
      ...(facts.uncommittedBytes === undefined ? {} : { uncommitted: facts.uncommittedBytes }),
      accessible: true,
      multipleHostAccess: false,
      type: 'VMFS',
      maintenanceMode: 'normal',
    }),
    info: make('VmfsDatastoreInfo', {
      name,
      url,
      freeSpace: space.freeBytes,
      maxFileSize: MAX_FILE_BYTES,
      maxVirtualDiskCapacity: MAX_DISK_BYTES,
      maxMemoryFileSize: MAX_FILE_BYTES,
      timestamp: facts.timestamp,
      supportedVDiskFormats: ['native_512'],
      logicalSectorSize: 512,
      physicalSectorSize: 512,
      maxPhysicalRDMFileSize: MAX_FILE_BYTES,
      maxVirtualRDMFileSize: MAX_DISK_BYTES,
      vmfs: make('HostVmfsVolume', {
        type: 'VMFS',
        name,
        capacity: space.capacityBytes,
        blockSizeMb: 1,
        blockSize: 1024,
        unmapGranularity: 1024,
        unmapPriority: 'low',
        maxBlocks: Math.min(Math.floor(space.capacityBytes / VMFS_BLOCK_BYTES), 2 ** 31 - 1),
        majorVersion: 6,
        version: '6.82',
        uuid,
        extent: [make('HostScsiDiskPartition', { diskName: 'mpx.vmhba0:C0:T0:L0', partition: 1 })],
        vmfsUpgradable: false,
        ssd: false,
        local: true,
      }),
    }),
  };
}

/** How the host has it mounted; the same below `host` of the Datastore and in HostFileSystemVolumeInfo. */
export function datastoreMount(host: MoRef<'HostSystem'>, uuid: string): DatastoreHostMount {
  return make('DatastoreHostMount', {
    key: host,
    mountInfo: make('HostMountInfo', {
      path: `/vmfs/volumes/${uuid}`,
      accessMode: 'readWrite',
      mounted: true,
      accessible: true,
    }),
  });
}

export const datastoreCapability: DatastoreCapability = make('DatastoreCapability', {
  directoryHierarchySupported: true,
  rawDiskMappingsSupported: false,
  perFileThinProvisioningSupported: true,
  storageIORMSupported: false,
  nativeSnapshotSupported: false,
  topLevelDirectoryCreateSupported: true,
  seSparseSupported: false,
  vmfsSparseSupported: true,
  vsanSparseSupported: false,
  upitSupported: false,
  vmdkExpandSupported: true,
  clusteredVmdkSupported: false,
});
