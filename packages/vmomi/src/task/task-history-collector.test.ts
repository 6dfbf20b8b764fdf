import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MethodFault, type MoRef, schema, type TaskFilterSpec, type TaskInfo } from '@vivarium/vim';
import { turn } from '../testing/test-clock.ts';
import { fault, OTHER_VM, ROOT, testService, VM, VM_FOLDER } from '../testing/test-service.ts';
import { TASK_TEXTS } from './task-catalogue.ts';

async function world(context: Parameters<typeof testService>[0]) {
  const test = await testService(context);
  const manager = test.service.content.taskManager;
  assert.ok(manager);
  const run = async (entity: MoRef, work: () => Promise<unknown> = () => Promise.resolve()) => {
    test.service.tasks.start({ entity, descriptionId: 'VirtualMachine.powerOn', call: test.call() }, work);
    await turn();
  };
  const collector = (filter: TaskFilterSpec) =>
    test.invoke<MoRef<'TaskHistoryCollector'>>(manager, 'CreateCollectorForTasks', { filter });
  const read = async (ref: MoRef, method: string, maxCount: number) =>
    (await test.invoke<TaskInfo[]>(ref, method, { maxCount })).map(({ key }) => Number(key.split('-').at(-1)));
  return { ...test, run, collector, read };
}

void test('a collector reads from the oldest to the newest, and back', async (context) => {
  const { run, collector, read, invoke } = await world(context);
  for (let number = 1; number <= 5; number++) await run(VM);
  const ref = await collector({});
  assert.deepEqual(await read(ref, 'ReadNextTasks', 2), [1, 2]);
  assert.deepEqual(await read(ref, 'ReadNextTasks', 10), [3, 4, 5]);
  assert.deepEqual(await read(ref, 'ReadNextTasks', 10), []);
  assert.deepEqual(await read(ref, 'ReadPreviousTasks', 2), [5, 4]);
  await run(VM);
  await invoke(ref, 'RewindCollector');
  assert.deepEqual(await read(ref, 'ReadPreviousTasks', 10), []);
  assert.deepEqual(await read(ref, 'ReadNextTasks', 10), [1, 2, 3, 4, 5, 6]);
  await assert.rejects(read(ref, 'ReadNextTasks', 0), fault('InvalidArgument', { invalidProperty: 'maxCount' }));
});

void test('the latest page follows the tasks, newest first, and ResetCollector reads on behind it', async (context) => {
  const { run, collector, read, invoke, service } = await world(context);
  for (let number = 1; number <= 4; number++) await run(VM);
  const ref = await collector({});
  await invoke(ref, 'SetCollectorPageSize', { maxCount: 3 });
  const page = () =>
    service.graph
      .get(ref)
      .get('latestPage')
      ?.map(({ key, state }) => `${key.split('-').at(-1)} ${state}`);
  assert.deepEqual(page(), ['4 success', '3 success', '2 success']);
  await run(VM, () => Promise.reject(new MethodFault('InvalidState')));
  assert.deepEqual(page(), ['5 error', '4 success', '3 success']);
  await invoke(ref, 'ResetCollector');
  assert.deepEqual(await read(ref, 'ReadPreviousTasks', 10), [2, 1]);
  for (const maxCount of [0, 1001]) {
    await assert.rejects(invoke(ref, 'SetCollectorPageSize', { maxCount }), fault('InvalidArgument'));
  }
});

void test('filters choose by entity, recursion, state, user and time', async (context) => {
  const { run, collector, read, clock } = await world(context);
  await run(VM);
  await clock.advance(60_000);
  await run(OTHER_VM, () => Promise.reject(new MethodFault('InvalidState')));
  await run(VM_FOLDER);
  const chosen = async (filter: TaskFilterSpec) => read(await collector(filter), 'ReadNextTasks', 100);
  const by = (entity: MoRef, recursion: 'self' | 'children' | 'all') =>
    chosen({ entity: { entity: entity as MoRef<'ManagedEntity'>, recursion } });
  assert.deepEqual(await by(VM, 'self'), [1]);
  assert.deepEqual(await by(VM_FOLDER, 'children'), [1, 2]);
  assert.deepEqual(await by(VM_FOLDER, 'all'), [1, 2, 3]);
  assert.deepEqual(await by(ROOT, 'all'), [1, 2, 3]);
  assert.deepEqual(await by(ROOT, 'self'), []);
  assert.deepEqual(await chosen({ state: ['error'] }), [2]);
  assert.deepEqual(await chosen({ userName: { systemUser: false, userList: ['root'] } }), [1, 2, 3]);
  assert.deepEqual(await chosen({ userName: { systemUser: true } }), []);
  const beginTime = new Date(clock.now() - 1000).toISOString();
  assert.deepEqual(await chosen({ time: { timeType: 'queuedTime', beginTime } }), [2, 3]);
  await assert.rejects(
    by(ROOT, 'self').then(() => by({ type: 'Folder', value: 'gone' }, 'self')),
    fault('ManagedObjectNotFound'),
  );
});

void test('a session has at most 32 collectors, and destroying one makes room', async (context) => {
  const { collector, invoke, service } = await world(context);
  const refs = await Promise.all(Array.from({ length: 32 }, () => collector({})));
  await assert.rejects(collector({}), fault('InvalidState'));
  await invoke(refs[0]!, 'DestroyCollector');
  assert.equal(service.graph.find(refs[0]!), undefined);
  await collector({});
});

void test('the catalogue names methods of the schema', () => {
  for (const { method } of TASK_TEXTS) assert.ok(schema.declaredMethod(method), method);
});

void test('users see the tasks on what they may read, and only those', async (context) => {
  const { service, run, invoke, call, login } = await world(context);
  const manager = service.content.taskManager!;
  await service.authorization.grant(VM, [{ principal: 'ann', isGroup: false, roleId: -2, propagate: true }]);
  const ann = call(login('ann'));
  await run(VM);
  await run(OTHER_VM);
  const collector = await invoke<MoRef>(manager, 'CreateCollectorForTasks', { filter: {} }, ann);
  const seen = await invoke<TaskInfo[]>(collector, 'ReadNextTasks', { maxCount: 100 }, ann);
  assert.deepEqual(
    seen.map(({ entity }) => entity),
    [VM],
  );
  const recent = await invoke<{ _value: MoRef[] }>(manager, 'Fetch', { prop: 'recentTask' }, ann);
  assert.equal(recent._value.length, 1);
});
