// The managed objects TaskManager and Task (whose methods are the same for all tasks).
import { uuid } from '@vivarium/base';
import { type MoRef, moRef, type TaskFilterSpec } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import { CollectorQuota, MOST_COLLECTORS } from '../history-collector/history-collector.ts';
import type { Service } from '../service.ts';
import { addTaskCollector } from './task-history-collector.ts';
import { taskDescription } from './task-text.ts';

export function addTaskManager(service: Service, ref: MoRef<'TaskManager'>): void {
  const { graph, tasks, authorization } = service;
  const quota = new CollectorQuota();
  const collect = async (filter: TaskFilterSpec, { session }: Call) => {
    if (filter.entity) graph.get(filter.entity.entity);
    await tasks.settled();
    const release = quota.take(session);
    const collector = moRef('TaskHistoryCollector', `session[${session.key}]${uuid(service.random)}`);
    addTaskCollector(service, collector, filter, session, release);
    return collector;
  };
  const manager = graph.add<'TaskManager'>(
    ref,
    { description: taskDescription(), maxCollector: MOST_COLLECTORS },
    {
      CreateCollectorForTasks: ({ filter }, call) => collect(filter, call),
      CreateCollectorWithInfoFilterForTasks: ({ filter }, call) => collect(filter, call),
    },
    {
      computed: {
        recentTask: ({ session }) =>
          tasks.recent().filter((task) => authorization.holds(session, graph.get(task), 'System.Read')),
      },
    },
  );
  graph.provide('Task', { methods: { CancelTask: (task, _args, call) => cancel(service, task, call) } });
  const showRecent = () => manager.touch('recentTask');
  graph.onAdd((object) => {
    if (!isTask(object)) return;
    showRecent();
  });
  graph.onRemove((object) => {
    if (isTask(object)) showRecent();
  });
}

function isTask(object: ManagedObject): object is ManagedObject & ManagedObject<'Task'> {
  return object.ref.type === 'Task';
}

/** Who started a task may cancel it; others need Global.CancelTask on what it works on. */
function cancel(service: Service, task: ManagedObject<'Task'>, { session }: Call): void {
  const reason = task.get('info')?.reason;
  const isOwn = reason !== undefined && 'userName' in reason && reason.userName === session.userName;
  if (!isOwn) service.authorization.check(session, task, 'Global.CancelTask');
  service.tasks.cancel(task.ref);
}
