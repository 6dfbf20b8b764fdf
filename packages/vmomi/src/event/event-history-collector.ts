// The managed object EventHistoryCollector: belongs to the session that made it and goes with it.
import type { Event, EventFilterSpec, MoRef } from '@vivarium/vim';
import { collectorMethods, LatestPage, readCount } from '../history-collector/history-collector.ts';
import { HistoryCursor } from '../history-collector/history-cursor.ts';
import { visibilityFor } from '../history-collector/visibility.ts';
import type { Service } from '../service.ts';
import type { Session } from '../session/session.ts';
import { eventMatcher, withoutMessage } from './event-filter.ts';
import { EVENT_STREAM } from './event-log.ts';

export function addEventCollector(
  service: Service,
  ref: MoRef<'EventHistoryCollector'>,
  filter: EventFilterSpec,
  session: Session,
  release: () => void,
): void {
  const { graph, events, rootFolder, store, authorization } = service;
  const isWanted = eventMatcher(graph, rootFolder, filter);
  const visible = visibilityFor(authorization, rootFolder, session);
  const matches = (event: Event) => isWanted(event) && visible.event(event);
  const cursor = new HistoryCursor<Event>(store.history, EVENT_STREAM, matches);
  const shown = (items: Event[]) => items.map((event) => withoutMessage(event, filter));
  const page = new LatestPage(cursor, (items) => collector.set('latestPage', shown(items)));

  const unsubscribe = events.onPost((event) => {
    if (matches(event)) page.put(event);
  });
  const destroy = () => {
    if (!graph.find(ref)) return;
    unsubscribe();
    forgetSession();
    release();
    graph.remove(ref);
  };
  const read = async (items: () => Event[]) => {
    await events.settled();
    return shown(items());
  };
  const collector = graph.add<'EventHistoryCollector'>(
    ref,
    { filter: { ...filter, _typeName: 'EventFilterSpec' }, latestPage: shown(page.items), initialized: true },
    {
      ...collectorMethods(cursor, page, destroy),
      ReadNextEvents: ({ maxCount }) => read(() => cursor.readNext(readCount(maxCount))),
      ReadPreviousEvents: ({ maxCount }) => read(() => cursor.readPrevious(readCount(maxCount))),
    },
    { session },
  );
  const forgetSession = session.onEnd(destroy);
}
