// Whose tasks and events somebody may see: those about what it may read. Decides; never acts.
import type { Event, ManagedObjectReference, MoRef, TaskInfo } from '@vivarium/vim';
import type { Authorization } from '../authorization/authorization.ts';
import type { Who } from '../authorization/permission-table.ts';
import { subjects } from '../event/event-subject.ts';

export interface Visibility {
  event(event: Event): boolean;
  task(info: TaskInfo): boolean;
}

/** What is about nothing in the inventory (sessions, roles) is for those who may read the root. */
export function visibilityFor(authorization: Authorization, rootFolder: MoRef, who: Who): Visibility {
  const mayRead = (ref: ManagedObjectReference) => authorization.privilegesOf(who, ref as MoRef).has('System.Read');
  return {
    // The machine decides, where there is one: its host and datacenter are only where it was.
    event(event) {
      const about = event.vm ? [event.vm.vm] : subjects(event);
      return (about.length > 0 ? about : [rootFolder]).some(mayRead);
    },
    task: ({ entity }) => mayRead(entity ?? rootFolder),
  };
}
