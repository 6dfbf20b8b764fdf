// The shape of api/vim25/vim25-schema-*.json as dump_schema.py writes it, and its reader.

export interface Field {
  readonly n: string;
  readonly t: string;
  readonly k?: 'xsd' | 'enum' | 'moref' | 'any';
  readonly a?: 1;
  readonly o?: 1;
  readonly secret?: 1;
  readonly link?: string;
  readonly linkable?: 1;
  readonly v: string;
  readonly priv?: string;
}

export type TypeRef = Pick<Field, 't' | 'k' | 'a' | 'o'>;

export interface DataType {
  readonly vmodl: string;
  readonly base: string | null;
  readonly v: string;
  readonly p: readonly Field[];
}

export interface EnumType {
  readonly vmodl: string;
  readonly v: string;
  readonly values: readonly (string | readonly [value: string, version: string])[];
}

export interface Method {
  readonly n: string;
  readonly v: string;
  readonly p: readonly Field[];
  readonly r: TypeRef;
  readonly taskResult?: TypeRef;
  readonly priv?: string;
  readonly f?: readonly string[];
}

export interface ManagedType extends DataType {
  readonly m: Readonly<Record<string, Method>>;
}

interface Version {
  readonly ns: string;
  readonly id: string;
  readonly legacy: 0 | 1;
  readonly parents: readonly string[];
}

export interface SchemaDump {
  readonly format: 'vim25-schema/1';
  readonly versions: Readonly<Record<string, Version>>;
  readonly data: Readonly<Record<string, DataType>>;
  readonly faults: Readonly<Record<string, DataType>>;
  readonly enums: Readonly<Record<string, EnumType>>;
  readonly managed: Readonly<Record<string, ManagedType>>;
}

/** Reads a dump. Throws an Error when the text is not one of the format this generator knows. */
export function parseSchemaDump(text: string): SchemaDump {
  const dump = JSON.parse(text) as SchemaDump;
  if (dump.format !== 'vim25-schema/1') throw new Error(`not a vim25-schema/1 dump: format ${String(dump.format)}`);
  assertNamesAreUnique(dump);
  return dump;
}

/** One name means one thing on the wire (data, fault, enum or managed type), and so it may in TypeScript. */
function assertNamesAreUnique(dump: SchemaDump): void {
  const seen = new Map<string, string>();
  for (const kind of ['data', 'faults', 'enums', 'managed'] as const) {
    for (const name of Object.keys(dump[kind])) {
      if (seen.has(name)) throw new Error(`${name} is in ${String(seen.get(name))} and in ${kind}`);
      seen.set(name, kind);
    }
  }
  const methods = new Set<string>();
  for (const type of Object.values(dump.managed)) {
    for (const name of Object.keys(type.m)) {
      if (methods.has(name)) throw new Error(`two managed types have a method ${name}`);
      methods.add(name);
    }
  }
}

export interface Lattice {
  /** Version ids, oldest first. The position is the rank used in the runtime table. */
  readonly ids: readonly string[];
  /** The id that a request with a bare `urn:vim25` means (AddVersion's isLegacy flag). */
  readonly legacy: string;
  rank(id: string): number;
}

/** The vim25 versions form a chain in every release so far; ranks depend on it, so it is checked here. */
export function readLattice(dump: SchemaDump): Lattice {
  const versions = Object.entries(dump.versions).filter(([name]) => name.startsWith('vim.version.'));
  versions.sort(([, left], [, right]) => left.parents.length - right.parents.length);
  versions.forEach(([name, version], index) => {
    const older = versions.slice(0, index).map(([olderName]) => olderName);
    const missing = older.find((olderName) => !version.parents.includes(olderName));
    if (missing !== undefined) throw new Error(`version lattice is not a chain: ${name} does not include ${missing}`);
  });
  const ids = versions.map(([, version]) => version.id);
  const legacy = versions.find(([, version]) => version.legacy === 1)?.[1].id;
  if (legacy === undefined) throw new Error('no legacy version in the lattice');
  const ranks = new Map(ids.map((id, index) => [id, index]));
  ranks.set('0', 0); // vmodl and PropertyCollector types have no vim id: every client knows them
  return {
    ids,
    legacy,
    rank(id) {
      const rank = ranks.get(id);
      if (rank === undefined) throw new Error(`unknown version id ${id}`);
      return rank;
    },
  };
}

/** Names of `types` with each base before what is derived from it, otherwise in the dump's order. */
export function basesFirst(types: Readonly<Record<string, DataType>>): string[] {
  const order = new Set<string>();
  const visit = (name: string): void => {
    const type = types[name];
    if (type === undefined || order.has(name)) return;
    if (type.base !== null) visit(type.base);
    order.add(name);
  };
  for (const name of Object.keys(types)) visit(name);
  return [...order];
}
