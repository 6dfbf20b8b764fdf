// The public face of @vivarium/drs.

export { applyClusterConfigSpec } from './cluster-config/apply-cluster-config-spec.ts';
export type { ClusterContext } from './cluster-config/cluster-context.ts';
export { defaultClusterConfig } from './cluster-config/default-cluster-config.ts';
export { leaveCluster } from './cluster-config/leave-cluster.ts';
export { drsBehaviorOf } from './cluster-config/vm-behavior.ts';
export { findIncompatibilities, isCompatible } from './compatibility/compatibility.ts';
export { type FeatureRequirement, parseFeatureRequirement } from './compatibility/feature-requirement.ts';
export {
  chooseDatastore,
  type DatastoreSnapshot,
  requiredBytes,
  type StorageNeed,
} from './placement/choose-datastore.ts';
export type { ClusterSnapshot } from './placement/cluster-snapshot.ts';
export { type ConfiguredSize, expectedDemand } from './placement/expected-demand.ts';
export type { HostRank } from './placement/host-rank.ts';
export {
  findPowerOnFaults,
  type Placement,
  type PlacementPlan,
  placeVms,
  type RankedHost,
  rankHosts,
} from './placement/place-vms.ts';
export {
  hostRecommendations,
  powerOnRecommendation,
  type RecommendationIdentity,
} from './placement/recommendation.ts';
export { type LocalAllocation, type VmLoad } from './pool-division/division-state.ts';
export {
  type DividedHost,
  type DividedPool,
  type DividedVm,
  type DivisionChanges,
  type DivisionTolerance,
  type HostChange,
  type LocalPool,
  PoolDivision,
} from './pool-division/pool-division.ts';
export { CompiledRules } from './rules/compiled-rules.ts';
export { type HostOfVm, withRuleStatus } from './rules/rule-status.ts';
export type { HostLimits, HostSnapshot } from './snapshot/host-snapshot.ts';
export type { DatastoreNeed, DiskNeed, NicNeed, VmNeeds } from './snapshot/vm-needs.ts';
