// The public face of @vivarium/drs.

export { applyClusterConfigSpec } from './cluster-config/apply-cluster-config-spec.ts';
export type { ClusterContext } from './cluster-config/cluster-context.ts';
export { defaultClusterConfig } from './cluster-config/default-cluster-config.ts';
export { leaveCluster } from './cluster-config/leave-cluster.ts';
export { drsBehaviorOf } from './cluster-config/vm-behavior.ts';
export { type HostOfVm, withRuleStatus } from './rules/rule-status.ts';
