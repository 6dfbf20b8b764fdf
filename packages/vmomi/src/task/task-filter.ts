// TaskFilterSpec as a predicate. Reads the graph for recursion, changes nothing.
import { type MoRef, sameRef, type TaskFilterSpec, type TaskInfo, type TaskReasonUser } from '@vivarium/vim';
import { isWithin, startedBy } from '../event/event-filter.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import { isAboutEntity } from '../history-collector/entity-filter.ts';

const TIMES = { queuedTime: 'queueTime', startedTime: 'startTime', completedTime: 'completeTime' } as const;

export function taskMatcher(
  graph: ObjectGraph,
  rootFolder: MoRef,
  filter: TaskFilterSpec,
): (info: TaskInfo) => boolean {
  const tests: ((info: TaskInfo) => boolean)[] = [];
  const { entity, time, userName, state, eventChainId, activationId, parentTaskKey, rootTaskKey } = filter;
  const isEverything = entity !== undefined && entity.recursion === 'all' && sameRef(entity.entity, rootFolder);
  if (entity && !isEverything) tests.push((info) => isAboutEntity(graph, entity, info.entity ? [info.entity] : []));
  if (time) {
    tests.push((info) => {
      const at = info[TIMES[time.timeType]];
      return at !== undefined && isWithin(at, time.beginTime, time.endTime);
    });
  }
  if (userName) tests.push(startedBy(userName, starterOf));
  const oneOf = <T>(list: readonly T[] | undefined, value: (info: TaskInfo) => T | undefined) => {
    if (!list || list.length === 0) return;
    const wanted = new Set<T | undefined>(list);
    tests.push((info) => wanted.has(value(info)));
  };
  oneOf(eventChainId, (info) => info.eventChainId);
  oneOf(state, (info) => info.state);
  oneOf(activationId, (info) => info.activationId);
  oneOf(parentTaskKey, (info) => info.parentTaskKey);
  oneOf(rootTaskKey, (info) => info.rootTaskKey);
  // Alarms, scheduled tasks and tags do not exist here: no task comes from one.
  if (filter.alarm || filter.scheduledTask || (filter.tag && filter.tag.length > 0)) tests.push(() => false);
  return (info) => tests.every((test) => test(info));
}

function starterOf({ reason }: TaskInfo): string {
  return reason._typeName === 'TaskReasonUser' ? (reason as TaskReasonUser).userName : '';
}
