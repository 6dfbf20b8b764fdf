export type { Call } from './call.ts';
export type { Change, ChangeListener } from './graph/change.ts';
export { type Computed, ManagedObject, type ObjectOptions } from './graph/managed-object.ts';
export { ObjectGraph, type Unsubscribe } from './graph/object-graph.ts';
export { elementKey, readPath } from './graph/property-value.ts';
export { refKey, sameRef } from './graph/ref-key.ts';
export type { Service } from './service.ts';
export type { Session } from './session/session.ts';
