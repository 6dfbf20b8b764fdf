// The inventory's datastores and networks by what they are known by in their datacenter; kept by the inventory's changes.
import { type MoRef, moRef } from '@vivarium/vim';
import { plainName } from '../inventory/entity-name.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { Inventory } from '../inventory/inventory.ts';

type Datacenter = Pick<MoRef<'Datacenter'>, 'value'>;

export class SharedIndex {
  /** Id by datacenter and what follows the kind: a datastore's URL or name, a network's name on hosts. */
  readonly #ids = new Map<string, string>();

  constructor(inventory: Inventory) {
    for (const [ref, record] of inventory.ofType('Datastore')) this.#add(ref.value, keysOfDatastore(record));
    for (const [ref, record] of inventory.ofType('Network')) this.#add(ref.value, [keyOfNetwork(record)]);
    inventory.onChange(({ ref, before, after }) => {
      const { type } = ref as { type: string };
      if (type !== 'Datastore' && type !== 'Network') return;
      const keys = (record: unknown) =>
        type === 'Datastore'
          ? keysOfDatastore(record as EntityRecord<'Datastore'>)
          : [keyOfNetwork(record as EntityRecord<'Network'>)];
      if (before) this.#remove(ref.value, keys(before));
      if (after) this.#add(ref.value, keys(after));
    });
  }

  datastoreAt(datacenter: Datacenter, url: string): MoRef<'Datastore'> | undefined {
    return this.#find('Datastore', key('url', datacenter, url));
  }

  datastoreNamed(datacenter: Datacenter, name: string): MoRef<'Datastore'> | undefined {
    return this.#find('Datastore', key('datastore', datacenter, plainName(name)));
  }

  /** `hostName`: as hosts call it. */
  networkNamed(datacenter: Datacenter, hostName: string): MoRef<'Network'> | undefined {
    return this.#find('Network', key('network', datacenter, plainName(hostName)));
  }

  #find<T extends 'Datastore' | 'Network'>(type: T, at: string): MoRef<T> | undefined {
    const id = this.#ids.get(at);
    return id === undefined ? undefined : moRef(type, id);
  }

  #add(id: string, keys: readonly string[]): void {
    for (const at of keys) this.#ids.set(at, id);
  }

  #remove(id: string, keys: readonly string[]): void {
    for (const at of keys) if (this.#ids.get(at) === id) this.#ids.delete(at);
  }
}

function keysOfDatastore({ datacenter, url, name }: EntityRecord<'Datastore'>): string[] {
  return [key('url', datacenter, url), key('datastore', datacenter, plainName(name))];
}

function keyOfNetwork({ datacenter, name, hostName = name }: EntityRecord<'Network'>): string {
  return key('network', datacenter, plainName(hostName));
}

function key(kind: 'url' | 'datastore' | 'network', { value }: Datacenter, text: string): string {
  return `${kind} ${value} ${text}`;
}
