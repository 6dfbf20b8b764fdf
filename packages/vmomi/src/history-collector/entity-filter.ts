// The `entity` part of TaskFilterSpec and EventFilterSpec: about an entity, its children, or all below it.
import { type ManagedObjectReference, sameRef } from '@vivarium/vim';
import { ancestors } from '../event/event-subject.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';

export type Recursion = 'self' | 'children' | 'all';

/** Whether something about `about` entities passes. Entities that are gone have no parents: only `self` finds them. */
export function isAboutEntity(
  graph: ObjectGraph,
  filter: { readonly entity: ManagedObjectReference; readonly recursion: Recursion },
  about: readonly ManagedObjectReference[],
): boolean {
  return about.some((entity) => {
    if (filter.recursion !== 'children' && sameRef(entity, filter.entity)) return true;
    if (filter.recursion === 'self') return false;
    const above = ancestors(graph, entity);
    return filter.recursion === 'children'
      ? sameRef(above[0], filter.entity)
      : above.some((parent) => sameRef(parent, filter.entity));
  });
}
