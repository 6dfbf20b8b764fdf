// What a VM needs of a host to power on there. The caller makes it of the VM's configuration.

import type { MoRef } from '@vivarium/vim';
import type { FeatureRequirement } from '../compatibility/feature-requirement.ts';
import type { Resources } from '../resource-pool/allocation.ts';

export interface VmNeeds {
  readonly vm: MoRef<'VirtualMachine'>;
  readonly name: string;
  /** The key of its pool in the PoolTree. */
  readonly pool: string;
  readonly numCpu: number;
  readonly memoryMB: number;
  /** `config.version`: `vmx-21`. */
  readonly hardwareVersion: string;
  /** Where its VMX is. */
  readonly home: DatastoreNeed;
  readonly disks: readonly DiskNeed[];
  readonly nics: readonly NicNeed[];
  /** `runtime.featureRequirement`, through `parseFeatureRequirement`. */
  readonly featureRequirements: readonly FeatureRequirement[];
  /** What it reserves when it runs, memory with its overhead. */
  readonly reservation: Resources;
  /** What it is expected to want when it runs; `expectedDemand` gives the usual answer. */
  readonly demand: Resources;
}

export interface DatastoreNeed {
  readonly datastore: MoRef<'Datastore'>;
  readonly name: string;
}

export interface DiskNeed extends DatastoreNeed {
  /** The device's label, `Hard disk 1`. */
  readonly label: string;
  /** `[datastore1] web/web.vmdk`. */
  readonly fileName: string;
}

export interface NicNeed {
  /** The device's label, `Network adapter 1`. */
  readonly label: string;
  /** The name of the network, as people know it. */
  readonly networkName: string;
  readonly network: MoRef<'Network'>;
  /** Whether it is connected at power-on. A network that is missing matters only then. */
  readonly isConnected: boolean;
}
