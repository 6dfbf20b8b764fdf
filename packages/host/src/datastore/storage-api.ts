// What the managed objects of storage share: the datastores, who may touch them, and where their tasks run.
import type { MoRef } from '@vivarium/vim';
import type { Authorization, Call, ObjectGraph, Session } from '@vivarium/vmomi';
import type { Datastore } from './datastore.ts';
import type { Datastores } from './datastores.ts';
import type { FileUse } from './file-use.ts';

export interface StorageTask {
  /** Aborted when a client cancels the task or the daemon stops. */
  readonly signal: AbortSignal;
  /** 0 to 100. */
  progress(percent: number): void;
}

export interface StorageTasks {
  start(
    spec: {
      readonly entity?: MoRef;
      readonly descriptionId: string;
      readonly call?: Call;
      readonly cancelable?: boolean;
    },
    work: (task: StorageTask) => Promise<unknown>,
  ): MoRef<'Task'>;
}

export interface StorageApi {
  readonly datastores: Datastores;
  readonly use: FileUse;
  readonly tasks: StorageTasks;
  readonly graph: Pick<ObjectGraph, 'get'>;
  readonly authorization: Pick<Authorization, 'check' | 'holds'>;
  /** Told after every change of files; the figures of the datastore follow in their own time. */
  touched(datastore: Datastore): void;
}

/** Throws NoPermission (or NotAuthenticated) unless the session's user holds the privilege on the datastore. */
export function checkPrivilege(api: StorageApi, session: Session, datastore: Datastore, privilege: string): void {
  api.authorization.check(session, api.graph.get(datastore.ref as MoRef), privilege);
}
