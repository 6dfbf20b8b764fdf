// For tests: events and tasks, by queries, collectors and properties.
import assert from 'node:assert/strict';
import type { MoRef } from '@vivarium/vim';
import { ask, read } from '../ask.ts';
import { content, type Doors, keys, listOf } from '../door.ts';
import { ROOT, type Tenant, type World } from '../world.ts';

export const historyDoors: Doors = {
  async events(world, who) {
    const { eventManager } = content(world);
    // As they are: an old client is not told all that an event is about.
    const all = await world.center.invoke<Happened[]>(eventManager, 'QueryEvents', {
      filter: { _typeName: 'EventFilterSpec' },
    });
    const wanted = all.filter((event) => seesEvent(world, who, event)).map(({ key }) => key);
    const seen = await ask<Happened[]>(world, who, eventManager, 'QueryEvents', {
      filter: { _typeName: 'EventFilterSpec' },
    });
    if (!world.may(who, ROOT, 'System.View')) {
      assert.equal(seen.fault, 'NoPermission');
      return;
    }
    assert.deepEqual(
      listOf(seen.value).map(({ key }) => key),
      wanted,
    );
    const collector = (
      await ask<MoRef>(world, who, eventManager, 'CreateCollectorForEvents', {
        filter: { _typeName: 'EventFilterSpec' },
      })
    ).value;
    const next = await ask<Happened[]>(world, who, collector, 'ReadNextEvents', { maxCount: 1000 });
    assert.deepEqual(
      listOf(next.value)
        .map(({ key }) => key)
        .sort(byNumber),
      [...wanted].sort(byNumber),
    );
    const page = await read<Happened[]>(world, who, collector, 'latestPage');
    for (const event of listOf(page.value)) assert.ok(wanted.includes(event.key), `latestPage has ${event.key}`);
    await ask(world, who, collector, 'DestroyCollector');
    const latest = await read<Happened | undefined>(world, who, eventManager, 'latestEvent');
    if (latest.value && latest.fault === undefined) assert.ok(wanted.includes(latest.value.key));
  },

  async tasks(world, who) {
    const { taskManager } = content(world);
    const filter = { _typeName: 'TaskFilterSpec' };
    const list = async (by: Tenant) => {
      const collector = (await ask<MoRef>(world, by, taskManager, 'CreateCollectorForTasks', { filter })).value;
      const { value } = await ask<Task[]>(world, by, collector, 'ReadNextTasks', { maxCount: 1000 });
      await ask(world, by, collector, 'DestroyCollector');
      return listOf(value);
    };
    const all = await list(world.admin);
    const sees = ({ entity = ROOT, reason }: Task) =>
      reason.userName === who.userName || world.may(who, entity, 'System.Read');
    for (const task of all) {
      const { fault } = await read(world, who, task.task, 'info');
      assert.equal(fault === undefined, sees(task), `${task.key} of ${JSON.stringify(task.entity)}: ${fault}`);
    }
    if (!world.may(who, ROOT, 'System.View')) return;
    assert.deepEqual(
      (await list(who)).map(({ key }) => key),
      all.filter(sees).map(({ key }) => key),
    );
    const recent = await read<MoRef[]>(world, who, taskManager, 'recentTask');
    const visible = all.filter(sees).map(({ key }) => `Task:${key}`);
    assert.deepEqual(keys(listOf(recent.value)), visible.sort());
  },
};

interface Task {
  readonly key: string;
  readonly task: MoRef;
  readonly entity?: MoRef;
  readonly reason: { readonly userName?: string };
}

type Happened = { readonly key: number; readonly _typeName: string } & Readonly<Record<string, unknown>>;

/** What an event is about: the VM that it names; else all that it names but for where that is. */
function seesEvent(world: World, who: Tenant, event: Happened): boolean {
  const refsIn = (name: string) =>
    Object.values((event[name] ?? {}) as object).filter(
      (value): value is MoRef => typeof value === 'object' && value !== null && 'type' in value,
    );
  const [vm] = refsIn('vm');
  const named = Object.keys(event).filter(
    (name) => !['vm', 'parent', 'info', ...WHERE].includes(name) && !Array.isArray(event[name]),
  );
  const { entity } = (event['info'] ?? {}) as { entity?: MoRef };
  const others = [...named.flatMap(refsIn), ...(entity ? [entity] : [])];
  const [where] = WHERE.flatMap(refsIn);
  const about = vm ? [vm] : others.length > 0 ? others : [where ?? ROOT];
  return about.every((ref) => world.may(who, ref, 'System.Read'));
}

const WHERE = ['host', 'computeResource', 'datacenter'];

const byNumber = (one: number, other: number) => one - other;
