// What vSphere serves beside its documented schema and clients call all the same: api/vim25/internal-methods.json, laid
// over the dump. Pure.
import { type DataType, type Method, parseSchemaDump, type SchemaDump } from './schema-dump.ts';

interface InternalMethods {
  readonly format: 'vim25-internal/1';
  readonly data: Readonly<Record<string, DataType>>;
  /** By managed type. */
  readonly methods: Readonly<Record<string, Readonly<Record<string, Method>>>>;
}

/** The dump with the internal types and methods added. Throws when a name is taken or a managed type is unknown. */
export function withInternalMethods(dump: SchemaDump, text: string): SchemaDump {
  const internal = JSON.parse(text) as InternalMethods;
  if (internal.format !== 'vim25-internal/1')
    throw new Error(`not internal methods: format ${String(internal.format)}`);
  for (const name of Object.keys(internal.data)) {
    if (dump.data[name]) throw new Error(`${name} is in the schema already`);
  }
  const managed = { ...dump.managed };
  for (const [name, methods] of Object.entries(internal.methods)) {
    const type = managed[name];
    if (!type) throw new Error(`no managed type ${name}`);
    const known = Object.keys(methods).find((method) => type.m[method]);
    if (known !== undefined) throw new Error(`${name} has a method ${known} already`);
    managed[name] = { ...type, m: { ...type.m, ...methods } };
  }
  return parseSchemaDump(JSON.stringify({ ...dump, data: { ...dump.data, ...internal.data }, managed }));
}
