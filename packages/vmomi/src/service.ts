// One per daemon: the managed-object server.
import type { Clock, Logger, Random } from '@vivarium/base';
import type { MoRef } from '@vivarium/vim';
import type { Authorization } from './authorization/authorization.ts';
import type { ObjectGraph } from './graph/object-graph.ts';

export interface Service {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly rootFolder: MoRef<'Folder'>;
  readonly graph: ObjectGraph;
  readonly authorization: Authorization;
}
