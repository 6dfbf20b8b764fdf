// Which methods of FileManager and VirtualDiskManager hosts carry out for vCenter, and which of their arguments are places. A table.

/** An argument that is a path, and the one that says in which datacenter. */
export interface PlaceArgument {
  readonly path: string;
  readonly datacenter: string;
}

const name: PlaceArgument = { path: 'name', datacenter: 'datacenter' };
const source: PlaceArgument = { path: 'sourceName', datacenter: 'sourceDatacenter' };
const fileTarget: PlaceArgument = { path: 'destinationName', datacenter: 'destinationDatacenter' };
const diskTarget: PlaceArgument = { path: 'destName', datacenter: 'destDatacenter' };

export const FILE_METHODS: Readonly<Record<string, readonly PlaceArgument[]>> = {
  CopyDatastoreFile_Task: [source, fileTarget],
  DeleteDatastoreFile_Task: [name],
  MakeDirectory: [name],
  MoveDatastoreFile_Task: [source, fileTarget],
};

export const DISK_METHODS: Readonly<Record<string, readonly PlaceArgument[]>> = {
  CopyVirtualDisk_Task: [source, diskTarget],
  CreateVirtualDisk_Task: [name],
  DefragmentVirtualDisk_Task: [name],
  DeleteVirtualDisk_Task: [name],
  EagerZeroVirtualDisk_Task: [name],
  ExtendVirtualDisk_Task: [name],
  InflateVirtualDisk_Task: [name],
  MoveVirtualDisk_Task: [source, diskTarget],
  QueryVirtualDiskGeometry: [name],
  QueryVirtualDiskInfo_Task: [name],
  QueryVirtualDiskUuid: [name],
  SetVirtualDiskUuid: [name],
  ShrinkVirtualDisk_Task: [name],
  ZeroFillVirtualDisk_Task: [name],
};
