import type { ManagedObjectReference } from '@vivarium/vim';

/** A reference as the result of a task: TaskInfo.result is any, so it says its own type. */
export function asReference({ type, value }: ManagedObjectReference): object {
  return { _typeName: 'ManagedObjectReference', type, value };
}
