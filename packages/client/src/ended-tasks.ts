// How tasks ended that an endpoint does not show any more: its history of tasks outlives restarts.
import type { MoRef, TaskInfo } from '@vivarium/vim';
import type { VimClient } from './client.ts';

/** As many as an endpoint tells of at once. */
const PAGE = 1000;

/** By the task's id; what the newest part of the history does not tell the end of is left out. */
export async function endedTasks(client: VimClient, tasks: readonly MoRef<'Task'>[]): Promise<Map<string, TaskInfo>> {
  const { taskManager } = await client.content();
  if (!taskManager) return new Map();
  const wanted = new Set(tasks.map(({ value }) => value));
  const collector = await client.call(taskManager, 'CreateCollectorForTasks', { filter: {} });
  try {
    await client.call(collector, 'SetCollectorPageSize', { maxCount: PAGE });
    const page = (await client.get(collector, 'latestPage')) ?? [];
    const ended = page.filter(({ key, state }) => wanted.has(key) && (state === 'success' || state === 'error'));
    return new Map(ended.map((info) => [info.key, info]));
  } finally {
    await client.call(collector, 'DestroyCollector', {} as never, { renews: false }).catch(() => undefined);
  }
}
