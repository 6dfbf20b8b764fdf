// What a call needs to hold somewhere. Reading references out of arguments and properties, for those who work it out.
import type { MoRef } from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';

export interface Requirement {
  readonly object: ManagedObject;
  readonly privilege: string;
}

/** The privilege on each of these objects; those that are not there need nothing. */
export function on(privilege: string, ...objects: readonly (ManagedObject | undefined)[]): Requirement[] {
  return objects.flatMap((object) => (object ? [{ object, privilege }] : []));
}

export function refsOf(value: unknown): MoRef[] {
  if (Array.isArray(value)) return value.flatMap(refsOf);
  const isRef = typeof value === 'object' && value !== null && 'type' in value && 'value' in value;
  return isRef ? [value as MoRef] : [];
}

/** What a property names, of what is there. */
export function objectsAt(graph: ObjectGraph, object: ManagedObject | undefined, path: string): ManagedObject[] {
  return refsOf(object?.getPath(path)).flatMap((ref) => graph.find(ref) ?? []);
}

/** What an entity is in; of a VM in a vApp that is the vApp. */
export function parentOf(graph: ObjectGraph, object: ManagedObject): ManagedObject | undefined {
  const parent = object.parent ?? (object.getPath('parentVApp') as MoRef | undefined);
  return parent && graph.find(parent);
}
