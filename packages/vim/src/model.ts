// Making and telling apart vim25 values. The value model is one everywhere and equals VI/JSON:
// data objects are plain objects with `_typeName`, unset is absent.

import type { ManagedTypes } from './generated/managed.ts';
import type { DataTypes } from './generated/maps.ts';
import type { ManagedObjectReference, MoRef } from './generated/references.ts';
import { schema } from './schema.ts';

export type ManagedTypeName = keyof ManagedTypes;

/** Own and inherited properties of a managed type, all optional. */
export type Properties<T extends ManagedTypeName> = ManagedTypes[T]['properties'];

/** Own and inherited methods of a managed type: `(args, call) => result`. */
export type Methods<T extends ManagedTypeName, Call> = ManagedTypes<Call>[T]['methods'];

/** The methods that somebody implements. */
export type Handlers<T extends ManagedTypeName, Call> = Partial<Methods<T, Call>>;

/** What `make` takes: the properties of T; optional ones may be given as undefined, which means absent. */
export type Input<T> = {
  [K in keyof T as K extends '_typeName' ? never : K]: Record<never, never> extends Pick<T, K>
    ? T[K] | undefined
    : T[K];
};

/** A data object or fault of exactly this type. Properties given as undefined are left out. */
export function make<T extends keyof DataTypes>(type: T, value: Input<DataTypes[T]>): DataTypes[T] & { _typeName: T } {
  const made: Record<string, unknown> = { _typeName: type };
  for (const name in value) {
    const property = (value as Record<string, unknown>)[name];
    if (property !== undefined) made[name] = property;
  }
  return made as unknown as DataTypes[T] & { _typeName: T };
}

/** Whether a value is a data object of this type or one derived from it, by its `_typeName`; false without one. */
export function isA<T extends keyof DataTypes>(type: T, value: unknown): value is DataTypes[T] & { _typeName: string } {
  if (typeof value !== 'object' || value === null || !('_typeName' in value)) return false;
  return typeof value._typeName === 'string' && schema.isSubtype(value._typeName, type);
}

export function moRef<T extends ManagedTypeName>(type: T, value: string): MoRef<T> {
  return { type, value } as unknown as MoRef<T>;
}

/** Whether a reference names a managed object of this type or one derived from it. */
export function isRef<T extends ManagedTypeName>(type: T, ref: ManagedObjectReference | undefined): ref is MoRef<T> {
  return ref !== undefined && schema.isSubtype(ref.type, type);
}

/** References are equal by type and value. */
export function sameRef(left: ManagedObjectReference | undefined, right: ManagedObjectReference | undefined): boolean {
  return left?.type === right?.type && left?.value === right?.value;
}

/** `Type:value`, a key for maps of references. */
export function moRefKey(ref: ManagedObjectReference): string {
  return `${ref.type}:${ref.value}`;
}
