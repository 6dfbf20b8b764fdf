import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MethodFault, type MoRef, moRef, type TaskInfo } from '@vivarium/vim';
import { turn } from '../testing/test-clock.ts';
import { fault, type TestService, testService, VM } from '../testing/test-service.ts';
import type { TaskHandle } from './task-registry.ts';

const powerOn = { entity: VM, descriptionId: 'VirtualMachine.powerOn' };
const infoOf = ({ service }: TestService, ref: MoRef<'Task'>) => service.graph.get(ref).get('info') as TaskInfo;

void test('a task goes from queued over running to success and carries who, what and when', async (context) => {
  const world = await testService(context);
  const { service, clock } = world;
  const work = Promise.withResolvers<unknown>();
  let handle: TaskHandle | undefined;
  const ref = service.tasks.start({ ...powerOn, call: world.call() }, (task) => {
    handle = task;
    return work.promise;
  });
  assert.match(ref.value, /^haTask-1-vim\.VirtualMachine\.powerOn-\d+$/);
  const queued = infoOf(world, ref);
  assert.deepEqual(
    [
      queued.state,
      queued.name,
      queued.descriptionId,
      queued.entity,
      queued.entityName,
      queued.cancelable,
      queued.cancelled,
    ],
    ['queued', 'PowerOnVM_Task', 'VirtualMachine.powerOn', VM, 'vm1', false, false],
  );
  assert.deepEqual(queued.reason, { _typeName: 'TaskReasonUser', userName: 'root' });
  await turn();
  assert.equal(infoOf(world, ref).state, 'running');
  handle?.progress(40.4);
  assert.equal(infoOf(world, ref).progress, 40);
  await clock.advance(5000);
  work.resolve({ _typeName: 'ManagedObjectReference', ...VM });
  await turn();
  const done = infoOf(world, ref);
  assert.equal(done.state, 'success');
  assert.equal(done.progress, undefined);
  assert.deepEqual(done.result, { _typeName: 'ManagedObjectReference', ...VM });
  assert.equal(Date.parse(done.completeTime ?? '') - Date.parse(done.queueTime), 5000);
  handle?.progress(50);
  assert.equal(infoOf(world, ref).progress, undefined);
});

void test('the task shows in recentTask of its entity and of the manager for ten minutes', async (context) => {
  const { service, clock, call } = await testService(context);
  const manager = service.graph.get(service.content.taskManager!);
  const ref = service.tasks.start(powerOn, () => Promise.resolve());
  assert.deepEqual(service.graph.get(VM).get('recentTask'), [ref]);
  await turn();
  assert.deepEqual(manager.read('recentTask', call()), [ref]);
  await clock.advance(9 * 60_000);
  assert.ok(service.graph.find(ref));
  await clock.advance(61_000);
  assert.equal(service.graph.find(ref), undefined);
  assert.deepEqual(service.graph.get(VM).get('recentTask'), []);
  assert.deepEqual(manager.read('recentTask', call()), []);
});

void test('of many tasks the oldest leave early, but not in the first half minute', async (context) => {
  const world = await testService(context);
  const { service, clock } = world;
  const run = () => service.tasks.run({ descriptionId: 'VirtualMachine.powerOn' }, () => Promise.resolve());
  const [first] = [service.tasks.start({ descriptionId: 'VirtualMachine.powerOn' }, () => Promise.resolve())];
  for (let task = 0; task < 600; task++) await run();
  assert.equal(service.tasks.recent().length, 601);
  await clock.advance(31_000);
  await run();
  assert.equal(service.tasks.recent().length, 500);
  assert.equal(service.graph.find(first), undefined);
});

void test('a fault ends the task with that fault', async (context) => {
  const world = await testService(context);
  const refused = new MethodFault(
    'InvalidPowerState',
    { requestedState: 'poweredOn', existingState: 'poweredOn' },
    'It is on.',
  );
  const ref = world.service.tasks.start(powerOn, () => Promise.reject(refused));
  await turn();
  const { state, error } = infoOf(world, ref);
  assert.equal(state, 'error');
  assert.deepEqual(error, { _typeName: 'LocalizedMethodFault', fault: refused.fault, localizedMessage: 'It is on.' });
  assert.deepEqual(world.errors, []);
  await assert.rejects(
    world.service.tasks.run(powerOn, () => Promise.reject(refused)),
    fault('InvalidPowerState'),
  );
});

void test('any other failure is logged with its stack and shown as SystemError without it', async (context) => {
  const world = await testService(context);
  const ref = world.service.tasks.start(powerOn, () => Promise.reject(new Error('secret inside')));
  await turn();
  const { error } = infoOf(world, ref);
  assert.equal(error?.fault._typeName, 'SystemError');
  assert.ok(!JSON.stringify(error).includes('secret'));
  assert.equal(world.errors.length, 1);
  assert.match(String((world.errors[0] as { stack?: string }).stack), /secret inside/);
});

void test('work that throws before its first await fails the same way', async (context) => {
  const world = await testService(context);
  const ref = world.service.tasks.start(powerOn, () => {
    throw new MethodFault('InvalidState');
  });
  await turn();
  assert.equal(infoOf(world, ref).error?.fault._typeName, 'InvalidState');
});

void test('CancelTask aborts cancelable work, refuses the rest', async (context) => {
  const world = await testService(context);
  const { service, invoke } = world;
  const waitForAbort = ({ signal }: TaskHandle) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  const fixed = service.tasks.start(powerOn, waitForAbort);
  await assert.rejects(invoke(fixed, 'CancelTask'), fault('NotSupported'));
  const ref = service.tasks.start({ ...powerOn, cancelable: true }, waitForAbort);
  await turn();
  await invoke(ref, 'CancelTask');
  await turn();
  const info = infoOf(world, ref);
  assert.deepEqual([info.state, info.cancelled, info.error?.fault._typeName], ['error', true, 'RequestCanceled']);
  await assert.rejects(invoke(ref, 'CancelTask'), fault('InvalidState'));
});

void test('only who started a task, or holds Global.CancelTask, may cancel it', async (context) => {
  const world = await testService(context);
  const { service, invoke, call, login } = world;
  const roleId = await service.authorization.addRole('operator', ['VirtualMachine.Interact.PowerOn']);
  for (const principal of ['ann', 'bob'])
    await service.authorization.grant(VM, [{ principal, isGroup: false, roleId, propagate: true }]);
  const [ann, bob] = [call(login('ann')), call(login('bob'))];
  const ref = service.tasks.start(
    { ...powerOn, cancelable: true, call: ann },
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  );
  await assert.rejects(invoke(ref, 'CancelTask', {}, bob), fault('NoPermission', { privilegeId: 'Global.CancelTask' }));
  await invoke(ref, 'CancelTask', {}, ann);
});

void test('a task that a restart interrupted is an error in the history', async (context) => {
  const first = await testService(context);
  const never = first.service.tasks.start(
    powerOn,
    ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
  );
  await first.service.tasks.settled();
  await first.service.store.close(); // as a crash: nothing is ended
  const { service } = await testService(context, { directory: first.directory });
  const [entry] = service.store.history.page<TaskInfo>('tasks', { order: 'newestFirst', limit: 1 });
  assert.equal(entry?.value.key, never.value);
  await service.tasks.settled();
  const [closed] = service.store.history.page<TaskInfo>('tasks', { order: 'newestFirst', limit: 1 });
  assert.equal(closed?.value.state, 'error');
  const next = service.tasks.start(powerOn, () => Promise.resolve());
  assert.notEqual(next.value, never.value);
});

void test('vCenter numbers its tasks', async (context) => {
  const { service } = await testService(context, { instance: 'VirtualCenter' });
  assert.match(service.tasks.start(powerOn, () => Promise.resolve()).value, /^task-\d+$/);
});

void test("a start posts a TaskEvent that shares the task's chain", async (context) => {
  const world = await testService(context);
  const ref = world.service.tasks.start({ ...powerOn, call: world.call() }, () => Promise.resolve());
  const event = world.service.events.latest;
  assert.equal(event?._typeName, 'TaskEvent');
  assert.equal(event.userName, 'root');
  assert.equal(event.fullFormattedMessage, 'Task: Power On virtual machine');
  assert.equal(infoOf(world, ref).eventChainId, event.chainId);
});

test('work on what belongs to an entity is shown as work on the entity', async (context) => {
  const { service } = await testService(context);
  const datastore = moRef('Datastore', 'ds-1');
  const browser = moRef('HostDatastoreBrowser', 'browser-1');
  service.graph.add(datastore, { name: 'fast' }, {});
  service.graph.add(browser, {}, {}, { entity: datastore as MoRef });
  const task = service.tasks.start(
    { entity: browser as MoRef, descriptionId: 'host.DatastoreBrowser.search' },
    async () => 1,
  );
  const info = service.graph.get(task).get('info');
  assert.deepEqual(info?.entity, datastore);
  assert.equal(info?.entityName, 'fast');
});
