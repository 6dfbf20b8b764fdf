// Values that follow from data that many hosts have in common: each is worked out once, and shared. The data must never change.
export class Derived {
  readonly #known = new WeakMap<object, Map<(data: never) => unknown, unknown>>();

  /** `derive(data)`, the same object every time. `derive` has to be the same function, too. */
  of<Data extends object, T>(data: Data, derive: (data: Data) => T): T {
    const values = this.#known.get(data) ?? new Map<(data: never) => unknown, unknown>();
    this.#known.set(data, values);
    if (!values.has(derive)) values.set(derive, derive(data));
    return values.get(derive) as T;
  }
}
