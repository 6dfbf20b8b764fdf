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
  if (userName) tests.push((event) => isBy(event.userName, userName));
  if (eventChainId !== undefined) tests.push((event) => event.chainId === eventChainId);
  if (category && category.length > 0) tests.push((event) => category.includes(eventCategory(event)));
  if (type && type.length > 0) tests.push((event) => type.some((name) => isOfType(event, name)));
  if (eventTypeId && eventTypeId.length > 0) {
    tests.push((event) => typeIdsOf(event).some((id) => eventTypeId.includes(id)));
  }
  // Alarms and scheduled tasks do not exist here: nothing can be about one.
  if (filter.alarm || filter.scheduledTask) tests.push(() => false);
  return (event) => tests.every((test) => test(event));
}

export function isWithin(time: string, begin: string | undefined, end: string | undefined): boolean {
  const at = Date.parse(time);
  return (begin === undefined || at >= Date.parse(begin)) && (end === undefined || at <= Date.parse(end));
}

export function isBy(
  userName: string,
  by: { readonly systemUser: boolean; readonly userList?: readonly string[] },
): boolean {
  if (userName === '') return by.systemUser;
  return by.userList ? by.userList.includes(userName) : !by.systemUser;
}

/** What filters call an event: EventEx names its own id, others go by their type, with or without 'vim.event.'. */
function typeIdsOf(event: Event): string[] {
  const { eventTypeId, _typeName: type = 'Event' } = event as Partial<EventEx>;
  return eventTypeId === undefined ? [`vim.event.${type}`, type] : [eventTypeId];
}

function isOfType(event: Event, name: string): boolean {
  return schema.isSubtype(event._typeName ?? 'Event', name);
}

/** The event as the filter's `disableFullMessage` wants it. */
export function withoutMessage(event: Event, filter: EventFilterSpec): Event {
  if (!filter.disableFullMessage) return event;
  const { fullFormattedMessage: _message, ...rest } = event;
  return rest;
}
