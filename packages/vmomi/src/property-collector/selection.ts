// Walking the inventory once, along the selections of a filter: what a retrieval reports. Filters that live on keep
// the result up to date by membership.ts instead.
import type { MoRef } from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { FilterPlan, SelectionPlan } from './filter-plan.ts';
import { Missing, type Viewer } from './viewer.ts';

const NOWHERE: readonly MoRef[] = [];

/** Where a selection leads from an object that the viewer sees: nowhere when the property is unset or not his to read. */
export function followSelection(viewer: Viewer, object: ManagedObject, selection: SelectionPlan): readonly MoRef[] {
  const value = viewer.read(object, selection.path);
  if (value === undefined || value instanceof Missing) return NOWHERE;
  // The plan made sure that the path leads to one reference or an array of them.
  return Array.isArray(value) ? (value as MoRef[]) : [value as MoRef];
}

/**
 * Adds to `found` every object that the plan selects and the viewer sees, in breadth-first order. Visits an object
 * once for each selection at most, so cycles end. Asks the viewer again and again: let it be a momentary one.
 */
export function selectObjects(plan: FilterPlan, viewer: Viewer, found: Set<ManagedObject>): void {
  const applied = new Map<SelectionPlan, Set<ManagedObject>>();
  const pending: { readonly object: ManagedObject; readonly selection: SelectionPlan }[] = [];

  const apply = (object: ManagedObject, selections: readonly SelectionPlan[]) => {
    if (selections.length === 0) return;
    const applicable = plan.selectionsAt(object.ref.type);
    for (const selection of selections) {
      if (!applicable.includes(selection)) continue;
      let objects = applied.get(selection);
      if (!objects) applied.set(selection, (objects = new Set()));
      if (objects.has(object)) continue;
      objects.add(object);
      pending.push({ object, selection });
    }
  };
  for (const root of plan.roots) {
    const object = viewer.find(root.ref);
    if (!object) continue;
    if (!root.skip) found.add(object);
    if (viewer.sees(object)) apply(object, root.next);
  }
  // Grows while it is walked.
  for (const { object, selection } of pending) {
    for (const ref of followSelection(viewer, object, selection)) {
      const target = viewer.find(ref);
      if (!target || !viewer.sees(target)) continue;
      if (!selection.skip) found.add(target);
      apply(target, selection.next);
    }
  }
}
