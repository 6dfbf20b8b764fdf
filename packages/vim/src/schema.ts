// The vim25 schema, and pbm's beside it, at run time: looked up by name, expanded from the generated table on first use and kept.
// Must never hold anything but what the table says (no sessions, no objects).

import type { ApiVersion } from './generated/references.ts';
import table from './generated/schema.json' with { type: 'json' };

/** Whose type or method it is: /sdk's, or a service's beside it. */
export type ServiceName = 'vim25' | 'pbm';

export type TypeKind = 'primitive' | 'any' | 'enum' | 'data' | 'managed';

/** A type as a property, parameter or result declares it. Kind 'managed' means a moref. */
export interface TypeRef {
  /** wsdl name: 'int', 'any', 'VirtualDevice', 'VirtualMachine', 'ManagedObjectReference' … */
  readonly type: string;
  readonly kind: TypeKind;
  readonly array: boolean;
  readonly optional: boolean;
}

export interface FieldInfo extends TypeRef {
  readonly name: string;
  /** Index into `versions` oldest first: the first version that has it. */
  readonly rank: number;
  /** Holds a password or the like: never log it. */
  readonly secret: boolean;
  readonly privilege?: string;
}

interface StructureInfo {
  readonly name: string;
  readonly base: string | undefined;
  readonly rank: number;
  /** Inherited first, then own, each in schema order: the order on the wire. */
  readonly fields: readonly FieldInfo[];
  readonly fieldsByName: ReadonlyMap<string, FieldInfo>;
  /** Those of `fields` that must be set. */
  readonly required: readonly FieldInfo[];
}

export interface DataTypeInfo extends StructureInfo {
  readonly kind: 'data';
  readonly isFault: boolean;
}

export interface ManagedTypeInfo extends StructureInfo {
  readonly kind: 'managed';
}

export interface EnumInfo {
  readonly kind: 'enum';
  readonly name: string;
  readonly rank: number;
  /** Value -> rank of the first version that has it. */
  readonly values: ReadonlyMap<string, number>;
}

export interface MethodInfo {
  readonly name: string;
  /** The managed type that declares it. */
  readonly owner: string;
  readonly rank: number;
  readonly version: ApiVersion;
  readonly params: readonly FieldInfo[];
  readonly result: TypeRef;
  /** For a method that returns a Task: what TaskInfo.result will hold. */
  readonly taskResult?: TypeRef;
  readonly privilege?: string;
  readonly faults: readonly string[];
}

export type TypeInfo = DataTypeInfo | ManagedTypeInfo | EnumInfo;

const PRIMITIVES: ReadonlySet<string> = new Set([
  'string',
  'boolean',
  'byte',
  'short',
  'int',
  'long',
  'float',
  'double',
  'dateTime',
  'base64Binary',
  'anyURI',
  'typeName',
  'methodName',
  'propertyPath',
  'void',
]);

const versionsOldestFirst = table.versions as ApiVersion[];
const ranks = new Map<string, number>(versionsOldestFirst.map((id, index) => [id, index]));

type Line = { readonly tag: string; readonly line: string; readonly service: ServiceName };

function indexLines(): { types: Map<string, Line>; methods: Map<string, Line> } {
  const types = new Map<string, Line>();
  const methods = new Map<string, Line>();
  const add = (service: ServiceName, lines: readonly string[]) => {
    for (const line of lines) {
      const name = line.slice(2, line.indexOf(' ', 2));
      const tag = line.charAt(0);
      (tag === 'o' ? methods : types).set(name, { tag, line, service });
    }
  };
  add('vim25', table.table);
  add('pbm', table.pbm);
  return { types, methods };
}

const index = indexLines();
const expandedTypes = new Map<string, TypeInfo>();
const lineages = new Map<string, ReadonlySet<string>>();
const expandedMethods = new Map<string, MethodInfo>();

function kindOf(type: string): TypeKind {
  if (PRIMITIVES.has(type)) return 'primitive';
  if (type === 'any') return 'any';
  if (type === 'ManagedObjectReference') return 'managed';
  const tag = index.types.get(type)?.tag;
  return tag === 'e' ? 'enum' : tag === 'm' ? 'managed' : 'data';
}

function parseTypeRef(text: string): TypeRef {
  const type = /^\w+/.exec(text)?.[0] ?? '';
  return { type, kind: kindOf(type), array: text.includes('*'), optional: text.includes('?') };
}

function parseField(text: string): FieldInfo {
  const [name = '', ref = '', rank = '0', privilege] = text.split(':');
  const field = { ...parseTypeRef(ref), name, rank: Number(rank), secret: ref.endsWith('!') };
  return privilege === undefined ? field : { ...field, privilege };
}

function expandStructure(tag: string, line: string): TypeInfo {
  const [, name = '', baseText = '-', rank = '0', ...own] = line.split(' ');
  const base = baseText === '-' ? undefined : baseText;
  const inherited = base === undefined ? undefined : structure(base);
  const fields = [...(inherited?.fields ?? []), ...own.map(parseField)];
  const shared = {
    name,
    base,
    rank: Number(rank),
    fields,
    fieldsByName: new Map(fields.map((field) => [field.name, field])),
    required: fields.filter((field) => !field.optional),
  };
  return tag === 'm' ? { ...shared, kind: 'managed' } : { ...shared, kind: 'data', isFault: tag === 'f' };
}

function expandEnum(line: string): EnumInfo {
  const [, name = '', rank = '0', ...values] = line.split(' ');
  const entries = values.map((text): [string, number] => {
    const [value = '', since = '0'] = text.split(':');
    return [value, Number(since)];
  });
  return { kind: 'enum', name, rank: Number(rank), values: new Map(entries) };
}

function findType(name: string): TypeInfo | undefined {
  const known = expandedTypes.get(name);
  if (known !== undefined) return known;
  const entry = index.types.get(name);
  if (entry === undefined) return undefined;
  const info = entry.tag === 'e' ? expandEnum(entry.line) : expandStructure(entry.tag, entry.line);
  expandedTypes.set(name, info);
  return info;
}

function structure(name: string): DataTypeInfo | ManagedTypeInfo | undefined {
  const info = findType(name);
  return info?.kind === 'enum' ? undefined : info;
}

/** pyVmomi reads every managed property through this method, which no schema lists (vim25.md 1.4, rule 10). */
function fetchMethod(owner: string): MethodInfo {
  const prop: FieldInfo = {
    name: 'prop',
    type: 'propertyPath',
    kind: 'primitive',
    array: false,
    optional: false,
    rank: 0,
    secret: false,
  };
  const result: TypeRef = { type: 'any', kind: 'any', array: false, optional: true };
  return { name: 'Fetch', owner, rank: 0, version: versionAt(0), params: [prop], result, faults: ['InvalidProperty'] };
}

function versionAt(rank: number): ApiVersion {
  const version = versionsOldestFirst[rank];
  if (version === undefined) throw new RangeError(`no version of rank ${rank}`);
  return version;
}

function findDeclaredMethod(name: string): MethodInfo | undefined {
  const known = expandedMethods.get(name);
  if (known !== undefined) return known;
  const line = index.methods.get(name)?.line;
  if (line === undefined) return undefined;
  const [, , owner = '', rank = '0', result = '', taskResult = '-', privilege = '-', faults = '-', ...params] =
    line.split(' ');
  const info: MethodInfo = {
    name,
    owner,
    rank: Number(rank),
    version: versionAt(Number(rank)),
    params: params.map(parseField),
    result: parseTypeRef(result),
    ...(taskResult === '-' ? {} : { taskResult: parseTypeRef(taskResult) }),
    ...(privilege === '-' ? {} : { privilege }),
    faults: faults === '-' ? [] : faults.split(','),
  };
  expandedMethods.set(name, info);
  return info;
}

function isSubtype(sub: string, base: string): boolean {
  return (lineages.get(sub) ?? lineageOf(sub)).has(base);
}

/** The type and those that it is derived from; empty for an unknown name, which is not remembered. */
function lineageOf(name: string): ReadonlySet<string> {
  const lineage = new Set<string>();
  if (!index.types.has(name)) return lineage;
  for (let base: string | undefined = name; base !== undefined; base = structure(base)?.base) lineage.add(base);
  lineages.set(name, lineage);
  return lineage;
}

/** Run-time view of the schema. Lookups answer `undefined` for names that it does not have. */
export const schema = {
  /** Version ids, newest first. */
  versions: [...versionsOldestFirst].reverse() as readonly ApiVersion[],

  /** What a request with a bare `urn:vim25`, or without SOAPAction, means: the lattice's legacy version. */
  legacyVersion: table.legacy as ApiVersion,

  /** Position of a version in the chain, oldest = 0; undefined for an unknown id. A client of rank r knows what has rank <= r. */
  rank(version: string): number | undefined {
    return ranks.get(version);
  },

  /** Any named type: data object, fault, enum or managed type. */
  type(name: string): TypeInfo | undefined {
    return findType(name);
  },

  data(name: string): DataTypeInfo | undefined {
    const info = findType(name);
    return info?.kind === 'data' ? info : undefined;
  },

  managed(name: string): ManagedTypeInfo | undefined {
    const info = findType(name);
    return info?.kind === 'managed' ? info : undefined;
  },

  /** A property of a data object or managed type, own or inherited. */
  field(type: string, property: string): FieldInfo | undefined {
    return structure(type)?.fieldsByName.get(property);
  },

  /** A method that `managedType` has, own or inherited, by its exact wsdl name; `Fetch` is on every managed type. */
  method(managedType: string, wsdlName: string): MethodInfo | undefined {
    if (findType(managedType)?.kind !== 'managed') return undefined;
    if (wsdlName === 'Fetch') return fetchMethod(managedType);
    const method = findDeclaredMethod(wsdlName);
    return method !== undefined && isSubtype(managedType, method.owner) ? method : undefined;
  },

  /** A method by wsdl name alone (names are unique over all managed types). */
  declaredMethod(wsdlName: string): MethodInfo | undefined {
    return findDeclaredMethod(wsdlName);
  },

  /** Own and inherited wsdl method names of a managed type. */
  methodNames(managedType: string): string[] {
    return [...index.methods.keys()].filter((name) => isSubtype(managedType, findDeclaredMethod(name)?.owner ?? ''));
  },

  /** True when `sub` is `base` or derived from it; data objects, faults and managed types alike. False for unknown names. */
  isSubtype,

  enumValues(name: string): readonly string[] | undefined {
    const info = findType(name);
    return info?.kind === 'enum' ? [...info.values.keys()] : undefined;
  },

  kindOf,

  /** Whose a named type is; vim25's when there is no such type. */
  serviceOf(type: string): ServiceName {
    return index.types.get(type)?.service ?? 'vim25';
  },

  /** Every name of a kind: 'data' without faults. */
  names(kind: 'data' | 'fault' | 'enum' | 'managed' | 'method', service: ServiceName = 'vim25'): string[] {
    const tag = { data: 'd', fault: 'f', enum: 'e', managed: 'm', method: 'o' }[kind];
    const all = kind === 'method' ? index.methods : index.types;
    return [...all].filter(([, entry]) => entry.tag === tag && entry.service === service).map(([name]) => name);
  },
} as const;
