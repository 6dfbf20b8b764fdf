export { configFromVmx } from './config/config-from-vmx.ts';
export { formatDatastorePath, normalizeDatastorePath, parseDatastorePath } from './config/datastore-path.ts';
export { vmxFromConfig } from './config/vmx-from-config.ts';
export { deviceId } from './device/device-id.ts';
export { vmxPrefix } from './device/vmx-prefix.ts';
export type {
  CleanupEffect,
  DiskAdapter,
  DiskProvisioning,
  Effect,
  Effects,
  LiveEffect,
  PrepareEffect,
} from './effects.ts';
export type {
  DatastoreFacts,
  DiskFacts,
  MachineEnvironment,
  MachineTypes,
  NetworkFacts,
  ResolvedDisk,
  SpecEnvironment,
  Surroundings,
  VmxEnvironment,
} from './environment.ts';
export { findGuestOs, type GuestOs, guestOperatingSystems } from './guest/guest-os.ts';
export { connectForPowerOn, disconnectForPowerOff } from './machine/connections.ts';
export { MEMORY_MODULES_KEY, machineFromConfig, nvramPath } from './machine/machine-from-config.ts';
export { capabilities, configOptionDescriptors, virtualMachineConfigOption } from './option/config-option.ts';
export type { OptionLimits } from './option/guest-descriptor.ts';
export { applyConfigSpec, type ConfigChange } from './spec/apply-config-spec.ts';
export { canonicalName } from './spec/settings/vm-name.ts';
export { upgradeSpec } from './spec/upgrade-spec.ts';
export { formatVmx } from './text/format-vmx.ts';
export {
  DEFAULT_VMX_LIMITS,
  parseVmx,
  type VmxLimits,
  VmxSyntaxError,
  type VmxSyntaxReason,
} from './text/parse-vmx.ts';
export { isVmxKey, type VmxEntry, VmxFile } from './text/vmx-file.ts';
export {
  checkUpload,
  MAX_DISK_BYTES,
  type PlannedExtent,
  type RefusalReason,
  type UploadedFile,
  type UploadKind,
  type UploadPlan,
  type UploadRefusal,
} from './vmdk/check-upload.ts';
export { type DataFile, dataFileOf, diskFactsOf } from './vmdk/data-file.ts';
export { capacityOf, type VmdkDescriptor, type VmdkExtent, VmdkSyntaxError } from './vmdk/descriptor.ts';
export { newDiskUuid } from './vmdk/disk-uuid.ts';
export { isPlainFileName } from './vmdk/file-name.ts';
export {
  formatVmdkDescriptor,
  type NewDisk,
  newVmdkDescriptor,
  resizedVmdkDescriptor,
} from './vmdk/format-descriptor.ts';
export { inspectVmdkFooter, inspectVmdkHeader, type SparseHeader, type VmdkHead } from './vmdk/header.ts';
export { parseVmdkDescriptor } from './vmdk/parse-descriptor.ts';
