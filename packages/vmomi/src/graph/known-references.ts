// References in a request, brought to the type that their object really has. Clients know some objects by a base type only:
// Terraform says ComputeResource of a cluster, many say Network of a distributed port group. vCenter goes by the value.
import { type ManagedObjectReference, type MoRef, schema } from '@vivarium/vim';

/** What is needed of the object graph. */
interface Objects {
  find(ref: MoRef): { readonly ref: MoRef } | undefined;
}

const derived = new Map<string, readonly string[]>();

/** The value with every reference corrected whose object has a type derived from the one that is named; else the value itself. */
export function withKnownReferences<T>(objects: Objects, value: T): T {
  return correct(objects, value) as T;
}

/** The reference as its object has it; the given one when there is no such object. */
export function knownReference<R extends ManagedObjectReference>(objects: Objects, ref: R): R {
  if (objects.find(ref as unknown as MoRef)) return ref;
  for (const type of derivedTypes(ref.type)) {
    const found = objects.find({ type, value: ref.value } as unknown as MoRef);
    if (found) return { ...ref, type: (found.ref as ManagedObjectReference).type };
  }
  return ref;
}

function correct(objects: Objects, value: unknown): unknown {
  if (Array.isArray(value)) return correctItems(objects, value);
  if (typeof value !== 'object' || value === null) return value;
  return isReference(value) ? knownReference(objects, value) : correctFields(objects, value);
}

function correctItems(objects: Objects, items: readonly unknown[]): readonly unknown[] {
  const corrected = items.map((item) => correct(objects, item));
  return corrected.some((item, index) => item !== items[index]) ? corrected : items;
}

function correctFields(objects: Objects, fields: object): object {
  let changed: Record<string, unknown> | undefined;
  for (const [name, field] of Object.entries(fields)) {
    if (typeof field !== 'object' || field === null) continue;
    const corrected = correct(objects, field);
    if (corrected !== field) (changed ??= { ...(fields as Record<string, unknown>) })[name] = corrected;
  }
  return changed ?? fields;
}

/** Data objects of a request say their type; a reference says none, or that it is one. */
function isReference(value: object): value is ManagedObjectReference {
  const { _typeName, type, value: id } = value as { _typeName?: unknown; type?: unknown; value?: unknown };
  const isPlain = _typeName === undefined || _typeName === 'ManagedObjectReference';
  return isPlain && typeof type === 'string' && typeof id === 'string';
}

function derivedTypes(type: string): readonly string[] {
  let types = derived.get(type);
  if (!types && schema.managed(type)) {
    types = schema.names('managed').filter((name) => name !== type && schema.isSubtype(name, type));
    derived.set(type, types);
  }
  return types ?? [];
}
