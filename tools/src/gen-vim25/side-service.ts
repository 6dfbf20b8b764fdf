// Schemas of the services beside /sdk (api/pbm), laid over vim25's. Pure.
import type { DataType, Field, ManagedType, Method, SchemaDump } from './schema-dump.ts';
import { parseSchemaDump } from './schema-dump.ts';

/**
 * The side service's types for themselves. Their versions are of another lattice, of which we serve the newest alone: all of
 * them count as known to every client. Throws when a type has not the prefix that tells it from vim25's.
 */
export function parseSideService(text: string, prefix: string): SchemaDump {
  const dump = parseSchemaDump(text);
  const types = { ...dump.data, ...dump.faults, ...dump.enums, ...dump.managed };
  const stranger = Object.keys(types).find((name) => !name.startsWith(prefix));
  if (stranger !== undefined) throw new Error(`${stranger} does not begin with ${prefix}`);
  const enums = Object.entries(dump.enums).map(([name, { vmodl, values }]) => [
    name,
    { vmodl, v: ALWAYS, values: values.map((value) => (typeof value === 'string' ? value : value[0])) },
  ]);
  return {
    ...dump,
    data: mapValues(dump.data, dataType),
    faults: mapValues(dump.faults, dataType),
    enums: Object.fromEntries(enums) as SchemaDump['enums'],
    managed: mapValues(dump.managed, managedType),
  };
}

/** Both together, for the declarations. Throws when they have a name in common. */
export function withSideService(dump: SchemaDump, side: SchemaDump): SchemaDump {
  for (const kind of ['data', 'faults', 'enums', 'managed'] as const) {
    const taken = Object.keys(side[kind]).find((name) => dump[kind][name]);
    if (taken !== undefined) throw new Error(`${taken} is in both schemas`);
  }
  const merged: SchemaDump = {
    ...dump,
    data: { ...dump.data, ...side.data },
    faults: { ...dump.faults, ...side.faults },
    enums: { ...dump.enums, ...side.enums },
    managed: { ...dump.managed, ...side.managed },
  };
  return parseSchemaDump(JSON.stringify(merged));
}

/** The version id of what every client knows. */
const ALWAYS = '0';

function field(one: Field): Field {
  return { ...one, v: ALWAYS };
}

function dataType(type: DataType): DataType {
  return { ...type, v: ALWAYS, p: type.p.map(field) };
}

function managedType(type: ManagedType): ManagedType {
  const m = mapValues(type.m, (method: Method): Method => ({ ...method, v: ALWAYS, p: method.p.map(field) }));
  return { ...type, v: ALWAYS, p: type.p.map(field), m };
}

function mapValues<T>(object: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}
