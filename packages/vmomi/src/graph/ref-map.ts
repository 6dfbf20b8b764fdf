// A map by reference: by type, then by value. Looking up needs no joined key, and all of a type are together.
import type { ManagedObjectReference } from '@vivarium/vim';

export class RefMap<V> {
  readonly #types = new Map<string, Map<string, V>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(ref: ManagedObjectReference): V | undefined {
    return this.#types.get(ref.type)?.get(ref.value);
  }

  set(ref: ManagedObjectReference, value: V): void {
    let values = this.#types.get(ref.type);
    if (!values) this.#types.set(ref.type, (values = new Map()));
    const before = values.size;
    values.set(ref.value, value);
    this.#size += values.size - before;
  }

  delete(ref: ManagedObjectReference): boolean {
    const values = this.#types.get(ref.type);
    if (!values?.delete(ref.value)) return false;
    if (values.size === 0) this.#types.delete(ref.type);
    this.#size -= 1;
    return true;
  }

  /** Those of one type, in the order they came. */
  ofType(type: string): readonly V[] {
    return [...(this.#types.get(type)?.values() ?? [])];
  }

  values(): V[] {
    return [...this.#types.values()].flatMap((values) => [...values.values()]);
  }
}
