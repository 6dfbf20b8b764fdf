// Which entities an event is about, and the arguments that its maker left out. Reads the graph, changes nothing.
import { type Event, type ManagedObjectReference, type MoRef, make, schema } from '@vivarium/vim';
import type { ObjectGraph } from '../graph/object-graph.ts';

const MOST_LEVELS = 64;

/** `vm` without `host`, `host` without `computeResource` and `datacenter`: filled in from where the entities are now. */
export function completeArguments<T extends Event>(graph: ObjectGraph, event: T): T {
  const full = { ...event };
  const vm = full.vm && graph.find(full.vm.vm);
  const hostRef = full.host?.host ?? (vm?.getPath('runtime.host') as MoRef<'HostSystem'> | undefined);
  const host = hostRef && graph.find(hostRef);
  if (!full.host && hostRef && host)
    full.host = make('HostEventArgument', { name: String(host.getPath('name') ?? ''), host: hostRef });
  const place = host?.ref ?? vm?.ref ?? full.ds?.datastore ?? full.net?.network ?? full.dvs?.dvs;
  for (const ref of place ? ancestors(graph, place) : []) {
    const name = String(graph.find(ref)?.getPath('name') ?? '');
    if (!full.computeResource && schema.isSubtype(ref.type, 'ComputeResource')) {
      full.computeResource = make('ComputeResourceEventArgument', {
        name,
        computeResource: ref as MoRef<'ComputeResource'>,
      });
    }
    if (!full.datacenter && ref.type === 'Datacenter') {
      full.datacenter = make('DatacenterEventArgument', { name, datacenter: ref as MoRef<'Datacenter'> });
    }
  }
  return full;
}

/** The parents of an entity, nearest first. */
export function ancestors(graph: ObjectGraph, entity: ManagedObjectReference): MoRef[] {
  const found: MoRef[] = [];
  let parent = above(graph, entity);
  while (parent && found.length < MOST_LEVELS) {
    found.push(parent);
    parent = above(graph, parent);
  }
  return found;
}

/** A machine in a vApp has no parent. */
function above(graph: ObjectGraph, entity: ManagedObjectReference): MoRef | undefined {
  const object = graph.find(entity as MoRef);
  return object?.parent ?? (object?.getPath('parentVApp') as MoRef | undefined);
}

/** Every entity that an event names in its arguments (`vm`, `host`, `entity`, `destHost` …). */
export function subjects(event: Event): ManagedObjectReference[] {
  const found: ManagedObjectReference[] = [];
  for (const argument of Object.values(event)) {
    found.push(...refsIn(argument));
  }
  return found;
}

/** Arguments that say where something is, the nearest first; `parent` is where something new has come. */
const PLACES = ['host', 'computeResource', 'datacenter'] as const;
const BESIDE: ReadonlySet<string> = new Set([...PLACES, 'parent', 'info']);

/**
 * What somebody has to know of to know of the event: its VM, where there is one; otherwise all that it names but the places, and
 * of these the nearest when it names nothing else. Empty for what happened to nothing in the inventory.
 */
export function protagonists(event: Event): ManagedObjectReference[] {
  if (event.vm) return [event.vm.vm];
  const named = Object.entries(event).flatMap(([name, argument]) => (BESIDE.has(name) ? [] : refsIn(argument)));
  const { entity } = (event as { info?: { entity?: unknown } }).info ?? {};
  if (isRef(entity)) named.push(entity);
  if (named.length > 0) return named;
  const place = PLACES.find((name) => event[name] !== undefined);
  return place ? refsIn(event[place]) : [];
}

function refsIn(argument: unknown): ManagedObjectReference[] {
  if (typeof argument !== 'object' || argument === null || Array.isArray(argument)) return [];
  return Object.values(argument as object).filter(isRef);
}

function isRef(value: unknown): value is ManagedObjectReference {
  return typeof value === 'object' && value !== null && 'type' in value && 'value' in value;
}
