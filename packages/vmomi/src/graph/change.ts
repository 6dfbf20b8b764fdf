import type { ManagedObject } from './managed-object.ts';

/** What a subscriber of one object hears. `version` is the graph's version that the change made. */
export type Change =
  | {
      readonly kind: 'modified';
      readonly object: ManagedObject;
      /** The paths that were set, as given to `set`/`update`: 'config', 'runtime.powerState'. Never empty. */
      readonly paths: readonly string[];
      /** The former values of the top-level properties that the paths lie in; unset ones are absent. */
      readonly before: Readonly<Record<string, unknown>>;
      readonly version: number;
    }
  | { readonly kind: 'added' | 'removed'; readonly object: ManagedObject; readonly version: number };

export type ChangeListener = (change: Change) => void;
