// The volumes of a host's datastores as HostStorageSystem shows them. Pure.
import {
  type DatastoreInfo,
  type HostFileSystemVolumeInfo,
  type HostMountInfo,
  isA,
  make,
  type VmfsDatastoreInfo,
} from '@vivarium/vim';

export function fileSystemVolumes(
  datastores: readonly { readonly info: DatastoreInfo | undefined; readonly mount: HostMountInfo | undefined }[],
): HostFileSystemVolumeInfo {
  return make('HostFileSystemVolumeInfo', {
    volumeTypeList: ['VMFS'],
    mountInfo: datastores.flatMap(({ info, mount }) => {
      if (!isA('VmfsDatastoreInfo', info) || !mount) return [];
      const { vmfs } = info as VmfsDatastoreInfo;
      return vmfs ? [make('HostFileSystemMountInfo', { mountInfo: mount, volume: vmfs })] : [];
    }),
  });
}
