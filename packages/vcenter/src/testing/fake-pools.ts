// The resource pools of a host for tests: keeps the tree that it is told of. Refuses reservations beyond its memory; all else is taken.
import { type ManagedObjectReference, MethodFault, moRef, type ResourceConfigSpec } from '@vivarium/vim';

const ROOT = 'ha-root-pool';
const MEMORY_MB = 8192;

interface FakePool {
  readonly name: string;
  parent: string;
  config: ResourceConfigSpec;
}

export class FakePools {
  /** By id. */
  readonly all = new Map<string, FakePool>();
  /** VM → pool; the others are in the root pool. */
  readonly placed = new Map<string, string>();
  #last = 0;

  named(name: string): FakePool | undefined {
    return [...this.all.values()].find((pool) => pool.name === name);
  }

  /** The name of the pool that a VM is in; undefined for the root pool. */
  poolOf(vm: string): string | undefined {
    return this.all.get(this.placed.get(vm) ?? ROOT)?.name;
  }

  perform(id: string, method: string, args: Record<string, unknown>): unknown {
    const pool = this.all.get(id);
    if (!pool && id !== ROOT) throw new MethodFault('ManagedObjectNotFound', { obj: moRef('ResourcePool', id) });
    if (method === 'CreateResourcePool')
      return this.#create(id, String(args['name']), args['spec'] as ResourceConfigSpec);
    if (method === 'UpdateConfig' && pool) {
      const config = args['config'] as ResourceConfigSpec;
      this.#admit(config, pool);
      pool.config = config;
    } else if (method === 'MoveIntoResourcePool') {
      for (const { type, value } of args['list'] as ManagedObjectReference[]) {
        const moved = this.all.get(value);
        if (type === 'VirtualMachine') this.placed.set(value, id);
        else if (moved) moved.parent = id;
      }
    } else if (method === 'Destroy_Task' && pool) {
      for (const [vm, at] of this.placed) if (at === id) this.placed.set(vm, pool.parent);
      for (const child of this.all.values()) if (child.parent === id) child.parent = pool.parent;
      this.all.delete(id);
    } else throw new MethodFault('NotSupported');
    return undefined;
  }

  #create(parent: string, name: string, config: ResourceConfigSpec): ManagedObjectReference {
    const known = [...this.all].find(([, pool]) => pool.parent === parent && pool.name === name);
    if (known) throw new MethodFault('DuplicateName', { name, object: moRef('ResourcePool', known[0]) });
    this.#admit(config, undefined);
    const id = `pool${++this.#last}`;
    this.all.set(id, { name, parent, config });
    return moRef('ResourcePool', id);
  }

  #admit(config: ResourceConfigSpec, changed: FakePool | undefined): void {
    const others = [...this.all.values()].filter((pool) => pool !== changed);
    const reserved = [config, ...others.map((pool) => pool.config)].reduce(
      (sum, { memoryAllocation }) => sum + (memoryAllocation.reservation ?? 0),
      0,
    );
    if (reserved > MEMORY_MB) {
      throw new MethodFault('InsufficientMemoryResourcesFault', { requested: reserved, unreserved: 0 });
    }
  }
}
