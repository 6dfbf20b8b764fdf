// A resource pool as the store keeps it, and the rules for its name and place. Pure.
import { type Allocation, allocationOf, normalPoolAllocation } from '@vivarium/drs/resource-pool';
import { MethodFault, type MoRef, make, moRef, type ResourceAllocationInfo } from '@vivarium/vim';
import { refs } from '../inventory/refs.ts';
import { type Resource, ROOT_POOL } from './share-tree.ts';

export interface PoolRecord {
  readonly id: string;
  /** Undefined for the root pool only. */
  readonly parent: string | undefined;
  /** Escaped as the inventory keeps names. */
  readonly name: string;
  /** Complete: what the pool shows. */
  readonly cpu: ResourceAllocationInfo;
  readonly memory: ResourceAllocationInfo;
  readonly changeVersion: string;
  /** dateTime; empty for the root pool. */
  readonly lastModified: string;
}

/** The document of one pool, at `pool/<id>`. */
export interface PoolDocument extends Omit<PoolRecord, 'parent'> {
  /** Bumped when the meaning of a field changes. */
  readonly version: 1;
  readonly parent: string;
}

export type Pools = ReadonlyMap<string, PoolRecord>;

// vSphere 8's maximums.
const MAX_DEPTH = 8;
const MAX_CHILDREN = 1100;
const MAX_POOLS = 1600;

/** All that the host has, and no more. */
export function rootPool(capacity: Readonly<Record<Resource, number>>): PoolRecord {
  const all = (resource: Resource) =>
    make('ResourceAllocationInfo', {
      ...normalPoolAllocation(resource),
      reservation: capacity[resource],
      expandableReservation: false,
      limit: capacity[resource],
    });
  return {
    ...{ id: ROOT_POOL, parent: undefined, name: 'Resources', changeVersion: '', lastModified: '' },
    ...{ cpu: all('cpu'), memory: all('memory') },
  };
}

export function poolRef(id: string): MoRef<'ResourcePool'> {
  return id === ROOT_POOL ? refs.resourcePool : moRef('ResourcePool', id);
}

export function allocationsOf({ cpu, memory }: Pick<PoolRecord, Resource>): Record<Resource, Allocation> {
  return { cpu: allocationOf(cpu, { of: 'poolCpu' }), memory: allocationOf(memory, { of: 'poolMemory' }) };
}

/** The pool and all pools in it, parents first. */
export function descendants(pools: Pools, id: string): PoolRecord[] {
  const inside = new Map<string | undefined, PoolRecord[]>();
  for (const pool of pools.values()) {
    const siblings = inside.get(pool.parent);
    if (siblings) siblings.push(pool);
    else inside.set(pool.parent, [pool]);
  }
  const found = [pools.get(id)].filter((pool) => pool !== undefined);
  for (const pool of found) found.push(...(inside.get(pool.id) ?? []));
  return found;
}

/** Throws DuplicateName when another pool in `parent` has the name. */
export function checkPoolName(pools: Pools, parent: string, name: string, owner?: string): void {
  for (const pool of pools.values()) {
    if (pool.parent === parent && pool.name === name && pool.id !== owner) {
      throw new MethodFault('DuplicateName', { name, object: poolRef(pool.id) });
    }
  }
}

/** Throws InvalidResourcePoolStructureFault when there is no room in `parent` for a new pool, or for `moving` with all in it. */
export function checkRoom(pools: Pools, parent: string, moving?: string): void {
  const refuse = (message: string) => new MethodFault('InvalidResourcePoolStructureFault', {}, message);
  if (moving === undefined && pools.size > MAX_POOLS) throw refuse(`A host has at most ${MAX_POOLS} resource pools.`);
  const inside = moving === undefined ? [] : descendants(pools, moving);
  const height = 1 + Math.max(0, ...inside.map(({ id }) => depthOf(pools, id) - depthOf(pools, moving ?? id)));
  if (depthOf(pools, parent) + height > MAX_DEPTH) throw refuse(`Resource pools are at most ${MAX_DEPTH} levels deep.`);
  const siblings = [...pools.values()].filter((pool) => pool.parent === parent).length;
  if (siblings >= MAX_CHILDREN) throw refuse(`A resource pool has at most ${MAX_CHILDREN} resource pools in it.`);
}

/** 0 for the root pool. */
function depthOf(pools: Pools, id: string): number {
  const parent = pools.get(id)?.parent;
  return parent === undefined ? 0 : 1 + depthOf(pools, parent);
}
