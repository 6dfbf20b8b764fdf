// Lists of the inventory: one shape for all of them. What matches the filter and may be read is listed, up to vCenter's limit.
import type { ManagedTypeName } from '@vivarium/vim';
import type { Call, ManagedObject } from '@vivarium/vmomi';
import { type Operation, operation } from '../operation.ts';
import { listOf, optional, type Shape, type StructData, struct, type TypeOf } from '../shape.ts';
import { message, VapiError } from '../vapi-error.ts';
import type { InventoryReader } from './inventory-reader.ts';

/** What a filter's field compares: a value of the object. */
type Keys = Readonly<Record<string, (object: ManagedObject, call: Call) => string | undefined>>;

interface ListDefinition<F extends Keys, S extends Shape> {
  readonly service: string;
  /** '/vcenter/vm' */
  readonly path: string;
  readonly plural: string;
  readonly types: readonly ManagedTypeName[];
  readonly filter: { readonly [K in keyof F]: Shape };
  readonly keys: F;
  /** The filter's field that names the objects themselves. */
  readonly idField: keyof F & string;
  readonly summary: S;
  /** vCenter's limit: more is an error. */
  readonly most: number;
  readonly summarize: (object: ManagedObject, call: Call) => TypeOf<S>;
  readonly isListed?: (object: ManagedObject) => boolean;
}

export function listOperation<F extends Keys, S extends Shape>(
  reader: InventoryReader,
  definition: ListDefinition<F, S>,
): Operation {
  const { service, path, plural, types, filter, keys, idField, summary, most, summarize } = definition;
  const isListed = definition.isListed ?? (() => true);
  const fields = Object.fromEntries(Object.entries<Shape>(filter).map(([name, shape]) => [name, optional(shape)]));
  const filterSpec: StructData & Shape = struct(`${service}.filter_spec`, fields);
  return operation({
    service,
    name: 'list',
    summary: `Lists the ${plural} that match the filter and that the user may read, at most ${most}.`,
    params: { filter: optional(filterSpec) },
    result: listOf(summary),
    errors: ['invalid_argument', 'unable_to_allocate_resource', 'service_unavailable', 'unauthorized'],
    doors: { rest: { method: 'GET', path }, api: { method: 'GET', path } },
    run({ filter: sent }, { call }) {
      const wanted = wantedKeys(sent as Readonly<Record<string, unknown>> | undefined);
      const matches = (object: ManagedObject) =>
        isListed(object) && wanted.every(([field, values]) => values.has(keys[field]?.(object, call) ?? ''));
      const named = wanted.find(([field]) => field === idField)?.[1];
      const found: TypeOf<S>[] = [];
      for (const object of candidates(reader, types, named)) {
        if (!matches(object) || !reader.mayRead(call, object)) continue;
        if (found.length === most) throw tooMany(plural, most);
        found.push(summarize(object, call));
      }
      return found;
    },
  });
}

function candidates(
  reader: InventoryReader,
  types: readonly ManagedTypeName[],
  ids: ReadonlySet<string> | undefined,
): readonly ManagedObject[] {
  if (!ids) return reader.all(types);
  return [...ids].flatMap((id) => reader.find(types, id) ?? []);
}

/** An empty set in a filter means the same as none. */
function wantedKeys(filter: Readonly<Record<string, unknown>> = {}): [field: string, values: ReadonlySet<string>][] {
  return Object.entries(filter).flatMap(([field, value]): [string, ReadonlySet<string>][] => {
    const values = (Array.isArray(value) ? value : [value]).map(String);
    return values.length === 0 ? [] : [[field, new Set(values)]];
  });
}

function tooMany(plural: string, most: number): VapiError {
  const text = `More than ${most} ${plural} match the filter.`;
  return new VapiError(
    'unable_to_allocate_resource',
    message('com.vmware.api.vcenter.list.too_many', text, plural, `${most}`),
  );
}
