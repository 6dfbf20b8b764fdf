// The pools' part in the life of a VM, as its driver and the registry see it.
import type { Op } from '@vivarium/store';
import type { VmShare } from './plan-shares.ts';
import type { VmDemand } from './share-tree.ts';

export interface VmResources {
  /** Puts a VM that is being made into a pool; what the batch that lists it has to hold. Throws ManagedObjectNotFound. */
  place(vm: string, pool: string): readonly Op[];
  /** A VM goes: what the batch that removes it has to hold. */
  leave(vm: string): readonly Op[];
  /** It is gone, or was not made after all. */
  forget(vm: string): void;
  /**
   * Takes what the VM needs out of its pool, until it is released. `heard` is told what it is given, whenever that changes.
   * Throws InsufficientCpuResourcesFault or InsufficientMemoryResourcesFault.
   */
  admit(vm: string, demand: VmDemand, heard: (share: VmShare) => void): Admission;
  /** As admit, for one that runs already: it is not asked whether it may. */
  adopt(vm: string, demand: VmDemand, heard: (share: VmShare) => void): Admission;
}

export interface Admission {
  /** Resolves when the VM's control group is there, with what the VM is given (unknown before every VM is adopted). */
  ready(): Promise<VmShare | undefined>;
  /** Throws as admit when there is not enough for more. */
  change(demand: VmDemand): void;
  /** As change, without asking. */
  correct(demand: VmDemand): void;
  /** It runs no more. */
  release(): void;
}
