// What the translators must be told of the world. The look-ups are synchronous and answer from what the caller has read
// already or reads on the spot; for the same answers the translators give the same result.
import type { Random } from '@vivarium/base';
import type { MoRef, VirtualMachinePowerState } from '@vivarium/vim';
import type { DiskAdapter, DiskProvisioning } from './effects.ts';

export interface DatastoreFacts {
  /** As in `[name] folder/file`. */
  readonly name: string;
  readonly ref: MoRef<'Datastore'>;
  /** As in DatastoreSummary.url. */
  readonly url: string;
  /** Further names of the volume below /vmfs/volumes in VMX files, e.g. its UUID. */
  readonly volumeNames: readonly string[];
}

export interface NetworkFacts {
  readonly name: string;
  readonly ref: MoRef<'Network' | 'DistributedVirtualPortgroup'>;
  /** Set when this is a port group of a distributed switch. */
  readonly distributed?: { readonly switchUuid: string; readonly portgroupKey: string };
}

export interface DiskFacts {
  readonly capacityBytes: number;
  readonly provisioning: DiskProvisioning;
  readonly adapter: DiskAdapter;
  /** `6000C29e-…`, 36 characters. */
  readonly uuid: string;
  /** CID of the descriptor, 8 hex digits, lower case. */
  readonly contentId: string;
  /** Datastore path of the parent's descriptor (delta disks). */
  readonly parent?: string;
}

export interface Surroundings {
  readonly datastores: readonly DatastoreFacts[];
  readonly networks: readonly NetworkFacts[];
  /** Facts of the virtual disk whose descriptor is at this datastore path; `undefined` when there is none (or it is unreadable). */
  findDisk(path: string): DiskFacts | undefined;
}

/** For configFromVmx. */
export interface VmxEnvironment extends Surroundings {
  /** Datastore path of the VMX itself. */
  readonly vmPathName: string;
  /** Modification time of the VMX as dateTime. */
  readonly modified: string;
}

/** For applyConfigSpec. */
export interface SpecEnvironment extends Surroundings {
  /** Time of the change as dateTime. */
  readonly now: string;
  readonly random: Random;
  readonly powerState: VirtualMachinePowerState;
  /** Where a new VM goes when its spec names no datastore. */
  readonly defaultDatastore: string;
  /** Largest values that this host accepts, and how many threads it has (CPU affinity). */
  readonly limits: { readonly numCPUs: number; readonly memoryMB: number; readonly hostThreads: number };
  /** Versioned machine types that a new VM is pinned to. */
  readonly machineTypes: MachineTypes;
  /** Whether a file or folder is at this datastore path. */
  exists(path: string): boolean;
  /**
   * PCI slots of the running machine into which something can be plugged (`spareSlots` of the machine that was started,
   * less those taken since). Absent = the machine is off and any slot may be had.
   */
  readonly spareSlots?: readonly number[];
}

export interface MachineTypes {
  /** e.g. `pc-q35-11.0` */
  readonly q35: string;
  /** e.g. `pc-i440fx-11.0` */
  readonly pc: string;
}

/** For machineFromConfig. */
export interface MachineEnvironment {
  readonly machineTypes: MachineTypes;
  /** Ceilings of hot-add, when a VM allows it at all. */
  readonly limits: { readonly numCPUs: number; readonly memoryMB: number };
  /** QEMU's CPU model: `host` under KVM, `max` or a named one under TCG. */
  readonly cpuModel: string;
  /** The data file of the descriptor at a datastore path, and its backing chain, as the machine's jail sees them. */
  resolveDisk(path: string): ResolvedDisk;
  /**
   * A plain file (ISO, floppy image, serial output, nvram) as the machine's jail sees it. `[] /absolute/path` comes from VMX
   * files and names no datastore: only images of the product's own may be answered, everything else is to be refused.
   */
  resolveFile(path: string): string;
  /** Unix socket inside the jail for a serial port whose other end the host connects. */
  serialSocket(deviceId: string): string;
}

export interface ResolvedDisk {
  readonly file: string;
  readonly format: 'qcow2' | 'raw';
  readonly backing: readonly { readonly file: string; readonly format: 'qcow2' | 'raw' }[];
  /** Nothing was ever written to it. Network boot is offered after blank disks only: its ROM delays every start. */
  readonly isBlank?: boolean;
}
