// What decisions know of a host. The caller copies it out of its inventory; nothing here is asked for later.

import type { HostSystemConnectionState, HostSystemPowerState, MoRef } from '@vivarium/vim';
import type { Resources } from '../resource-pool/allocation.ts';

export interface HostSnapshot {
  readonly host: MoRef<'HostSystem'>;
  readonly name: string;
  readonly connectionState: HostSystemConnectionState;
  readonly powerState: HostSystemPowerState;
  /** In maintenance mode or on the way into it. */
  readonly isInMaintenance: boolean;
  /** What it has for VMs. */
  readonly capacity: Resources;
  /** What its running VMs have reserved, with their memory overhead. */
  readonly reserved: Resources;
  /** What its running VMs want now (`overallCpuDemand`; granted or active memory, as the policy says). */
  readonly demand: Resources;
  /** Running VMs. */
  readonly vmCount: number;
  readonly numCpuThreads: number;
  readonly limits: HostLimits;
  /** `vmx-…` keys that it runs. */
  readonly hardwareVersions: ReadonlySet<string>;
  /** `config.featureCapability`, by key: CPU vendor and features, `hv.capable`, the accelerator. */
  readonly features: ReadonlyMap<string, string>;
  /** Datastores that it can read and write, by the value of their moref. */
  readonly datastores: ReadonlySet<string>;
  /** Networks and distributed port groups that it carries, by the value of their moref. */
  readonly networks: ReadonlySet<string>;
}

/** HostCapability: the most that this host supports. */
export interface HostLimits {
  readonly maxVcpusPerVm: number;
  readonly maxMemoryMBPerVm: number;
  readonly maxRunningVms: number;
}
