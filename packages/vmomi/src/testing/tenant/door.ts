// For tests: a door of a daemon, and what comparisons of what stands behind it share.
import { type MoRef, moRefKey } from '@vivarium/vim';
import type { Tenant, World } from './world.ts';

/** By name: compares what somebody gets through a door with what the oracle says that it may get. */
export type Doors = Readonly<Record<string, (world: World, who: Tenant) => Promise<void>>>;

export const keys = (refs: readonly MoRef[]) => refs.map((ref) => moRefKey(ref)).sort();

/** A list as VI/JSON tells it: bare, boxed, or nothing. */
export function listOf<T>(value: readonly T[] | { readonly _value?: readonly T[] } | T | undefined): T[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value as T[];
  if (typeof value === 'object' && '_value' in value) return [...(value._value ?? [])];
  return [value as T];
}

export function content({
  service,
}: World): Record<
  | 'viewManager'
  | 'searchIndex'
  | 'eventManager'
  | 'taskManager'
  | 'perfManager'
  | 'authorizationManager'
  | 'sessionManager'
  | 'propertyCollector',
  MoRef
> {
  return service.content as never;
}

export function ancestors(world: World, ref: MoRef): MoRef[] {
  const parent = world.service.graph.find(ref)?.parent;
  return parent ? [parent, ...ancestors(world, parent)] : [];
}
