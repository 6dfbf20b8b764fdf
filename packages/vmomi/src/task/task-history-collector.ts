// The managed object TaskHistoryCollector: belongs to the session that made it and goes with it.
import type { MoRef, TaskFilterSpec, TaskInfo } from '@vivarium/vim';
import { collectorMethods, LatestPage, readCount } from '../history-collector/history-collector.ts';
import { HistoryCursor } from '../history-collector/history-cursor.ts';
import { visibilityFor } from '../history-collector/visibility.ts';
import type { Service } from '../service.ts';
import type { Session } from '../session/session.ts';
import { taskMatcher } from './task-filter.ts';
import { TASK_STREAM } from './task-registry.ts';

export function addTaskCollector(
  service: Service,
  ref: MoRef<'TaskHistoryCollector'>,
  filter: TaskFilterSpec,
  session: Session,
  release: () => void,
): void {
  const { graph, tasks, rootFolder, store, authorization } = service;
  const isWanted = taskMatcher(graph, rootFolder, filter);
  const visible = visibilityFor(authorization, rootFolder, session);
  const matches = (info: TaskInfo) => isWanted(info) && visible.task(info);
  const cursor = new HistoryCursor<TaskInfo>(store.history, TASK_STREAM, matches);
  const page = new LatestPage(cursor, (items) => collector.set('latestPage', items));

  const unsubscribe = tasks.onChange((info) => {
    if (matches(info)) page.put(info, (other) => other.key === info.key);
  });
  const destroy = () => {
    if (!graph.find(ref)) return;
    unsubscribe();
    forgetSession();
    release();
    graph.remove(ref);
  };
  const read = async (items: () => TaskInfo[]) => {
    await tasks.settled();
    return items();
  };
  const collector = graph.add<'TaskHistoryCollector'>(
    ref,
    { filter: { ...filter, _typeName: 'TaskFilterSpec' }, latestPage: page.items },
    {
      ...collectorMethods(cursor, page, destroy),
      ReadNextTasks: ({ maxCount }) => read(() => cursor.readNext(readCount(maxCount))),
      ReadPreviousTasks: ({ maxCount }) => read(() => cursor.readPrevious(readCount(maxCount))),
    },
    { session },
  );
  const forgetSession = session.onEnd(destroy);
}
