// Where VMs belong that a host was asked to make and has not shown yet. Kept on disk before the host is asked: a vCenter that
// is killed in between still puts the VM where its creator wanted it.
import type { Op, Store } from '@vivarium/store';
import type { MoRef } from '@vivarium/vim';

const EXPECTED = 'inventory/expected-vm/';

export interface VmPlace {
  readonly folder: MoRef<'Folder' | 'VirtualApp'>;
  readonly resourcePool: MoRef<'ResourcePool'>;
}

export class ExpectedVms {
  readonly #store: Store;
  readonly #places: Map<string, VmPlace>;

  constructor(store: Store) {
    this.#store = store;
    this.#places = new Map(store.range<VmPlace>(EXPECTED).map(({ key, value }) => [key.slice(EXPECTED.length), value]));
  }

  /** `key`: the VM's instance UUID, or the path of its .vmx as its host writes it when it is only registered. */
  async expect(key: string, place: VmPlace): Promise<void> {
    await this.#store.batch([{ put: EXPECTED + key, value: place }]);
    this.#places.set(key, place);
  }

  find(keys: readonly string[]): VmPlace | undefined {
    return keys.map((key) => this.#places.get(key)).find((place) => place !== undefined);
  }

  /** The VM is there: what to delete together with putting its record. */
  fulfilled(keys: readonly string[]): Op[] {
    return keys.filter((key) => this.#places.delete(key)).map((key) => ({ delete: EXPECTED + key }));
  }

  /** The VM will not come. */
  async forget(key: string): Promise<void> {
    if (this.#places.delete(key)) await this.#store.batch([{ delete: EXPECTED + key }]);
  }
}
