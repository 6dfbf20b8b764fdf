import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isFault, type ManagedObjectReference, MethodFault, moRef, type ObjectUpdate } from '@vivarium/vim';
import { VimClient } from './client.ts';
import { TaskFollower, TaskLost } from './task-follower.ts';
import { fakeEndpoint, HANG_UP, pem } from './testing/fake-endpoint.ts';
import { HastyClock } from './testing/hasty-clock.ts';

const VM = moRef('VirtualMachine', '1');

interface Modification {
  readonly add?: readonly ManagedObjectReference[];
  readonly remove?: readonly ManagedObjectReference[];
}

async function world(context: TestContext) {
  const endpoint = await fakeEndpoint(context);
  const { answers } = endpoint;
  let tasks = 0;
  let views = 0;
  /** What the endpoint's view holds. */
  const inView = new Set<string>();
  answers['PowerOnVM_Task'] = () => ({ type: 'Task', value: `task-${++tasks}` });
  answers['CreateListView'] = () => {
    inView.clear();
    return { type: 'ListView', value: `view-${++views}` };
  };
  answers['ModifyListView'] = ({ body, target }) => {
    if (target !== `view-${views}`) throw new MethodFault('ManagedObjectNotFound', { obj: moRef('ListView', target) });
    for (const { value } of (body as Modification).add ?? []) inView.add(value);
    for (const { value } of (body as Modification).remove ?? []) inView.delete(value);
    return undefined;
  };
  const client = new VimClient({ url: endpoint.url, trust: { certificate: pem('self') } });
  context.after(() => client.close());
  const follower = new TaskFollower(client, new HastyClock());
  context.after(() => follower.close(new Error('the test is over')));
  return { endpoint, client, inView, follower };
}

const news = (id: string, info: object): ObjectUpdate =>
  ({
    kind: 'modify',
    obj: moRef('Task', id),
    changeSet: [{ name: 'info', op: 'assign', val: { _typeName: 'TaskInfo', key: id, ...info } }],
  }) as unknown as ObjectUpdate;

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`this did not come to pass: ${what}`);
}

void test('many tasks are followed through one view, with few calls, and leave it when they end', async (context) => {
  const { endpoint, follower, inView } = await world(context);
  await follower.filter();
  const modify = endpoint.answers['ModifyListView'];
  endpoint.answers['ModifyListView'] = async (request) => {
    await until('all tasks have been started', () => endpoint.count('PowerOnVM_Task') === 100);
    return modify?.(request);
  };
  const runs = Array.from({ length: 100 }, () => follower.run(VM, 'PowerOnVM_Task', {}));
  await until('all tasks are in the view', () => inView.size === 100);
  assert.ok(endpoint.count('ModifyListView') <= 20, `${endpoint.count('ModifyListView')} calls`);
  follower.apply(Array.from({ length: 100 }, (_, index) => news(`task-${index + 1}`, { state: 'success' })));
  await Promise.all(runs);
  await until('the view is empty', () => inView.size === 0);
  assert.equal(follower.size, 0);
  assert.equal(endpoint.count('CreateListView'), 1);
});

void test('a task ends with its result, unboxed, or with its fault; until then its states are told', async (context) => {
  const { follower } = await world(context);
  const states: string[] = [];
  const good = follower.follow(moRef('Task', 'good'), { onInfo: ({ state }) => states.push(state) });
  const again = follower.follow(moRef('Task', 'good'));
  const bad = follower.follow(moRef('Task', 'bad'));
  follower.apply([news('good', { state: 'running' }), news('other', { state: 'success' })]);
  follower.apply([news('good', { state: 'success', result: { _typeName: 'string', _value: '[ds] a.png' } })]);
  const fault = { _typeName: 'InvalidPowerState', requestedState: 'poweredOn', existingState: 'poweredOn' };
  follower.apply([news('bad', { state: 'error', error: { fault, localizedMessage: 'no' } })]);
  assert.deepEqual(await Promise.all([good, again]), ['[ds] a.png', '[ds] a.png']);
  assert.deepEqual(states, ['running', 'success']);
  await assert.rejects(bad, (error) => isFault(error, 'InvalidPowerState') && error.message === 'no');
});

void test('a task that the endpoint does not know, or forgets, is lost', async (context) => {
  const { endpoint, follower } = await world(context);
  const unknown = moRef('Task', 'unknown');
  endpoint.answers['ModifyListView'] = ({ body }) =>
    (body as Modification).add?.filter(({ value }) => value === 'unknown');
  await follower.filter();
  const left = follower.follow(moRef('Task', 'left'));
  await assert.rejects(follower.follow(unknown), TaskLost);
  follower.apply([{ kind: 'leave', obj: moRef('Task', 'left') }]);
  await assert.rejects(left, TaskLost);
});

void test('of a task that is gone the history may know how it ended', async (context) => {
  const { endpoint, follower } = await world(context);
  endpoint.answers['ModifyListView'] = ({ body }) => (body as Modification).add;
  endpoint.answers['CreateCollectorForTasks'] = () => ({ type: 'TaskHistoryCollector', value: 'history' });
  endpoint.answers['latestPage'] = () => [
    { _typeName: 'TaskInfo', key: 'done', state: 'success', result: { _typeName: 'string', _value: 'x' } },
    { _typeName: 'TaskInfo', key: 'cut', state: 'error', error: { fault: { _typeName: 'SystemError', reason: '' } } },
    { _typeName: 'TaskInfo', key: 'open', state: 'running' },
  ];
  await follower.filter();
  const [done, cut, open] = ['done', 'cut', 'open'].map((id) => follower.follow(moRef('Task', id)));
  assert.equal(await done, 'x');
  await assert.rejects(cut as Promise<unknown>, (error) => isFault(error, 'SystemError'));
  await assert.rejects(open as Promise<unknown>, TaskLost);
  assert.equal(endpoint.count('CreateCollectorForTasks'), 1);
  assert.equal(endpoint.count('DestroyCollector'), 1);
});

void test('a new session gets a new view with all tasks that are open', async (context) => {
  const { follower, inView } = await world(context);
  await follower.filter();
  const tasks = ['a', 'b'].map((id) => follower.follow(moRef('Task', id)));
  await until('they are in the view', () => inView.size === 2);
  follower.apply([news('a', { state: 'success' })]);
  await follower.filter();
  await until('the open one is in the view', () => inView.size === 1 && inView.has('b'));
  follower.apply([news('b', { state: 'success' })]);
  await Promise.all(tasks);
});

void test('a change of the view that is lost on the way is asked for again', async (context) => {
  const { endpoint, follower, inView } = await world(context);
  await follower.filter();
  const modify = endpoint.answers['ModifyListView'];
  let losses = 3;
  endpoint.answers['ModifyListView'] = (request) => (losses-- > 0 ? HANG_UP : modify?.(request));
  const task = follower.follow(moRef('Task', 'a'));
  await until('it is in the view', () => inView.has('a'));
  follower.apply([news('a', { state: 'success' })]);
  await task;
});

void test('whoever gives up leaves the task alone; whoever closes ends all', async (context) => {
  const { endpoint, follower } = await world(context);
  await follower.filter();
  const stop = new AbortController();
  const given = follower.follow(moRef('Task', 'a'), { signal: stop.signal });
  const other = follower.follow(moRef('Task', 'b'));
  stop.abort(new Error('no time'));
  await assert.rejects(given, /no time/);
  follower.close(new Error('the host was removed'));
  await assert.rejects(other, /the host was removed/);
  await assert.rejects(follower.follow(moRef('Task', 'c')), /the host was removed/);
  assert.equal(endpoint.count('CancelTask'), 0);
});
