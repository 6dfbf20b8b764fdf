// On which datastore the files of a new VM go when nobody names one: the one with the most free space among those that can take it. Pure.

import { MethodFault, type MoRef } from '@vivarium/vim';
import { compareMorefs } from '../compatibility/moref-order.ts';

export interface DatastoreSnapshot {
  readonly datastore: MoRef<'Datastore'>;
  readonly name: string;
  /** Reachable and in maintenance mode `normal`. */
  readonly isAccessible: boolean;
  readonly freeBytes: number;
  /** Hosts that can read and write it, by the value of their moref. */
  readonly hosts: ReadonlySet<string>;
}

export interface StorageNeed {
  readonly disks: readonly {
    readonly capacityBytes: number;
    readonly provisioning: 'thin' | 'thick' | 'eagerZeroedThick';
  }[];
  /** A VM has a swap file of the memory that it does not reserve. */
  readonly memoryMB: number;
  readonly memoryReservationMB: number;
}

/** What the files take from the first moment. A thin disk takes what the guest writes: nothing yet. */
export function requiredBytes({ disks, memoryMB, memoryReservationMB }: StorageNeed): number {
  const thick = disks.filter(({ provisioning }) => provisioning !== 'thin');
  return (
    thick.reduce((sum, { capacityBytes }) => sum + capacityBytes, 0) +
    Math.max(0, memoryMB - memoryReservationMB) * 2 ** 20
  );
}

/**
 * `hosts`: any of which may run the VM; where it is left out, any datastore that a host reaches will do. Throws NoCompatibleDatastore when
 * there is none, InsufficientStorageSpace when there is none with room.
 */
export function chooseDatastore(
  datastores: readonly DatastoreSnapshot[],
  need: StorageNeed,
  hosts?: readonly MoRef<'HostSystem'>[],
): MoRef<'Datastore'> {
  const isReached = (reaching: ReadonlySet<string>) =>
    hosts ? hosts.some(({ value }) => reaching.has(value)) : reaching.size > 0;
  const reachable = datastores.filter((candidate) => candidate.isAccessible && isReached(candidate.hosts));
  if (reachable.length === 0) throw new MethodFault('NoCompatibleDatastore');
  const required = requiredBytes(need);
  const [best] = reachable
    .filter(({ freeBytes }) => freeBytes >= required)
    .sort((a, b) => b.freeBytes - a.freeBytes || compareMorefs(a.datastore, b.datastore));
  if (!best) throw new MethodFault('InsufficientStorageSpace');
  return best.datastore;
}
