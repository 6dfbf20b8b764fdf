// The machine that a hostd runs on, as hostd needs it: a Linux machine with QEMU, or one that is simulated.
import type { Clock, Logger, Random } from '@vivarium/base';
import type { TimeSource } from '../date-time-system/date-time-info.ts';
import type { MachineFacts } from '../host-system/machine-facts.ts';
import type { MachineNetwork } from '../network/machine/machine-network.ts';
import type { NetworkProvider } from '../network/provider.ts';
import type { GroupKeeper } from '../resource-pool/control-groups.ts';
import type { ServiceFacts } from '../service-system/service-info.ts';
import type { MachineReading } from '../statistics/machine-reading.ts';
import type { DiskImages } from '../virtual-disk-manager/disk-images.ts';
import type { VmmFactory } from '../vm/vmm.ts';
import type { BlockDevice } from './block-devices.ts';
import type { MachineDetails } from './machine-details.ts';

/** What opening a machine takes of the world. */
export interface MachineContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface HostMachine {
  readonly facts: MachineFacts;
  readonly details: MachineDetails;
  readonly verdict: { readonly accelerator: 'kvm' | 'tcg'; readonly detail: string };
  readonly images: DiskImages;
  /** Started already. */
  readonly network: NetworkProvider;
  /** Undefined where nothing limits what VMs take. */
  readonly groups: GroupKeeper | undefined;
  readNetwork(): MachineNetwork;
  readBlockDevices(): readonly BlockDevice[];
  readServices(): readonly ServiceFacts[];
  readTimeSource(): TimeSource;
  readonly readUsage: () => MachineReading;
  /** `datastoreRoot`: of the datastore that a file is on. */
  vmms(datastoreRoot: (file: string) => string): VmmFactory;
  /** Lets go; guests run on. */
  release(): Promise<void>;
  /** When no guest runs any more: nothing of the host stays on the machine. */
  tearDown(): Promise<void>;
}
