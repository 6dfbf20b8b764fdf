// The resource pools of a simulated host: the tree that it was told of, and who is in which pool. Nothing is enforced: guests run nothing.
import { type ManagedObjectReference, MethodFault, moRef, type ResourceConfigSpec } from '@vivarium/vim';

const ROOT = 'ha-root-pool';

export interface SimPool {
  readonly name: string;
  readonly parent: string;
  readonly config: ResourceConfigSpec;
}

export class SimPools {
  /** By the reference's value; without the root pool. */
  readonly #pools = new Map<string, SimPool>();
  /** VM → pool; a VM that is not here is in the root pool. */
  readonly #poolOfVm = new Map<string, string>();
  #last = 0;

  get all(): readonly SimPool[] {
    return [...this.#pools.values()];
  }

  /** undefined: the root pool. */
  poolOf(vm: string): SimPool | undefined {
    return this.#pools.get(this.#poolOfVm.get(vm) ?? ROOT);
  }

  vmRemoved(vm: string): void {
    this.#poolOfVm.delete(vm);
  }

  /** A method of ResourcePool. Faults: ManagedObjectNotFound, DuplicateName, InvalidArgument, NotSupported. */
  perform(id: string, method: string, args: Record<string, unknown>): unknown {
    const pool = this.#pools.get(id);
    if (!pool && id !== ROOT) throw new MethodFault('ManagedObjectNotFound', { obj: moRef('ResourcePool', id) });
    if (method === 'CreateResourcePool')
      return this.#create(id, String(args['name']), args['spec'] as ResourceConfigSpec);
    if (method === 'MoveIntoResourcePool') return this.#moveInto(id, args['list'] as ManagedObjectReference[]);
    if (!pool) throw new MethodFault('NotSupported');
    if (method === 'UpdateConfig') return this.#update(id, pool, args);
    if (method === 'Destroy_Task') return this.#destroy(id, pool);
    throw new MethodFault('NotSupported');
  }

  #create(parent: string, name: string, config: ResourceConfigSpec): object {
    this.#requireFreeName(parent, name);
    this.#last += 1;
    const id = `pool${this.#last}`;
    this.#pools.set(id, { name, parent, config });
    return { _typeName: 'ManagedObjectReference', ...moRef('ResourcePool', id) };
  }

  #update(id: string, pool: SimPool, { name, config }: { readonly name?: unknown; readonly config?: unknown }): void {
    if (name !== undefined && name !== pool.name) this.#requireFreeName(pool.parent, String(name));
    this.#pools.set(id, {
      ...pool,
      ...(name === undefined ? {} : { name: String(name) }),
      ...(config === undefined ? {} : { config: config as ResourceConfigSpec }),
    });
  }

  #moveInto(id: string, list: readonly ManagedObjectReference[]): void {
    for (const { type, value } of list) {
      const moved = this.#pools.get(value);
      if (type === 'VirtualMachine') this.#poolOfVm.set(value, id);
      else if (moved && !this.#isWithin(id, value)) {
        if (moved.parent !== id) this.#requireFreeName(id, moved.name);
        this.#pools.set(value, { ...moved, parent: id });
      } else throw new MethodFault('InvalidArgument', { invalidProperty: 'list' });
    }
  }

  /** What is in it goes into its parent. */
  #destroy(id: string, { parent }: SimPool): void {
    const children = [...this.#pools].filter(([, pool]) => pool.parent === id);
    for (const [, { name }] of children) this.#requireFreeName(parent, name);
    for (const [child, pool] of children) this.#pools.set(child, { ...pool, parent });
    for (const [vm, pool] of this.#poolOfVm) if (pool === id) this.#poolOfVm.set(vm, parent);
    this.#pools.delete(id);
  }

  #isWithin(id: string, outer: string): boolean {
    for (let at: string | undefined = id; at !== undefined; at = this.#pools.get(at)?.parent) {
      if (at === outer) return true;
    }
    return false;
  }

  #requireFreeName(parent: string, name: string): void {
    const holder = [...this.#pools].find(([, pool]) => pool.parent === parent && pool.name === name);
    if (holder) throw new MethodFault('DuplicateName', { name, object: moRef('ResourcePool', holder[0]) });
  }
}
