// Where VMs belong that a host was asked to make and has not shown yet. Kept on disk before the host is asked: a vCenter that
// is killed in between still puts the VM where its creator wanted it.
import type { Op, Store } from '@vivarium/store';
import type { MoRef } from '@vivarium/vim';

const EXPECTED = 'inventory/expected-vm/';

export interface VmPlace {
  readonly folder: MoRef<'Folder' | 'VirtualApp'>;
  readonly resourcePool: MoRef<'ResourcePool'>;
}

/** `vmPathName`: of the .vmx, in the host's words, with blanks and slashes as anybody writes them; another host's of the same name is another VM. */
export function registrationKey({ value }: MoRef<'HostSystem'>, vmPathName: string): string {
  const [, datastore = '', path = ''] = /^\s*\[([^\]]*)\](.*)$/s.exec(vmPathName) ?? [];
  const parts = path.trim().split('/');
  return `${value} [${datastore.trim()}] ${parts.filter((part) => part !== '' && part !== '.').join('/')}`;
}

export class ExpectedVms {
  readonly #store: Store;
  readonly #places: Map<string, VmPlace>;

  constructor(store: Store) {
    this.#store = store;
    this.#places = new Map(store.range<VmPlace>(EXPECTED).map(({ key, value }) => [key.slice(EXPECTED.length), value]));
  }

  /** `key`: the VM's instance UUID, or the `registrationKey` of one that is only registered. */
  async expect(key: string, place: VmPlace): Promise<void> {
    await this.#store.batch([{ put: EXPECTED + key, value: place }]);
    this.#places.set(key, place);
  }

  find(key: string): VmPlace | undefined {
    return this.#places.get(key);
  }

  /** VMs are there: what to delete together with putting their records, after which they are `withdrawn`. */
  withdrawing(keys: readonly string[]): Op[] {
    return keys.filter((key) => this.#places.has(key)).map((key) => ({ delete: EXPECTED + key }));
  }

  withdrawn(keys: readonly string[]): void {
    for (const key of keys) this.#places.delete(key);
  }

  /** The VM will not come. */
  async forget(key: string): Promise<void> {
    if (this.#places.delete(key)) await this.#store.batch([{ delete: EXPECTED + key }]);
  }
}
