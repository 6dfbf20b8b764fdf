// The managed object EventManager.

import { uuid } from '@vivarium/base';
import { type Event, type EventFilterSpec, isA, MethodFault, type MoRef, moRef, schema } from '@vivarium/vim';
import { CollectorQuota, MOST_COLLECTORS } from '../history-collector/history-collector.ts';
import { HistoryCursor, MOST_ITEMS } from '../history-collector/history-cursor.ts';
import { visibilityFor } from '../history-collector/visibility.ts';
import type { Service } from '../service.ts';
import { eventMatcher, withoutMessage } from './event-filter.ts';
import { addEventCollector } from './event-history-collector.ts';
import { EVENT_STREAM } from './event-log.ts';
import { eventDescription } from './event-text.ts';

export function addEventManager(service: Service, ref: MoRef<'EventManager'>): void {
  const { graph, events, authorization, rootFolder } = service;
  const quota = new CollectorQuota();
  const manager = graph.add<'EventManager'>(
    ref,
    { description: eventDescription(), maxCollector: MOST_COLLECTORS },
    {
      RetrieveArgumentDescription: ({ eventTypeId }) => argumentDescriptions(eventTypeId),

      async CreateCollectorForEvents({ filter }, { session }) {
        await events.settled();
        const release = quota.take(session);
        const collector = moRef('EventHistoryCollector', `session[${session.key}]${uuid(service.random)}`);
        addEventCollector(service, collector, checkedFilter(service, filter), session, release);
        return collector;
      },

      async QueryEvents({ filter }, { session }) {
        await events.settled();
        const isWanted = eventMatcher(graph, rootFolder, checkedFilter(service, filter));
        const visible = visibilityFor(authorization, rootFolder, session);
        const matches = (event: Event) => isWanted(event) && visible.event(event);
        const limit = Math.min(filter.maxCount ?? MOST_ITEMS, MOST_ITEMS);
        const newest = new HistoryCursor<Event>(service.store.history, EVENT_STREAM, matches).latest(limit);
        return newest.toReversed().map((event) => withoutMessage(event, filter));
      },

      async LogUserEvent({ entity, msg }, call) {
        const object = graph.get(entity);
        const argument = {
          _typeName: 'ManagedEntityEventArgument' as const,
          name: String(object.getPath('name') ?? ''),
          entity,
        };
        await events.postKept({ _typeName: 'GeneralUserEvent', message: msg, entity: argument }, call);
      },

      async PostEvent({ eventToPost }, call) {
        if (!isA('Event', eventToPost)) throw new MethodFault('InvalidEvent');
        const { key: _key, createdTime: _time, fullFormattedMessage: _message, ...event } = eventToPost;
        const { userName } = call.session;
        await events.postKept({ ...event, _typeName: eventToPost._typeName, userName } as never, call);
      },
    },
    {
      computed: {
        latestEvent: ({ session }) => {
          const { latest } = events;
          return latest && visibilityFor(authorization, rootFolder, session).event(latest) ? latest : undefined;
        },
      },
    },
  );
  events.onPost(() => manager.touch('latestEvent'));
}

/** Fault: ManagedObjectNotFound for an entity that is not there. */
function checkedFilter(service: Service, filter: EventFilterSpec): EventFilterSpec {
  if (filter.entity) service.graph.get(filter.entity.entity);
  if (filter.maxCount !== undefined && filter.maxCount < 0) {
    throw new MethodFault('InvalidArgument', { invalidProperty: 'filter.maxCount' });
  }
  return filter;
}

/** The properties of an event type, as EventArgDesc: what a template may name. Fault: InvalidArgument. */
function argumentDescriptions(eventTypeId: string) {
  const name = eventTypeId.replace(/^vim\.event\./, '');
  const type = schema.isSubtype(name, 'Event') ? schema.data(name) : undefined;
  if (!type) throw new MethodFault('InvalidArgument', { invalidProperty: 'eventTypeId' });
  return type.fields.map((field) => ({ _typeName: 'EventArgDesc' as const, name: field.name, type: field.type }));
}
