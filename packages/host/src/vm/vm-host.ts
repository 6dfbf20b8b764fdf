// What every VM of a host needs of that host, as narrow interfaces: filled in by hostd, or by a fake in tests.
import type { Clock, Logger, Random } from '@vivarium/base';
import type { Event, ManagedObjectReference, MoRef } from '@vivarium/vim';
import type { MachineTypes, PrepareEffect, Surroundings } from '@vivarium/vmx';
import type { NetworkProvider } from '../network/provider.ts';
import type { VmResources } from '../resource-pool/vm-resources.ts';
import type { VmmFactory } from './vmm.ts';

export interface OpenDisk {
  /** The data file, absolute. */
  readonly file: string;
  readonly format: 'qcow2' | 'raw';
  /** Data files below it, nearest first. */
  readonly backing: readonly { readonly file: string; readonly format: 'qcow2' | 'raw' }[];
}

/** The virtual disks of the host's datastores, by the datastore path of their descriptor. */
export interface VmDisks {
  /** Makes a foreign image (an uploaded VMDK) ours first. Throws typed faults: FileNotFound, InvalidDiskFormat … */
  open(path: string): Promise<OpenDisk>;
  create(effect: PrepareEffect<'createDisk'>): Promise<void>;
  /** Of a disk that no machine has open. */
  grow(path: string, capacityBytes: number): Promise<void>;
  /** A running machine has enlarged the disk: its descriptor follows. */
  recordCapacity(path: string, capacityBytes: number): Promise<void>;
  /** Descriptor and data; no error when it is gone already. */
  remove(path: string): Promise<void>;
  /** Every file of a disk, absolute: for layoutEx and for ownership. */
  files(path: string): Promise<readonly string[]>;
}

export interface VmPaths {
  /** `[datastore1] a/b` → absolute; never leaves the datastore. Throws InvalidDatastorePath. */
  resolve(path: string): string;
  /** Absolute → `[datastore1] a/b`. */
  format(absolute: string): string;
  /** The datastore that an absolute path lies in. */
  datastoreOf(absolute: string): MoRef<'Datastore'>;
  /** Root folder of the datastore that an absolute path lies in. */
  rootOf(absolute: string): string;
  /** Heard when a datastore has room again after it was full. Returns the way to stop hearing. */
  onSpace(listener: () => void): () => void;
  /** A machine found the datastore of this absolute path full: whoever waits for room hears of it within seconds. */
  ranFull(absolute: string): void;
}

/** An event without what the log fills in itself. */
export type NewEvent = Omit<Event, 'key' | 'chainId' | 'createdTime' | 'userName'> & {
  readonly _typeName: string;
  readonly userName?: string;
};

export interface VmHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly ref: ManagedObjectReference<'HostSystem'>;
  readonly name: string;
  readonly cpuMhz: number;
  readonly accelerator: 'kvm' | 'tcg';
  /** QEMU's CPU model for new starts: `host` under KVM, else `max`. */
  readonly cpuModel: string;
  readonly machineTypes: MachineTypes;
  readonly limits: { readonly numCPUs: number; readonly memoryMB: number; readonly hostThreads: number };
  readonly defaultDatastore: string;
  readonly vmms: VmmFactory;
  readonly network: NetworkProvider;
  readonly resources: VmResources;
  readonly disks: VmDisks;
  readonly paths: VmPaths;
  /** What the translators must know of the world; look-ups read small files on the spot. */
  surroundings(): Surroundings & { exists(path: string): boolean };
  post(event: NewEvent): void;
  /** Work that is not done in maintenance mode. Fault: InvalidState. */
  readonly maintenance: { admit<T>(work: () => Promise<T>): Promise<T> };
  readonly journal: ChangeJournal;
}

/** Durable notes of changes under way: what a hostd that was killed has to remove when it starts again. */
export interface ChangeJournal {
  /** `files`: virtual disks (datastore paths) that are the VM's exactly as long as its `vmx` names them. */
  begin(vm: string, change: { readonly files: readonly string[]; readonly vmx: string }): Promise<void>;
  end(vm: string): Promise<void>;
}
