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
export { applyConfigSpec, type ConfigChange } from './spec/apply-config-spec.ts';
