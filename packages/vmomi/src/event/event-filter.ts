// EventFilterSpec as a predicate. Reads the graph for recursion, changes nothing.
import { type Event, type EventEx, type EventFilterSpec, type MoRef, sameRef, schema } from '@vivarium/vim';
import type { ObjectGraph } from '../graph/object-graph.ts';
import { isAboutEntity } from '../history-collector/entity-filter.ts';
import { subjects } from './event-subject.ts';
import { eventCategory } from './event-text.ts';

export function eventMatcher(
  graph: ObjectGraph,
  rootFolder: MoRef,
  filter: EventFilterSpec,
): (event: Event) => boolean {
  const tests: ((event: Event) => boolean)[] = [];
  const { entity, time, userName, eventChainId, category, type, eventTypeId } = filter;
  // Everything is below the root, also events about nothing in the inventory and about what is gone.
  const isEverything = entity !== undefined && entity.recursion === 'all' && sameRef(entity.entity, rootFolder);
  if (entity && !isEverything) tests.push((event) => isAboutEntity(graph, entity, subjects(event)));
  if (time) tests.push((event) => isWithin(event.createdTime, time.beginTime, time.endTime));
  if (userName) tests.push(startedBy(userName, (event: Event) => event.userName));
  if (eventChainId !== undefined) tests.push((event) => event.chainId === eventChainId);
  // As many as a request holds, asked of as many events as are kept: each list is gone through once.
  if (category && category.length > 0) {
    const wanted = new Set<string>(category);
    tests.push((event) => wanted.has(eventCategory(event)));
  }
  if (type && type.length > 0) tests.push(isOfTypes(type));
  if (eventTypeId && eventTypeId.length > 0) {
    const wanted = new Set(eventTypeId);
    tests.push((event) => typeIdsOf(event).some((id) => wanted.has(id)));
  }
  // Alarms and scheduled tasks do not exist here: nothing can be about one.
  if (filter.alarm || filter.scheduledTask) tests.push(() => false);
  return (event) => tests.every((test) => test(event));
}

export function isWithin(time: string, begin: string | undefined, end: string | undefined): boolean {
  const at = Date.parse(time);
  return (begin === undefined || at >= Date.parse(begin)) && (end === undefined || at <= Date.parse(end));
}

/** Whether something was started by one of these users; '' is the system. */
export function startedBy<T>(
  { systemUser, userList }: { readonly systemUser: boolean; readonly userList?: readonly string[] },
  userNameOf: (item: T) => string,
): (item: T) => boolean {
  const users = userList && new Set(userList);
  return (item) => {
    const userName = userNameOf(item);
    if (userName === '') return systemUser;
    return users ? users.has(userName) : !systemUser;
  };
}

/** What filters call an event: EventEx names its own id, others go by their type, with or without 'vim.event.'. */
function typeIdsOf(event: Event): string[] {
  const { eventTypeId, _typeName: type = 'Event' } = event as Partial<EventEx>;
  return eventTypeId === undefined ? [`vim.event.${type}`, type] : [eventTypeId];
}

function isOfTypes(names: readonly string[]): (event: Event) => boolean {
  const known = new Map<string, boolean>();
  return ({ _typeName: type = 'Event' }) => {
    let isWanted = known.get(type);
    if (isWanted === undefined) known.set(type, (isWanted = names.some((name) => schema.isSubtype(type, name))));
    return isWanted;
  };
}

/** The event as the filter's `disableFullMessage` wants it. */
export function withoutMessage(event: Event, filter: EventFilterSpec): Event {
  if (!filter.disableFullMessage) return event;
  const { fullFormattedMessage: _message, ...rest } = event;
  return rest;
}
