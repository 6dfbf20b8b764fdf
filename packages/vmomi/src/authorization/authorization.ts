// Who may do what where. Decides; never acts.
import type { MoRef } from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { Session } from '../session/session.ts';

export interface Authorization {
  /** Whether the session's user holds a privilege ('System.Read') on an object of the graph. */
  holds(session: Session, object: ManagedObject, privilege: string): boolean;
  /** Throws NotAuthenticated (no login) or NoPermission (names object and privilege). */
  check(session: Session, object: ManagedObject, privilege: string): void;
  /** The entity at which an object's privileges are checked. */
  entityOf(object: ManagedObject): MoRef;
}
