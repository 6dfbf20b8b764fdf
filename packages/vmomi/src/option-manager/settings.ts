// A set of options with their present values, kept in the store. Daemons read their configuration from it.
import type { Op, Store } from '@vivarium/store';
import { MethodFault } from '@vivarium/vim';
import { type OptionDefinition, type OptionValueType, parseOptionValue } from './option-definition.ts';

export class Settings {
  readonly definitions: readonly OptionDefinition[];
  readonly #store: Store;
  readonly #prefix: string;
  readonly #byKey: ReadonlyMap<string, OptionDefinition>;
  readonly #values = new Map<string, OptionValueType>();
  readonly #listeners = new Set<(changed: ReadonlyMap<string, OptionValueType>) => void>();

  /** `name` tells sets of one store apart: 'HostAgentSettings'. */
  constructor(store: Store, name: string, definitions: readonly OptionDefinition[]) {
    this.definitions = definitions.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    this.#store = store;
    this.#prefix = `option/${name}/`;
    this.#byKey = new Map(definitions.map((definition) => [definition.key.toLowerCase(), definition]));
    for (const { key, value } of store.range<OptionValueType>(this.#prefix)) {
      const definition = this.find(key.slice(this.#prefix.length));
      if (definition) this.#values.set(definition.key, value);
    }
  }

  find(key: string): OptionDefinition | undefined {
    return this.#byKey.get(key.toLowerCase());
  }

  /** The present value. Throws for a key without definition. */
  get(key: string): OptionValueType {
    const definition = this.find(key);
    if (!definition) throw new Error(`there is no option ${key}`);
    return this.#values.get(definition.key) ?? definition.defaultValue;
  }

  number(key: string): number {
    return Number(this.get(key));
  }

  /** The options whose key is `name` or starts with `name.`; with a trailing dot or empty: all below it. */
  query(name: string): OptionDefinition[] {
    const wanted = name.toLowerCase();
    const prefix = wanted === '' || wanted.endsWith('.') ? wanted : `${wanted}.`;
    return this.definitions.filter(({ key }) => key.toLowerCase() === wanted || key.toLowerCase().startsWith(prefix));
  }

  /** Sets values as clients send them, all or none, durably. Faults: InvalidName, InvalidArgument. */
  async update(changes: readonly { readonly key: string; readonly value?: unknown }[]): Promise<void> {
    const changed = new Map<string, OptionValueType>();
    for (const { key, value } of changes) {
      const definition = this.find(key);
      if (!definition) throw new MethodFault('InvalidName', { name: key });
      if (definition.isReadOnly)
        throw new MethodFault('InvalidArgument', { invalidProperty: key }, `${key} is read-only.`);
      changed.set(definition.key, parseOptionValue(definition, value));
    }
    const ops = Array.from(changed, ([key, value]): Op => ({ put: this.#prefix + key, value }));
    await this.#store.batch(ops);
    for (const [key, value] of changed) this.#values.set(key, value);
    for (const listener of this.#listeners) listener(changed);
  }

  /** Hears of values after they have been changed. */
  onChange(listener: (changed: ReadonlyMap<string, OptionValueType>) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
