// One instance for equal data: thousands of simulated VMs have the same keyboards, controllers and capabilities.
// Values are never mutated, so sharing shows nowhere but in memory.

export class Interner {
  readonly #known = new Map<string, unknown>();

  /** The value with every part that was seen before replaced by the one that is kept. */
  share<T>(value: T): T {
    return this.#share(value).value as T;
  }

  #share(value: unknown): { value: unknown; key: string } {
    if (typeof value !== 'object' || value === null) return { value, key: JSON.stringify(value) ?? 'undefined' };
    const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
    let copy: Record<string | number, unknown> | undefined;
    let key = Array.isArray(value) ? '[' : '{';
    for (const [name, part] of entries) {
      const shared = this.#share(part);
      key += `${name}:${shared.key},`;
      if (shared.value === part) continue;
      copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string | number, unknown>;
      copy[name] = shared.value;
    }
    const known = this.#known.get(key);
    if (known !== undefined) return { value: known, key };
    const kept = copy ?? value;
    // What only one VM has is not worth remembering: names, UUIDs and addresses make such parts long.
    if (key.length <= MAX_KEY) this.#known.set(key, kept);
    return { value: kept, key };
  }
}

const MAX_KEY = 2_000;
