// What every object of a kind has and its maker leaves out: setCustomValue, effectiveRole, CancelTask. Held once a type, not once
// an object.
import { type ManagedTypeName, type Methods, type Properties, schema } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { ManagedObject } from './managed-object.ts';

/** As handlers and computed properties are, with the object in front. */
export interface Defaults<T extends ManagedTypeName> {
  readonly methods?: {
    readonly [M in keyof Methods<T, Call>]?: (
      object: ManagedObject<T>,
      ...args: Parameters<Extract<Methods<T, Call>[M], (...args: never[]) => unknown>>
    ) => unknown;
  };
  readonly computed?: {
    readonly [P in keyof Properties<T>]?: (object: ManagedObject<T>, call: Call) => Properties<T>[P] | undefined;
  };
}

type DefaultMethod = (object: ManagedObject, args: object, call: Call) => unknown;
type DefaultValue = (object: ManagedObject, call: Call) => unknown;

/** Those of one managed type and its bases. */
export interface TypeDefaults {
  readonly methods: Map<string, DefaultMethod>;
  readonly computed: Map<string, DefaultValue>;
}

export class DefaultsByType {
  readonly #provided: { readonly type: string; readonly defaults: Defaults<ManagedTypeName> }[] = [];
  readonly #types = new Map<string, TypeDefaults>();

  /** For objects of this type and all derived ones, also those that are there already. What came first counts. */
  provide<T extends ManagedTypeName>(type: T, defaults: Defaults<T>): void {
    const entry = { type, defaults: defaults as unknown as Defaults<ManagedTypeName> };
    this.#provided.push(entry);
    for (const [name, known] of this.#types) if (schema.isSubtype(name, type)) addTo(known, entry.defaults);
  }

  of(type: string): TypeDefaults {
    let known = this.#types.get(type);
    if (!known) {
      known = { methods: new Map(), computed: new Map() };
      for (const { type: base, defaults } of this.#provided) if (schema.isSubtype(type, base)) addTo(known, defaults);
      this.#types.set(type, known);
    }
    return known;
  }
}

function addTo({ methods, computed }: TypeDefaults, defaults: Defaults<ManagedTypeName>): void {
  for (const [name, method] of Object.entries(defaults.methods ?? {}))
    if (!methods.has(name)) methods.set(name, method as DefaultMethod);
  for (const [name, value] of Object.entries(defaults.computed ?? {}))
    if (!computed.has(name)) computed.set(name, value as DefaultValue);
}
