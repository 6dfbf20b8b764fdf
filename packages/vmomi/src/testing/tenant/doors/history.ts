// For tests: events and tasks, by queries, collectors and properties.
import assert from 'node:assert/strict';
import type { MoRef } from '@vivarium/vim';
import { ask, read, type Said } from '../ask.ts';
import { content, type Doors, keys, listOf } from '../door.ts';
import type { Tenant, World } from '../world.ts';

export const historyDoors: Doors = {
  async events(world, who) {
    const { eventManager } = content(world);
    // As they are: an old client is not told all that an event is about.
    const all = await world.invoke<Happened[]>(eventManager, 'QueryEvents', {
      filter: { _typeName: 'EventFilterSpec' },
    });
    const wanted = all.filter((event) => seesEvent(world, who, event)).map(({ key }) => key);
    const seen = await ask<Happened[]>(world, who, eventManager, 'QueryEvents', {
      filter: { _typeName: 'EventFilterSpec' },
    });
    if (!world.may(who, world.root, 'System.View')) {
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

  async 'a kept collector'(world, who) {
    const { eventManager } = content(world);
    if (!world.may(who, world.root, 'System.View')) return;
    const filter = { _typeName: 'EventFilterSpec' };
    let collector = kept.get(who);
    if (!collector) {
      collector = (await ask<MoRef>(world, who, eventManager, 'CreateCollectorForEvents', { filter })).value;
      kept.set(who, collector);
    }
    await ask(world, who, collector, 'RewindCollector');
    const next = await ask<Happened[]>(world, who, collector, 'ReadNextEvents', { maxCount: 1000 });
    const now = await ask<Happened[]>(world, who, eventManager, 'QueryEvents', { filter });
    const numbers = (said: Said<Happened[]>) =>
      listOf(said.value)
        .map(({ key }) => key)
        .sort(byNumber);
    assert.deepEqual(numbers(next), numbers(now));
    for (const other of [...world.tenants, world.admin].filter((one) => one !== who)) {
      for (const method of ['ReadNextEvents', 'ReadPreviousEvents']) {
        const refused: Said<unknown> = await ask(world, other, collector, method, { maxCount: 1 });
        assert.equal(refused.fault, 'ManagedObjectNotFound');
      }
      assert.equal((await read(world, other, collector, 'latestPage')).fault, 'ManagedObjectNotFound');
      assert.equal((await ask(world, other, collector, 'DestroyCollector')).fault, 'ManagedObjectNotFound');
    }
  },

  async "others' tasks"(world, who) {
    const all = tasksOf(world);
    for (const [task, { entity = world.root, reason, state }] of Array.from({ length: 4 }, () =>
      world.draw.pick(all),
    )) {
      const isOwn = reason.userName === who.userName;
      const mayCancel = world.may(who, entity, 'System.View') && (isOwn || world.may(who, entity, 'Global.CancelTask'));
      const mayUpdate = world.may(who, entity, 'Task.Update');
      // An import that goes on is to go on.
      if (state === 'running' && (mayCancel || mayUpdate)) continue;
      const cancelled = await ask(world, who, task, 'CancelTask');
      assert.equal(cancelled.fault === 'NoPermission', !mayCancel, `${task.value}: ${cancelled.fault}`);
      for (const [method, args] of TASK_CHANGES) {
        const { fault } = await ask(world, who, task, method, args);
        assert.equal(fault === 'NoPermission', !mayUpdate, `${method} of ${task.value}: ${fault}`);
      }
    }
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
    const sees = ({ entity = world.root, reason }: Task) =>
      reason.userName === who.userName || world.may(who, entity, 'System.Read');
    for (const task of all) {
      const { fault } = await read(world, who, task.task, 'info');
      assert.equal(fault === undefined, sees(task), `${task.key} of ${JSON.stringify(task.entity)}: ${fault}`);
    }
    if (!world.may(who, world.root, 'System.View')) return;
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
  readonly state: string;
  readonly reason: { readonly userName?: string };
}

const kept = new WeakMap<Tenant, MoRef>();

const TASK_CHANGES: readonly (readonly [method: string, args: object])[] = [
  ['UpdateProgress', { percentDone: 1 }],
  ['SetTaskState', { state: 'error' }],
  ['SetTaskDescription', { description: { _typeName: 'LocalizableMessage', key: 'mine' } }],
];

function tasksOf({ service }: World): [MoRef, Task][] {
  return Array.from(service.graph.ofType('Task'), ({ ref }) => [
    ref as MoRef,
    service.graph.get(ref).get('info') as never,
  ]);
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
  const about = vm ? [vm] : others.length > 0 ? others : [where ?? world.root];
  return about.every((ref) => world.may(who, ref, 'System.Read'));
}

const WHERE = ['host', 'computeResource', 'datacenter'];

const byNumber = (one: number, other: number) => one - other;
