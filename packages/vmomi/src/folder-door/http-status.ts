// Faults as HTTP says them. Pure.
import type { MethodFault } from '@vivarium/vim';
import { isFault } from '@vivarium/vim';

const statuses = [
  ['NotAuthenticated', 401],
  ['NoPermission', 403],
  ['ManagedObjectNotFound', 404],
  ['InvalidDatastorePath', 404],
  ['InvalidDatastore', 404],
  ['FileNotFound', 404],
  ['NotADirectory', 404],
  ['FileAlreadyExists', 409],
  ['NotAFile', 409],
  ['InvalidPowerState', 409],
  ['DirectoryNotEmpty', 409],
  ['FileLocked', 423],
  ['NoDiskSpace', 507],
  ['FileTooLarge', 413],
  ['FileNameTooLong', 414],
  ['NotSupported', 501],
  ['InvalidArgument', 400],
  ['InvalidDiskFormat', 422],
  ['CannotAccessFile', 403],
  ['HostNotConnected', 503],
] as const;

/** 500 for a fault that has no status of its own. */
export function httpStatus(fault: MethodFault): number {
  return statuses.find(([type]) => isFault(fault, type))?.[1] ?? 500;
}
