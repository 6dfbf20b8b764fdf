// One per daemon: the managed-object server.
import type { ObjectGraph } from './graph/object-graph.ts';

export interface Service {
  readonly graph: ObjectGraph;
}
