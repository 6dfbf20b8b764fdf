// What values of the Automation API look like, as data: from it come the reading of arguments, the writing of answers,
// the OpenAPI description and, by inference, the TypeScript types. Pure.

export type ShapeData =
  | { readonly kind: 'string' | 'secret' | 'integer' | 'boolean' | 'datetime' }
  /** `resource`: what it identifies, 'VirtualMachine'. */
  | { readonly kind: 'id'; readonly resource: string }
  | { readonly kind: 'enum'; readonly name: string; readonly values: readonly string[] }
  | { readonly kind: 'list' | 'set'; readonly item: ShapeData }
  /** Keys are ids. */
  | { readonly kind: 'map'; readonly item: ShapeData }
  | { readonly kind: 'optional'; readonly item: ShapeData }
  | StructData;

export interface StructData {
  readonly kind: 'struct';
  /** As vCenter names it: 'com.vmware.cis.tagging.tag_model'. */
  readonly name: string;
  readonly fields: Readonly<Record<string, ShapeData>>;
}

declare const typed: unique symbol;
/** A shape that stands for values of type T. */
export type Shape<T = unknown> = ShapeData & { readonly [typed]?: T };
export type Fields = Readonly<Record<string, Shape>>;

export type TypeOf<S> = S extends { readonly [typed]?: infer T } ? Exclude<T, undefined> : never;

type OptionalKeys<F> = { [K in keyof F]: F[K] extends { readonly kind: 'optional' } ? K : never }[keyof F];
/** An object with these fields; optional ones may be missing. */
export type Struct<F> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: TypeOf<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: TypeOf<F[K]> | undefined;
};

export const text: Shape<string> = { kind: 'string' };
export const secret: Shape<string> = { kind: 'secret' };
/** A whole number; exact up to 2^53. */
export const integer: Shape<number> = { kind: 'integer' };
export const flag: Shape<boolean> = { kind: 'boolean' };
/** ISO 8601, UTC. */
export const time: Shape<string> = { kind: 'datetime' };

export function id(resource: string): Shape<string> {
  return { kind: 'id', resource };
}

export function oneOf<const V extends readonly string[]>(name: string, values: V): Shape<V[number]> {
  return { kind: 'enum', name, values };
}

export function listOf<S extends ShapeData>(item: S): Shape<readonly TypeOf<S>[]> {
  return { kind: 'list', item };
}

/** As a list, but an item counts once. */
export function setOf<S extends ShapeData>(item: S): Shape<readonly TypeOf<S>[]> {
  return { kind: 'set', item };
}

export function mapOf<S extends ShapeData>(item: S): Shape<Readonly<Record<string, TypeOf<S>>>> {
  return { kind: 'map', item };
}

export function optional<S extends ShapeData>(
  item: S,
): { readonly kind: 'optional'; readonly item: S } & {
  readonly [typed]?: TypeOf<S>;
} {
  return { kind: 'optional', item };
}

export function struct<F extends Fields>(name: string, fields: F): StructData & { readonly [typed]?: Struct<F> } {
  return { kind: 'struct', name, fields };
}
