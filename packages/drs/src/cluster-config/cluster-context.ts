// What a reconfiguration must know of the world around the configuration.

import type { ManagedObjectReference, MoRef } from '@vivarium/vim';

export interface ClusterContext {
  readonly cluster: MoRef<'ClusterComputeResource'>;
  /** Whether a VM or host is in this cluster. */
  readonly isMember: (ref: ManagedObjectReference) => boolean;
  /** A key that no rule of this cluster ever had; they grow, so that a lower key is an older rule. */
  readonly nextRuleKey: () => number;
  readonly newUuid: () => string;
}
