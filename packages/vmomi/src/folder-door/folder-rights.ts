// What /folder asks of its users, on the datastore: to browse for the page of a folder, to manage files for everything else; and
// what somebody may not see is not there, or its name could be guessed.
import type { Authorization } from '../authorization/authorization.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { FolderOpening } from './folder-door.ts';

const BROWSE = 'Datastore.Browse';
const FILES = 'Datastore.FileManagement';

export type FolderAuthorization = Pick<Authorization, 'check' | 'holds'>;

export interface FolderRights {
  readonly isSeen: boolean;
  /** Before the datastore is looked at: what is there is told only to those who may look. Fault: NoPermission. */
  check(): void;
  /** Once it is known what the URL names. Fault: NoPermission. */
  checkKind(kind: 'folder' | 'file'): void;
}

export function folderRights(
  authorization: FolderAuthorization,
  { session, method }: Pick<FolderOpening, 'session' | 'method'>,
  datastore: ManagedObject,
): FolderRights {
  const holds = (privilege: string) => authorization.holds(session, datastore, privilege);
  const isReading = method === 'GET' || method === 'HEAD';
  return {
    get isSeen() {
      return holds('System.View');
    },
    check() {
      if (!isReading || !holds(BROWSE)) authorization.check(session, datastore, FILES);
    },
    checkKind(kind) {
      authorization.check(session, datastore, kind === 'folder' ? BROWSE : FILES);
    },
  };
}
