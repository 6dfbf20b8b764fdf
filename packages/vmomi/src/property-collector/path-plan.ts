// A property path, resolved once against the schema, then read from many objects. Pure.
import { escapeText, MethodFault, type PathSegment, parsePropertyPath, schema, type TypeRef } from '@vivarium/vim';
import { element } from '../graph/property-value.ts';

/** One step below a top-level property. */
export type Step = { readonly name: string } | { readonly key: string };

export interface PathPlan {
  /** As the client wrote it: 'config.hardware.device[4000].connectable'. */
  readonly path: string;
  /** `<name>…</name>`. */
  readonly nameElement: string;
  /** The top-level property that it lies in: 'config'. */
  readonly property: string;
  readonly steps: readonly Step[];
  /** Declared type of what it leads to. */
  readonly type: TypeRef;
  /** What one must hold on the object to read it. */
  readonly privilege: string;
}

type RankedType = TypeRef & { readonly rank: number; readonly privilege?: string };

/**
 * Resolves a path of a managed type as a client of version rank `rank` knows it; undefined = that client has no such
 * property. A property that only subtypes of a declared data type have (`device[4000].backing.fileName`) is found too.
 */
export function planPath(managedType: string, path: string, rank: number): PathPlan | undefined {
  const [first, ...rest] = parse(path);
  const field = first && schema.managed(managedType)?.fieldsByName.get(first.name);
  if (!first || !field || field.rank > rank) return undefined;
  const steps: Step[] = [];
  let type = keyed(field, first, steps);
  for (const segment of rest) {
    const member = type && memberOf(type, segment.name);
    if (!member || member.rank > rank) return undefined;
    steps.push({ name: segment.name });
    type = keyed(member, segment, steps);
  }
  if (!type) return undefined;
  const nameElement = `<name>${escapeText(path)}</name>`;
  return { path, nameElement, property: first.name, steps, type, privilege: field.privilege ?? 'System.Read' };
}

/** What the path leads to below a value of its top-level property; undefined when unset anywhere on the way. */
export function readSteps(value: unknown, steps: readonly Step[]): unknown {
  let current = value;
  for (const step of steps) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = 'key' in step ? element(current, step.key) : (current as Record<string, unknown>)[step.name];
  }
  return current ?? undefined;
}

/** The type of an array's `key`, by which its elements are named in paths; undefined when they are not. */
export function keyTypeOf(type: TypeRef): TypeRef | undefined {
  if (!type.array || type.kind !== 'data') return undefined;
  const key = schema.data(type.type)?.fieldsByName.get('key');
  return key?.kind === 'primitive' && !key.array ? key : undefined;
}

export function isNumberType(type: TypeRef): boolean {
  return type.kind === 'primitive' && ['byte', 'short', 'int', 'long'].includes(type.type);
}

function parse(path: string): PathSegment[] {
  try {
    return parsePropertyPath(path);
  } catch (error) {
    if (error instanceof MethodFault) return [];
    throw error;
  }
}

/** The type that a segment leads to, with its key taken as a step; undefined when the key does not fit the type. */
function keyed(type: RankedType, segment: PathSegment, steps: Step[]): RankedType | undefined {
  if (segment.key === undefined) return type;
  const keyType = keyTypeOf(type);
  if (!keyType || isNumberType(keyType) !== (typeof segment.key === 'number')) return undefined;
  steps.push({ key: String(segment.key) });
  return { type: type.type, kind: type.kind, array: false, optional: true, rank: type.rank };
}

function memberOf(type: TypeRef, name: string): RankedType | undefined {
  if (type.array || type.kind !== 'data') return undefined;
  const declared = schema.data(type.type)?.fieldsByName.get(name);
  if (declared) return declared;
  const key = `${type.type} ${name}`;
  const known = ofSubtypes.get(key);
  if (known) return known;
  for (const candidate of schema.names('data')) {
    const field = schema.isSubtype(candidate, type.type) ? schema.data(candidate)?.fieldsByName.get(name) : undefined;
    if (!field) continue;
    ofSubtypes.set(key, field); // as many as the schema has; what it has not clients could make up without end
    return field;
  }
  return undefined;
}

const ofSubtypes = new Map<string, RankedType>();
