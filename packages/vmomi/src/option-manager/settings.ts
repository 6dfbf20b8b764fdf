// A set of options with their present values, kept in the store. Daemons read their configuration from it.
import type { Op, Store } from '@vivarium/store';
import { MethodFault } from '@vivarium/vim';
import { type OptionDefinition, type OptionValueType, parseOptionValue, unbox } from './option-definition.ts';

export class Settings {
  #definitions: readonly OptionDefinition[];
  readonly #store: Store;
  readonly #prefix: string;
  readonly #isOpen: (key: string) => boolean;
  readonly #byKey: Map<string, OptionDefinition>;
  /** How many options clients have added. */
  #added = 0;
  readonly #values = new Map<string, OptionValueType>();
  readonly #listeners = new Set<(changed: ReadonlyMap<string, OptionValueType>) => void>();

  /**
   * `name` tells sets of one store apart: 'HostAgentSettings'. `isOpen`: keys that clients may add options under; default: none.
   */
  constructor(
    store: Store,
    name: string,
    definitions: readonly OptionDefinition[],
    isOpen: (key: string) => boolean = () => false,
  ) {
    this.#definitions = sorted(definitions);
    this.#isOpen = isOpen;
    this.#store = store;
    this.#prefix = `option/${name}/`;
    this.#byKey = new Map(definitions.map((definition) => [definition.key.toLowerCase(), definition]));
    for (const { key, value } of store.range<OptionValueType>(this.#prefix)) {
      const name = key.slice(this.#prefix.length);
      const definition = this.find(name) ?? (isOpen(name) ? this.#define(addedOption(name, value)) : undefined);
      if (definition) this.#values.set(definition.key, value);
    }
  }

  get definitions(): readonly OptionDefinition[] {
    return this.#definitions;
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
    const added = new Map<string, OptionDefinition>();
    for (const { key, value } of changes) {
      const definition = this.find(key) ?? added.get(key.toLowerCase()) ?? this.#newOption(key, value);
      if (!this.find(key)) added.set(key.toLowerCase(), definition);
      if (definition.isReadOnly)
        throw new MethodFault('InvalidArgument', { invalidProperty: key }, `${key} is read-only.`);
      changed.set(definition.key, parseOptionValue(definition, value));
    }
    const ops = Array.from(changed, ([key, value]): Op => ({ put: this.#prefix + key, value }));
    if (this.#added + added.size > MOST_ADDED) {
      throw new MethodFault('LimitExceeded', { property: 'changedValue', limit: MOST_ADDED });
    }
    await this.#store.batch(ops);
    for (const definition of added.values()) if (!this.find(definition.key)) this.#define(definition);
    for (const [key, value] of changed) this.#values.set(key, value);
    for (const listener of this.#listeners) listener(changed);
  }

  /** Hears of values after they have been changed. */
  onChange(listener: (changed: ReadonlyMap<string, OptionValueType>) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Fault: InvalidName where there is nothing to add. */
  #newOption(key: string, value: unknown): OptionDefinition {
    if (!this.#isOpen(key) || !ADDED_KEY.test(key)) throw new MethodFault('InvalidName', { name: key });
    return addedOption(key, value);
  }

  #define(definition: OptionDefinition): OptionDefinition {
    this.#added += 1;
    this.#byKey.set(definition.key.toLowerCase(), definition);
    this.#definitions = sorted([...this.#definitions, definition]);
    return definition;
  }
}

const MOST_ADDED = 1_000;
const ADDED_KEY = /^[\w-]+(?:\.[\w-]+)+$/;

function sorted(definitions: readonly OptionDefinition[]): readonly OptionDefinition[] {
  return definitions.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** Of the type that its first value has; anything but numbers and booleans is text. */
function addedOption(key: string, sent: unknown): OptionDefinition {
  const common = { key, label: key, summary: '' };
  const value = unbox(sent);
  if (typeof value === 'boolean') return { ...common, kind: 'boolean', defaultValue: value };
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    const most = Number.MAX_SAFE_INTEGER;
    return { ...common, kind: 'long', defaultValue: value, min: -most, max: most };
  }
  return { ...common, kind: 'string', defaultValue: '' };
}
