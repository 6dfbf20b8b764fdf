// The add, edit and remove of the schema's ArrayUpdateSpec on a list with keys. Pure.

import { type ArrayUpdateSpec, MethodFault, unbox } from '@vivarium/vim';

export interface ArrayUpdate<Info> extends ArrayUpdateSpec {
  info?: Info;
}

/** How the items of one list are told apart and taken in. `path`: the property of the spec, for faults. */
export interface ArrayRules<Info> {
  readonly path: string;
  /** The key as text. */
  readonly keyOf: (info: Info) => string;
  /** The key as text out of a `removeKey`; undefined when it is of the wrong type. */
  readonly parseKey: (removeKey: unknown) => string | undefined;
  /** What is kept of a new item; throws when it is not valid. */
  readonly add: (info: Info) => Info;
  /** What becomes of an item by an edit; throws when that is not valid. */
  readonly edit: (old: Info, info: Info) => Info;
  /** Why an item of that key cannot be added again; InvalidArgument when left out. */
  readonly duplicate?: (info: Info) => MethodFault;
}

/** The list after all operations, in order; an edited item keeps its place. InvalidArgument for a key that is there already, or not. */
export function applyArrayUpdates<Info>(
  list: readonly Info[],
  updates: readonly ArrayUpdate<Info>[],
  rules: ArrayRules<Info>,
): Info[] {
  const items = [...list];
  const indexOf = (key: string) => items.findIndex((item) => rules.keyOf(item) === key);
  for (const update of updates) {
    if (update.operation === 'remove') {
      const key = rules.parseKey(unbox(update.removeKey));
      const index = key === undefined ? -1 : indexOf(key);
      if (index < 0) throw invalidArgument(`${rules.path}.removeKey`);
      items.splice(index, 1);
      continue;
    }
    const { info } = update;
    if (info === undefined) throw invalidArgument(`${rules.path}.info`);
    const index = indexOf(rules.keyOf(info));
    const old = items[index];
    if (update.operation === 'add') {
      if (old !== undefined) throw rules.duplicate?.(info) ?? invalidArgument(`${rules.path}.info`);
      items.push(rules.add(info));
    } else {
      if (old === undefined) throw invalidArgument(`${rules.path}.info`);
      items[index] = rules.edit(old, info);
    }
  }
  return items;
}

export function invalidArgument(invalidProperty: string): MethodFault {
  return new MethodFault('InvalidArgument', { invalidProperty }) as MethodFault;
}
