// One host's resource pools as the division of its cluster wants them: makes, changes, fills and removes them through the host's
// own ResourcePool methods, one call after another. Which pools were made is kept in the store, so that a vCenter that comes
// back removes what is no longer wanted.
import type { LocalAllocation, LocalPool } from '@vivarium/drs';
import { MAX_SHARES } from '@vivarium/drs/resource-pool';
import type { Store } from '@vivarium/store';
import { isFault, type ManagedObjectReference, make, moRef } from '@vivarium/vim';
import type { HostLink } from '../host-link/host-link.ts';

const ROOT = moRef('ResourcePool', 'ha-root-pool');
const PUSHED = 'pool-division/';

/** What a host has to look like now. */
export interface WantedPools {
  /** Parents first. */
  readonly pools: readonly LocalPool[];
  /** Running VMs by their keys on the host, and their pool; the root pool's key stands for the host's root. */
  readonly vms: ReadonlyMap<string, string>;
}

interface Pushed {
  /** Its reference's value on the host. */
  readonly ref: string;
  readonly parent: string;
}

export class HostPools {
  readonly #store: Store;
  readonly #prefix: string;
  #rootPool: string;
  readonly #pushed: Map<string, Pushed>;
  /** The settings that the host has taken in this session. */
  readonly #told = new Map<string, LocalPool>();
  /** Where the host has put running VMs in this session. */
  readonly #placed = new Map<string, string>();

  constructor(store: Store, host: string, rootPool: string) {
    this.#store = store;
    this.#prefix = `${PUSHED}${host}/`;
    this.#rootPool = rootPool;
    const known = store.range<Pushed>(this.#prefix);
    this.#pushed = new Map(known.map(({ key, value }) => [key.slice(this.#prefix.length), value]));
  }

  /** Nothing of ours is on the host. */
  get isEmpty(): boolean {
    return this.#pushed.size === 0;
  }

  /** A session with the host begins: what it was told in an earlier one may have changed there. */
  begin(): void {
    this.#told.clear();
    this.#placed.clear();
  }

  /**
   * Brings the host to what is wanted. What the host refuses for want of resources is tried again once others have given
   * theirs back; what is left over then is thrown. Throws what the link throws. Never two at once.
   */
  async push(link: HostLink, wanted: WantedPools): Promise<void> {
    let waiting = wanted.pools;
    let refusal: unknown;
    while (waiting.length > 0) {
      const refused: LocalPool[] = [];
      for (const pool of waiting) {
        try {
          if (!(await this.#put(link, pool))) refused.push(pool);
        } catch (error) {
          if (!isFault(error, 'InsufficientResourcesFault')) throw error;
          refused.push(pool);
          refusal = error;
        }
      }
      if (refused.length === waiting.length) break;
      waiting = refused;
    }
    await this.#place(link, wanted.vms);
    const keys = new Set(wanted.pools.map(({ pool }) => pool));
    for (const key of this.#childrenFirst().filter((one) => !keys.has(one))) await this.#remove(link, key);
    if (waiting.length > 0) throw refusal;
  }

  /** The host is in another compute resource, with this root pool. */
  moveTo(rootPool: string): void {
    this.#rootPool = rootPool;
    this.#placed.clear();
  }

  /** The host has left vCenter. */
  async forget(): Promise<void> {
    const ops = [...this.#pushed.keys()].map((key) => ({ delete: this.#prefix + key }));
    this.#pushed.clear();
    this.begin();
    if (ops.length > 0) await this.#store.batch(ops);
  }

  /** false: its parent was refused. */
  async #put(link: HostLink, pool: LocalPool): Promise<boolean> {
    const told = this.#told.get(pool.pool);
    const known = this.#pushed.get(pool.pool);
    if (told && isSame(told, pool)) return true;
    const parent = this.#refOf(pool.parent);
    if (!parent) return false;
    const spec = make('ResourceConfigSpec', {
      cpuAllocation: allocation(pool.cpu),
      memoryAllocation: allocation(pool.memory),
    });
    try {
      if (!known) {
        await this.#create(link, parent, pool, spec);
        return true;
      }
      const ref = moRef('ResourcePool', known.ref);
      if (known.parent !== pool.parent) {
        await link.call(parent, 'MoveIntoResourcePool', { list: [ref] });
        await this.#keep(pool.pool, { ...known, parent: pool.parent });
      }
      await link.call(ref, 'UpdateConfig', { config: spec });
      this.#told.set(pool.pool, pool);
    } catch (error) {
      if (!known || !isFault(error, 'ManagedObjectNotFound')) throw error;
      // Somebody has removed it on the host.
      await this.#lose(pool.pool);
      await this.#create(link, parent, pool, spec);
    }
    return true;
  }

  async #create(link: HostLink, parent: ManagedObjectReference, pool: LocalPool, spec: object): Promise<void> {
    let made: ManagedObjectReference;
    try {
      made = (await link.call(parent, 'CreateResourcePool', { name: pool.pool, spec })) as ManagedObjectReference;
    } catch (error) {
      if (!isFault(error, 'DuplicateName')) throw error;
      // Made in an earlier life that did not get to note it.
      made = (error.fault as unknown as { readonly object: ManagedObjectReference }).object;
      await link.call(made, 'UpdateConfig', { config: spec });
    }
    await this.#keep(pool.pool, { ref: made.value, parent: pool.parent });
    this.#told.set(pool.pool, pool);
  }

  async #place(link: HostLink, vms: ReadonlyMap<string, string>): Promise<void> {
    for (const vm of this.#placed.keys()) if (!vms.has(vm)) this.#placed.delete(vm);
    const moving = [...vms].filter(([vm, pool]) => this.#placed.get(vm) !== pool);
    for (const [pool, list] of Map.groupBy(moving, ([, pool]) => pool)) {
      const target = this.#refOf(pool);
      if (!target) continue;
      // A host without pools of ours has its VMs in its root pool, unless an earlier life of ours put them elsewhere.
      const isAtHome = pool === this.#rootPool && this.#pushed.size === 0;
      const refs = list.map(([vm]) => moRef('VirtualMachine', vm));
      if (!isAtHome) await link.call(target, 'MoveIntoResourcePool', { list: refs });
      for (const [vm] of list) this.#placed.set(vm, pool);
    }
  }

  async #remove(link: HostLink, key: string): Promise<void> {
    const ref = this.#refOf(key);
    try {
      if (ref) await link.run(ref, 'Destroy_Task', {});
    } catch (error) {
      if (!isFault(error, 'ManagedObjectNotFound')) throw error;
    }
    await this.#lose(key);
  }

  async #keep(key: string, pushed: Pushed): Promise<void> {
    this.#pushed.set(key, pushed);
    await this.#store.batch([{ put: this.#prefix + key, value: pushed }]);
  }

  async #lose(key: string): Promise<void> {
    this.#pushed.delete(key);
    this.#told.delete(key);
    for (const [vm, pool] of this.#placed) if (pool === key) this.#placed.delete(vm);
    // The host has moved what was in it to the pool around it.
    for (const [child, pushed] of this.#pushed) {
      if (pushed.parent !== key) continue;
      this.#pushed.set(child, { ...pushed, parent: '' });
      this.#told.delete(child);
    }
    await this.#store.batch([{ delete: this.#prefix + key }]);
  }

  #refOf(pool: string): ManagedObjectReference | undefined {
    if (pool === this.#rootPool) return ROOT;
    const known = this.#pushed.get(pool);
    return known && moRef('ResourcePool', known.ref);
  }

  #childrenFirst(): string[] {
    const depth = (key: string): number => {
      const parent = this.#pushed.get(key)?.parent;
      return parent === undefined ? 0 : 1 + depth(parent);
    };
    return [...this.#pushed.keys()].sort((a, b) => depth(b) - depth(a));
  }
}

/** Expandable: whether a VM may power on is decided by the cluster's tree. */
function allocation({ reservation, limit, shares }: LocalAllocation) {
  return make('ResourceAllocationInfo', {
    reservation: Math.round(reservation),
    expandableReservation: true,
    limit: limit === Infinity ? -1 : Math.round(limit),
    shares: make('SharesInfo', { level: 'custom', shares: Math.min(MAX_SHARES, Math.max(1, Math.round(shares))) }),
  });
}

function isSame(one: LocalPool, other: LocalPool): boolean {
  const same = (a: LocalAllocation, b: LocalAllocation) =>
    a.reservation === b.reservation && a.limit === b.limit && a.shares === b.shares;
  return one.parent === other.parent && same(one.cpu, other.cpu) && same(one.memory, other.memory);
}
