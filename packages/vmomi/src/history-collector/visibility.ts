// Whose tasks and events somebody may see: those about what it may read, and its own tasks. Decides; never acts.
import type { Event, ManagedObjectReference, MoRef, TaskInfo } from '@vivarium/vim';
import type { Authorization } from '../authorization/authorization.ts';
import type { Who } from '../authorization/permission-table.ts';
import { protagonists } from '../event/event-subject.ts';

export interface Visibility {
  event(event: Event): boolean;
  task(info: TaskInfo): boolean;
}

/** What is about nothing in the inventory (sessions, roles) is for those who may read the root. */
export function visibilityFor(authorization: Authorization, rootFolder: MoRef, who: Who): Visibility {
  const mayRead = (ref: ManagedObjectReference) => authorization.privilegesOf(who, ref as MoRef).has('System.Read');
  return {
    event(event) {
      const about = protagonists(event);
      return (about.length > 0 ? about : [rootFolder]).every(mayRead);
    },
    task: ({ entity, reason }) =>
      mayRead(entity ?? rootFolder) || ('userName' in reason && reason.userName === who.userName),
  };
}
