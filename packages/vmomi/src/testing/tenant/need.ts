// For tests: a privilege that a call needs somewhere, and where the things are that a call is about.
import { type MoRef, schema } from '@vivarium/vim';
import type { World } from './world.ts';

export interface Need {
  readonly on: MoRef;
  readonly privilege: string;
}

export type Args = Readonly<Record<string, unknown>>;

export const need = (privilege: string, ...places: (MoRef | undefined)[]): Need[] =>
  places.filter((on) => on !== undefined).map((on) => ({ on, privilege }));

/** Where the privileges for an object are held: it or its owner, or the root. */
export function placeOf(world: World, ref: MoRef): MoRef {
  if (schema.isSubtype(ref.type, 'ManagedEntity')) return ref;
  return world.service.graph.find(ref)?.entity ?? world.root;
}

export function poolAround(world: World, pool: MoRef): MoRef | undefined {
  const around = parent(world, pool);
  return around?.type === 'ResourcePool' || around?.type === 'VirtualApp' ? around : undefined;
}

export function datacenterOf(world: World, ref: MoRef): MoRef | undefined {
  for (let at: MoRef | undefined = ref; at; at = parent(world, at)) if (at.type === 'Datacenter') return at;
  return undefined;
}

export function parent({ service }: World, ref: MoRef): MoRef | undefined {
  const object = service.graph.find(ref);
  return object?.parent ?? (object?.getPath('parentVApp') as MoRef | undefined);
}

export function read<T>({ service }: World, ref: MoRef, path: string, otherwise: T): T {
  return (service.graph.find(ref)?.getPath(path) ?? otherwise) as T;
}

export function refsIn(value: unknown): MoRef[] {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  const isRef = typeof value === 'object' && value !== null && 'type' in value && 'value' in value;
  return isRef ? [value as MoRef] : [];
}

const FORMS = [/^\s*\[([^\]]*)\]/, /^(?:ds:\/\/)?\/vmfs\/volumes\/([^/]+)/, /^https?:.*[?&]dsName=([^&]*)/];

/** The datastore of the name, or with the name in its URL, in the datacenter of `near`. */
export function onDatastore(world: World, near: MoRef, privilege: string, path: string | undefined): Need[] {
  return need(privilege, datastoreNamed(world, datastoresNear(world, near), path));
}

/** The one of these datastores that a path names. */
export function datastoreNamed(
  world: World,
  datastores: readonly MoRef[],
  path: string | undefined,
): MoRef | undefined {
  const name = FORMS.map((form) => form.exec(path ?? '')?.[1]?.trim()).find((one) => one !== undefined);
  return datastores.find(
    (ref) => read(world, ref, 'name', '') === name || read(world, ref, 'summary.url', '').endsWith(`/volumes/${name}/`),
  );
}

export function datastoresNear(world: World, near: MoRef): MoRef[] {
  const datacenter = datacenterOf(world, near);
  return world
    .entities()
    .filter((ref) => ref.type === 'Datastore' && datacenterOf(world, ref)?.value === datacenter?.value);
}
