// What a placement looks at. It is read, never changed.

import type { MoRef } from '@vivarium/vim';
import type { PoolTree } from '../resource-pool/pool-tree.ts';
import type { CompiledRules } from '../rules/compiled-rules.ts';
import type { HostSnapshot } from '../snapshot/host-snapshot.ts';

export interface ClusterSnapshot {
  readonly hosts: readonly HostSnapshot[];
  /** The cluster's pools with what runs in them. Lent during the call: unchanged when it returns. */
  readonly pools: PoolTree;
  readonly rules: CompiledRules;
  /** Where a running VM runs, by the value of its moref; asked for VMs that rules name. */
  readonly hostOf: (vm: string) => MoRef<'HostSystem'> | undefined;
}
