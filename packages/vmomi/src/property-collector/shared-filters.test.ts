// Filters of many sessions of one user: what they have in common is there once, and each is told what concerns it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, make, moRef, type PropertyFilterSpec, type UpdateSet } from '@vivarium/vim';
import type { Call } from '../call.ts';
import { addFolder, addMachine, COLLECTOR, overTheWire, ROOT, TestWorld, VIEW_MANAGER } from './test-world.ts';

const VMS = ['vm-1', 'vm-2', 'vm-3'].map((id) => moRef('VirtualMachine', id));
const [VM, OTHER_VM] = VMS as [MoRef<'VirtualMachine'>, MoRef<'VirtualMachine'>];

function world1(): TestWorld {
  const world = new TestWorld();
  addFolder(world, ROOT, 'Root', [...VMS]);
  for (const { value } of VMS) addMachine(world, value, { runtime: { powerState: 'poweredOff' } });
  return world;
}

function specOf(root: MoRef, type: string, path: string, pathSet: string[]): PropertyFilterSpec {
  return make('PropertyFilterSpec', {
    propSet: [make('PropertySpec', { type: 'VirtualMachine', pathSet })],
    objectSet: [
      make('ObjectSpec', {
        obj: root as never,
        skip: true,
        selectSet: [make('TraversalSpec', { type: type as never, path, skip: false })],
      }),
    ],
    reportMissingObjectsInResults: true,
  });
}

/** A client of its own session that follows the names of all VMs by a view of its own. */
async function viewer(world: TestWorld, userName = 'user') {
  const opened = world.login(userName);
  const call = world.call(opened.session);
  const view = await world.invoke<MoRef>(VIEW_MANAGER, 'CreateContainerView', viewArgs, call);
  const filter = await world.createFilter(specOf(view, 'ContainerView', 'view', ['name']), false, call);
  return { opened, call, view, filter, ...asks(world, call) };
}

const viewArgs = { container: ROOT, type: ['VirtualMachine'], recursive: true };

function asks(world: TestWorld, call: Call) {
  let version = '';
  /** What happened since it asked last, or since `from`. */
  const ask = async (from = version): Promise<unknown[]> => {
    const options = { maxWaitSeconds: 0 };
    const set = await world.invoke<UpdateSet>(COLLECTOR, 'WaitForUpdatesEx', { version: from, options }, call);
    if (set) version = set.version;
    return short(set);
  };
  return { ask, version: () => version };
}

function short(set: UpdateSet | undefined): unknown[] {
  const [first] = (overTheWire('WaitForUpdatesEx', set) as UpdateSet | undefined)?.filterSet ?? [];
  const updates = (first?.objectSet ?? []).map(({ kind, obj, changeSet = [] }) => [
    kind,
    obj.value,
    ...changeSet.map(({ val }) => (val as { _value: unknown })._value),
  ]);
  return [...updates, ...(first?.missingSet ?? []).map(({ obj }) => ['missing', obj.value])];
}

const everything = VMS.map(({ value }) => ['enter', value, `name of ${value}`]);

void test('a thousand equal filters watch as much as one', async () => {
  const world = world1();
  const first = await viewer(world);
  await first.ask();
  const { size } = world.router;
  const before = world.graph.size;
  const others = await Promise.all(Array.from({ length: 1000 }, () => viewer(world)));
  for (const { ask } of others) assert.deepEqual(await ask(), everything);
  assert.equal(world.graph.size - before, 2 * others.length, 'a view and a filter each');
  assert.equal(world.router.size - size, others.length, 'each watches its own view');
  for (const { opened } of [first, ...others]) opened.end();
  assert.equal(world.router.size, 0, 'nothing is watched any more');
  assert.equal(world.graph.size, before - 3, 'with the twin of the views');
});

void test('what is told is made once', async () => {
  const world = world1();
  const clients = [await viewer(world), await viewer(world)];
  const asked = async (version: string) => {
    const sets: UpdateSet[] = [];
    for (const { call } of clients)
      sets.push(await world.invoke(COLLECTOR, 'WaitForUpdatesEx', { version, options: { maxWaitSeconds: 0 } }, call));
    return sets;
  };
  const [one, other] = await asked('');
  assert.equal(one?.filterSet?.[0]?.objectSet, other?.filterSet?.[0]?.objectSet);
  assert.notEqual(one?.filterSet?.[0]?.filter.value, other?.filterSet?.[0]?.filter.value);
  world.graph.get(VM).set('name', 'x');
  const [later, alsoLater] = await asked(one?.version ?? '');
  assert.equal(later?.filterSet?.[0]?.objectSet, alsoLater?.filterSet?.[0]?.objectSet);
});

void test('each session has versions of its own', async () => {
  const world = world1();
  const [quick, slow] = [await viewer(world), await viewer(world)];
  await quick.ask();
  await slow.ask();
  const old = slow.version();
  for (let count = 1; count <= 200; count++) {
    world.graph.get(VM).set('name', `x${count}`);
    if (count === 100) world.graph.get(OTHER_VM).set('name', 'once');
    assert.equal((await quick.ask()).length, count === 100 ? 2 : 1);
  }
  const missed = [
    ['modify', 'vm-2', 'once'],
    ['modify', 'vm-1', 'x200'],
  ];
  assert.deepEqual(await slow.ask(), missed);
  assert.deepEqual(await slow.ask(old), missed, 'a lost answer');
  assert.deepEqual(await slow.ask(''), [
    ['enter', 'vm-1', 'x200'],
    ['enter', 'vm-2', 'once'],
    ['enter', 'vm-3', 'name of vm-3'],
  ]);
});

void test('a value that came back to what a slow client knows is not told', async () => {
  const world = world1();
  const [quick, slow] = [await viewer(world), await viewer(world)];
  await quick.ask();
  await slow.ask();
  for (let count = 0; count < 100; count++) {
    world.graph.get(VM).set('name', `x${count}`);
    await quick.ask();
  }
  world.graph.get(VM).set('name', 'name of vm-1');
  await quick.ask();
  assert.deepEqual(await slow.ask(), []);
});

void test('when a session destroys its view, everything leaves for it alone', async () => {
  const world = world1();
  const [staying, leaving, late] = [await viewer(world), await viewer(world), await viewer(world)];
  await staying.ask();
  await leaving.ask();
  const old = leaving.version();
  world.graph.get(ROOT).set('childEntity', [VM, OTHER_VM]);
  await world.invoke(leaving.view, 'DestroyView', {}, leaving.call);
  await world.invoke(late.view, 'DestroyView', {}, late.call);
  const farewell = [...VMS.map(({ value }) => ['leave', value]), ['missing', leaving.view.value]];
  assert.deepEqual(await leaving.ask(), farewell);
  assert.deepEqual(await leaving.ask(old), farewell, 'a lost answer');
  world.graph.get(VM).set('name', 'x');
  assert.deepEqual(await leaving.ask(), []);
  assert.deepEqual(await leaving.ask(''), [['missing', leaving.view.value]]);
  assert.deepEqual(await late.ask(), [['missing', late.view.value]], 'it never knew them');
  assert.deepEqual(await staying.ask(), [
    ['leave', 'vm-3'],
    ['modify', 'vm-1', 'x'],
  ]);
  await world.invoke(staying.view, 'DestroyView', {}, staying.call);
  assert.deepEqual((await staying.ask()).sort(), [
    ['leave', 'vm-1'],
    ['leave', 'vm-2'],
    ['missing', staying.view.value],
  ]);
});

void test('users with other rights share nothing', async () => {
  const world = world1();
  world.authorization.policy = ({ userName }, { ref }) => userName === 'user' || ref.value !== VM.value;
  const [all, some] = [await viewer(world), await viewer(world, 'other')];
  assert.deepEqual(await all.ask(), everything);
  assert.deepEqual(await some.ask(), everything.slice(1));
  world.graph.get(VM).set('name', 'secret');
  assert.deepEqual(await all.ask(), [['modify', 'vm-1', 'secret']]);
  assert.deepEqual(await some.ask(), []);
});

void test('filters that depend on the session are not shared', async () => {
  const world = world1();
  const [one, other] = [await viewer(world), await viewer(world)];
  const collectors = make('PropertyFilterSpec', {
    propSet: [make('PropertySpec', { type: 'PropertyCollector', pathSet: ['filter'] })],
    objectSet: [make('ObjectSpec', { obj: COLLECTOR })],
  });
  for (const { call } of [one, other]) {
    const filter = await world.createFilter(collectors, false, call);
    const set = await world.check('', {}, call);
    const update = set?.filterSet?.find((one) => one.filter.value === filter.value);
    const value = update?.objectSet?.[0]?.changeSet?.[0]?.val as { _value: MoRef[] };
    const own = (world.graph.get(COLLECTOR).read('filter', call) as MoRef[]).map((ref) => ref.value);
    assert.deepEqual(
      value._value.map((ref) => ref.value),
      own,
    );
    assert.equal(own.length, 2);
  }
});

void test('the twin of a view is nobody’s to see', async () => {
  const world = world1();
  const { call, view } = await viewer(world);
  const twins = [...world.graph.ofType('ContainerView')].filter(({ ref }) => ref.value !== view.value);
  assert.equal(twins.length, 1);
  const [twin] = twins;
  assert.ok(twin);
  const spec = specOf(twin.ref, 'ContainerView', 'view', ['name']);
  assert.deepEqual(await world.retrieve([spec], call), []);
});

void test('many who wait are answered in turns, in the order of waiting, with all that happened', async () => {
  const world = world1();
  const clients = await Promise.all(Array.from({ length: 200 }, () => viewer(world)));
  const answers: unknown[][] = [];
  const waits = clients.map(async ({ ask, call, version }) => {
    await ask();
    const set = await world.invoke<UpdateSet>(COLLECTOR, 'WaitForUpdatesEx', { version: version() }, call);
    answers.push(short(set));
  });
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  world.graph.get(VM).set('name', 'first');
  assert.equal(world.turn(), 1);
  world.graph.get(OTHER_VM).set('name', 'second');
  // The others are told at the pace of the queue.
  for (let passedMs = 0; passedMs < 100; passedMs += 10) {
    world.advance(10);
    world.turn();
  }
  await Promise.all(waits);
  assert.deepEqual(answers[0], [['modify', 'vm-1', 'first']]);
  assert.deepEqual(answers[199], [
    ['modify', 'vm-1', 'first'],
    ['modify', 'vm-2', 'second'],
  ]);
});
