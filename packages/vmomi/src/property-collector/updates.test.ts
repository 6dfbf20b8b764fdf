import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, moRef, type PropertyFilterSpec, type TraversalSpec, type UpdateSet, unbox } from '@vivarium/vim';
import type { Call } from '../call.ts';
import {
  addFolder,
  addMachine,
  COLLECTOR,
  fault,
  overTheWire,
  ROOT,
  specOf,
  TestWorld,
  VIEW_MANAGER,
} from './test-world.ts';

const vm = (id: string) => moRef('VirtualMachine', id);

/** An answer in short: ['enter', 'vm-1', {name: 'x'}], ['modify', 'vm-1', {name: ['assign', 'y']}], ['leave', 'vm-1']. */
function short(set: UpdateSet | undefined): unknown[] {
  return (set?.filterSet ?? []).flatMap(({ objectSet = [], missingSet = [] }) => [
    ...missingSet.map(({ obj }) => ['missing', obj.value]),
    ...objectSet.map(({ kind, obj, changeSet = [], missingSet: unreadable = [] }) => {
      const changes: Record<string, unknown> = {};
      for (const { name, op, val } of changeSet) changes[name] = kind === 'enter' ? unbox(val) : [op, unbox(val)];
      for (const { path, fault: why } of unreadable) changes[path] = (why.fault as { _typeName?: string })._typeName;
      return kind === 'leave' ? [kind, obj.value] : [kind, obj.value, changes];
    }),
  ]);
}

function world1(): TestWorld {
  const world = new TestWorld();
  addFolder(world, ROOT, 'Root', [vm('vm-1')]);
  addMachine(world, 'vm-1', { runtime: { powerState: 'poweredOff' } });
  return world;
}

const childSpec = (pathSet: string[]): PropertyFilterSpec => ({
  propSet: [{ type: 'VirtualMachine' as never, pathSet }],
  objectSet: [
    {
      obj: ROOT,
      skip: true,
      selectSet: [{ _typeName: 'TraversalSpec', type: 'Folder', path: 'childEntity' } as TraversalSpec],
    },
  ],
});

void test('the first answer tells everything, the next ones what changed', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['name', 'runtime.powerState', 'guest'], vm('vm-1')));
  const first = await world.check('');
  assert.deepEqual(short(first), [['enter', 'vm-1', { name: 'name of vm-1', 'runtime.powerState': 'poweredOff' }]]);
  assert.equal(await world.check(first?.version ?? ''), undefined);
  world.graph
    .get(vm('vm-1'))
    .update({ 'runtime.powerState': 'poweredOn', name: 'new', 'runtime.bootTime': '2026-01-01T00:00:00Z' });
  const second = await world.check(first?.version ?? '');
  assert.deepEqual(short(second), [
    ['modify', 'vm-1', { name: ['assign', 'new'], 'runtime.powerState': ['assign', 'poweredOn'] }],
  ]);
  assert.ok(Number(second?.version) > Number(first?.version));
});

void test('a change that ends where the client knows it to be is no change', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
  const version = (await world.check(''))?.version ?? '';
  const machine = world.graph.get(vm('vm-1'));
  machine.set('name', 'other');
  await world.check(version);
  machine.set('name', 'name of vm-1');
  assert.equal(await world.check(version), undefined);
});

void test('an old version may be given again: the answer counts from there', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['name', 'guest.ipAddress'], vm('vm-1')));
  const v1 = (await world.check(''))?.version ?? '';
  const machine = world.graph.get(vm('vm-1'));
  machine.set('name', 'two');
  const v2 = (await world.check(v1))?.version ?? '';
  machine.set('guest', { ipAddress: '10.0.0.1' });
  const lost = await world.check(v2);
  assert.deepEqual(short(lost), [['modify', 'vm-1', { 'guest.ipAddress': ['assign', '10.0.0.1'] }]]);
  assert.deepEqual(short(await world.check(v2)), short(lost));
  assert.deepEqual(short(await world.check(v1)), [
    ['modify', 'vm-1', { name: ['assign', 'two'], 'guest.ipAddress': ['assign', '10.0.0.1'] }],
  ]);
});

void test('an object that left, came back and left again while answers were lost has left', async () => {
  const world = world1();
  await world.createFilter(childSpec(['name']));
  const version = (await world.check(''))?.version ?? '';
  const root = world.graph.get(ROOT);
  for (const children of [[], [vm('vm-1')], []]) {
    root.set('childEntity', children);
    await world.check(version);
  }
  assert.deepEqual(short(await world.check(version)), [['leave', 'vm-1']]);
  root.set('childEntity', [vm('vm-1')]);
  assert.deepEqual(short(await world.check(version)), [['enter', 'vm-1', { name: 'name of vm-1' }]]);
});

void test('partial updates count from the version that the client has', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['runtime'], vm('vm-1')), true);
  const version = (await world.check(''))?.version ?? '';
  const machine = world.graph.get(vm('vm-1'));
  machine.set('runtime.powerState', 'poweredOn');
  await world.check(version);
  machine.set('runtime.paused', true);
  assert.deepEqual(short(await world.check(version)), [
    ['modify', 'vm-1', { 'runtime.powerState': ['assign', 'poweredOn'], 'runtime.paused': ['assign', true] }],
  ]);
});

void test('an empty version starts over', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
  const first = await world.check('');
  assert.deepEqual(short(await world.check('')), short(first));
});

for (const version of ['1', '99', 'x', '-1', '1.5', ' 1', '0']) {
  void test(`a version that was never given out is refused: '${version}'`, async () => {
    const world = world1();
    await assert.rejects(world.check(version), fault('InvalidCollectorVersion'));
    for (const method of ['CheckForUpdates', 'WaitForUpdates']) {
      await assert.rejects(world.invoke(COLLECTOR, method, { version }), fault('InvalidCollectorVersion'));
    }
  });
}

void test('a version far behind what the client had already is refused', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
  let version = (await world.check(''))?.version ?? '';
  const first = version;
  for (let count = 0; count < 40; count++) {
    world.graph.get(vm('vm-1')).set('name', `name ${count}`);
    version = (await world.check(version))?.version ?? '';
  }
  await assert.rejects(world.check(first), fault('InvalidCollectorVersion'));
});

void test('a client whose version never grows has to start over in the end', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
  const version = (await world.check(''))?.version ?? '';
  const askForEver = async () => {
    for (let count = 0; count < 2000; count++) {
      world.graph.get(vm('vm-1')).set('name', `name ${count}`);
      await world.check(version);
    }
  };
  await assert.rejects(askForEver(), fault('InvalidCollectorVersion'));
});

void test('a property that comes, is unset, or loses what contains it', async () => {
  const world = world1();
  const paths = ['guest', 'guest.ipAddress', 'config.hardware.device[7]', 'config.hardware.device[7].unitNumber'];
  await world.createFilter(specOf('VirtualMachine', paths, vm('vm-1')));
  const machine = world.graph.get(vm('vm-1'));
  let version = (await world.check(''))?.version ?? '';
  const next = async (path: string, value: unknown) => {
    machine.set(path, value);
    const set = await world.check(version);
    version = set?.version ?? version;
    return (short(set)[0] as unknown[])[2];
  };
  const device = { _typeName: 'VirtualDisk', key: 7, unitNumber: 1 };
  assert.deepEqual(await next('guest', { _typeName: 'GuestInfo', ipAddress: 'a' }), {
    guest: ['assign', { _typeName: 'GuestInfo', ipAddress: 'a' }],
    'guest.ipAddress': ['assign', 'a'],
  });
  assert.deepEqual(await next('guest.ipAddress', undefined), {
    guest: ['assign', { _typeName: 'GuestInfo' }],
    'guest.ipAddress': ['assign', undefined],
  });
  await next('guest.ipAddress', 'b');
  assert.deepEqual(await next('guest', undefined), {
    guest: ['assign', undefined],
    'guest.ipAddress': ['indirectRemove', undefined],
  });
  machine.set('config', { hardware: { device: [] } });
  assert.deepEqual(await next('config.hardware.device', [device]), {
    'config.hardware.device[7]': ['assign', device],
    'config.hardware.device[7].unitNumber': ['assign', 1],
  });
  assert.deepEqual(await next('config.hardware.device', []), {
    'config.hardware.device[7]': ['remove', undefined],
    'config.hardware.device[7].unitNumber': ['indirectRemove', undefined],
  });
});

void test('partial updates name the nested property, others the one asked for', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['runtime'], vm('vm-1')), true);
  await world.createFilter(specOf('VirtualMachine', ['runtime'], vm('vm-1')), false);
  const version = (await world.check(''))?.version ?? '';
  world.graph.get(vm('vm-1')).set('runtime.powerState', 'poweredOn');
  assert.deepEqual(short(await world.check(version)), [
    ['modify', 'vm-1', { 'runtime.powerState': ['assign', 'poweredOn'] }],
    ['modify', 'vm-1', { runtime: ['assign', { _typeName: 'VirtualMachineRuntimeInfo', powerState: 'poweredOn' }] }],
  ]);
});

void test('objects enter and leave with the property that leads to them', async () => {
  const world = world1();
  await world.createFilter(childSpec(['name']));
  let version = (await world.check(''))?.version ?? '';
  const next = async () => {
    const set = await world.check(version);
    version = set?.version ?? version;
    return short(set);
  };
  addMachine(world, 'vm-2');
  assert.deepEqual(await next(), []);
  world.graph.get(ROOT).set('childEntity', [vm('vm-1'), vm('vm-2')]);
  assert.deepEqual(await next(), [['enter', 'vm-2', { name: 'name of vm-2' }]]);
  world.graph.get(vm('vm-2')).set('name', 'x');
  assert.deepEqual(await next(), [['modify', 'vm-2', { name: ['assign', 'x'] }]]);
  world.graph.get(ROOT).set('childEntity', [vm('vm-2')]);
  assert.deepEqual(await next(), [['leave', 'vm-1']]);
  world.graph.get(vm('vm-1')).set('name', 'nobody looks');
  assert.deepEqual(await next(), []);
  world.graph.get(ROOT).set('childEntity', [vm('vm-2'), vm('vm-1')]);
  assert.deepEqual(await next(), [['enter', 'vm-1', { name: 'nobody looks' }]]);
  world.graph.remove(vm('vm-1'));
  assert.deepEqual(await next(), [['leave', 'vm-1']]);
  addMachine(world, 'vm-1');
  assert.deepEqual(await next(), [['enter', 'vm-1', { name: 'name of vm-1' }]]);
});

void test('an object that came and went unseen is not mentioned', async () => {
  const world = world1();
  await world.createFilter(childSpec(['name']));
  const version = (await world.check(''))?.version ?? '';
  addMachine(world, 'vm-2');
  world.graph.get(ROOT).set('childEntity', [vm('vm-1'), vm('vm-2')]);
  world.graph.get(ROOT).set('childEntity', [vm('vm-1')]);
  assert.equal(await world.check(version), undefined);
});

void test('an object that moves within a filter neither leaves nor enters', async () => {
  const world = world1();
  const other = moRef('Folder', 'group-v2');
  addFolder(world, other, 'Other', [], ROOT);
  const spec = childSpec(['name']);
  spec.objectSet.push({ ...spec.objectSet[0], obj: other });
  await world.createFilter(spec);
  const version = (await world.check(''))?.version ?? '';
  world.graph.get(ROOT).set('childEntity', []);
  world.graph.get(other).set('childEntity', [vm('vm-1')]);
  assert.equal(await world.check(version), undefined);
});

void test('an object that was replaced by another of its name shows the new values', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
  const version = (await world.check(''))?.version ?? '';
  world.graph.remove(vm('vm-1'));
  addMachine(world, 'vm-1', { name: 'second' });
  assert.deepEqual(short(await world.check(version)), [['modify', 'vm-1', { name: ['assign', 'second'] }]]);
  world.graph.get(vm('vm-1')).set('name', 'third');
  assert.deepEqual(short(await world.check(version)), [['modify', 'vm-1', { name: ['assign', 'third'] }]]);
});

void test('missing roots are reported once, when asked for, and enter when they come', async () => {
  const world = world1();
  await world.createFilter({
    ...specOf('VirtualMachine', ['name'], vm('vm-9'), vm('vm-1')),
    reportMissingObjectsInResults: true,
  });
  const first = await world.check('');
  assert.deepEqual(short(first), [
    ['missing', 'vm-9'],
    ['enter', 'vm-1', { name: 'name of vm-1' }],
  ]);
  assert.deepEqual(
    (first?.filterSet?.[0]?.missingSet?.[0]?.fault.fault as { _typeName?: string } | undefined)?._typeName,
    'ManagedObjectNotFound',
  );
  assert.equal(await world.check(first?.version ?? ''), undefined);
  addMachine(world, 'vm-9');
  const second = await world.check(first?.version ?? '');
  assert.deepEqual(short(second), [['enter', 'vm-9', { name: 'name of vm-9' }]]);
  world.graph.remove(vm('vm-9'));
  assert.deepEqual(short(await world.check(second?.version ?? '')), [
    ['missing', 'vm-9'],
    ['leave', 'vm-9'],
  ]);
});

void test('what the session may see decides, also when its rights change', async () => {
  const world = world1();
  await world.createFilter(childSpec(['name', 'runtime.powerState']));
  let version = (await world.check(''))?.version ?? '';
  const next = async () => {
    const set = await world.check(version);
    version = set?.version ?? version;
    return short(set);
  };
  world.authorization.change((_, __, privilege) => privilege === 'System.View');
  assert.deepEqual(await next(), [['modify', 'vm-1', { 'runtime.powerState': 'NoPermission' }]]);
  world.authorization.change((_, object) => object.ref.type === 'Folder');
  assert.deepEqual(await next(), [['leave', 'vm-1']]);
  world.authorization.change(() => true);
  assert.deepEqual(await next(), [['enter', 'vm-1', { name: 'name of vm-1', 'runtime.powerState': 'poweredOff' }]]);
});

void test('a machine that moves under other rights comes into view', async () => {
  const world = world1();
  const secret = moRef('Folder', 'group-v2');
  const open = moRef('Folder', 'group-v3');
  addFolder(world, secret, 'Secret', [vm('vm-1')], ROOT);
  addFolder(world, open, 'Open', [], ROOT);
  const machine = world.graph.get(vm('vm-1'));
  machine.set('parent', secret);
  world.authorization.policy = (_, object) =>
    object.ref.type !== 'VirtualMachine' || object.parent?.value === 'group-v3';
  const spec = childSpec(['name']);
  spec.objectSet = [secret, open].map((obj) => ({ ...spec.objectSet[0], obj }));
  await world.createFilter(spec);
  assert.equal(await world.check(''), undefined);
  machine.set('parent', open);
  world.graph.get(secret).set('childEntity', []);
  world.graph.get(open).set('childEntity', [vm('vm-1')]);
  assert.deepEqual(short(await world.check('')), [['enter', 'vm-1', { name: 'name of vm-1' }]]);
});

void test('what may be read is looked at again when a machine moves', async () => {
  const world = world1();
  const other = moRef('Folder', 'group-v2');
  addFolder(world, other, 'Other', [], ROOT);
  const machine = world.graph.get(vm('vm-1'));
  world.authorization.policy = (_, object, privilege) =>
    privilege === 'System.View' || object.parent?.value === 'group-v2';
  const spec = childSpec(['runtime.powerState']);
  spec.objectSet = [ROOT, other].map((obj) => ({ ...spec.objectSet[0], obj }));
  await world.createFilter(spec);
  const first = await world.check('');
  assert.deepEqual(short(first), [['enter', 'vm-1', { 'runtime.powerState': 'NoPermission' }]]);
  machine.set('parent', other);
  world.graph.get(ROOT).set('childEntity', []);
  world.graph.get(other).set('childEntity', [vm('vm-1')]);
  assert.deepEqual(short(await world.check(first?.version ?? '')), [
    ['modify', 'vm-1', { 'runtime.powerState': ['assign', 'poweredOff'] }],
  ]);
});

void test('when a container moves, rights are looked at again', async () => {
  const world = world1();
  const inner = moRef('Folder', 'group-v2');
  addFolder(world, inner, 'Inner', [vm('vm-1')], ROOT);
  world.authorization.policy = (_, object) =>
    object.ref.type !== 'VirtualMachine' || world.graph.get(inner).parent !== undefined;
  const spec = childSpec(['name']);
  spec.objectSet = [{ ...spec.objectSet[0], obj: inner }];
  await world.createFilter(spec);
  const version = (await world.check(''))?.version ?? '';
  world.graph.get(inner).set('parent', undefined);
  assert.deepEqual(short(await world.check(version)), [['leave', 'vm-1']]);
});

void test('a computed property is read again when it is touched', async () => {
  const world = world1();
  const manager = moRef('SessionManager', 'SessionManager');
  let locale = 'en';
  world.graph.add(manager, {}, {}, { computed: { defaultLocale: () => locale } });
  await world.createFilter(specOf('SessionManager', ['defaultLocale'], manager));
  const version = (await world.check(''))?.version ?? '';
  locale = 'de';
  assert.equal(await world.check(version), undefined);
  world.graph.get(manager).touch('defaultLocale');
  assert.deepEqual(short(await world.check(version)), [
    ['modify', 'SessionManager', { defaultLocale: ['assign', 'de'] }],
  ]);
});

async function truncated(world: TestWorld): Promise<UpdateSet> {
  const refs = ['vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5'].map(vm);
  for (const { value } of refs.slice(1)) addMachine(world, value);
  await world.createFilter(specOf('VirtualMachine', ['name'], ...refs.slice(0, 3)));
  await world.createFilter(specOf('VirtualMachine', ['name'], ...refs.slice(3)));
  const first = await world.check('', { maxObjectUpdates: 2 });
  assert.ok(first);
  return first;
}

void test('a long answer comes in parts that continue where the last one ended', async () => {
  const world = world1();
  const first = await truncated(world);
  const second = await world.check(first.version, { maxObjectUpdates: 2 });
  const third = await world.check(second?.version ?? '', { maxObjectUpdates: 2 });
  const parts = [first, second, third];
  assert.deepEqual(
    parts.map((part) => part?.truncated),
    [true, true, undefined],
  );
  assert.deepEqual(
    parts.map((part) => short(part).map((entry) => (entry as unknown[])[1])),
    [['vm-1', 'vm-2'], ['vm-3', 'vm-4'], ['vm-5']],
  );
  assert.equal(new Set(parts.map((part) => part?.version)).size, 3);
  assert.equal(await world.check(third?.version ?? ''), undefined);
});

void test('what changes between the parts of an answer is told after it', async () => {
  const world = world1();
  const first = await truncated(world);
  world.graph.get(vm('vm-1')).set('name', 'x');
  const rest = await world.check(first.version);
  assert.equal(rest?.truncated, undefined);
  assert.deepEqual(short(await world.check(rest?.version ?? '')), [['modify', 'vm-1', { name: ['assign', 'x'] }]]);
});

void test('a lost part is sent again, a part before it is not', async () => {
  const world = world1();
  const first = await truncated(world);
  const second = await world.check(first.version, { maxObjectUpdates: 2 });
  assert.deepEqual(await world.check(first.version, { maxObjectUpdates: 2 }), second);
  await world.check(second?.version ?? '', { maxObjectUpdates: 2 });
  await assert.rejects(world.check(first.version), fault('InvalidCollectorVersion'));
});

void test('another question drops the rest of a cut off answer, and only WaitForUpdatesEx continues one', async () => {
  const world = world1();
  const first = await truncated(world);
  await assert.rejects(
    world.invoke(COLLECTOR, 'CheckForUpdates', { version: first.version }),
    fault('InvalidCollectorVersion'),
  );
  await assert.rejects(world.check(first.version), fault('InvalidCollectorVersion'));
  const again = await world.check('', { maxObjectUpdates: 2 });
  await world.check('');
  await assert.rejects(world.check(again?.version ?? ''), fault('InvalidCollectorVersion'));
});

for (const options of [{ maxWaitSeconds: -1 }, { maxObjectUpdates: 0 }, { maxObjectUpdates: -5 }]) {
  void test(`${JSON.stringify(options)} is refused`, async () => {
    const [name] = Object.keys(options);
    await assert.rejects(world1().check('', options), fault('InvalidArgument', { invalidProperty: `options.${name}` }));
  });
}

/** WaitForUpdatesEx waits no longer. */
const MOST_WAIT_MS = 1800_000;

/** A call that waits, and how it ended: undefined as long as it waits. */
function waiting(
  world: TestWorld,
  version: string,
  options: object | undefined = {},
  call?: Call,
  method = 'WaitForUpdatesEx',
) {
  const state: { outcome?: unknown; fault?: unknown; done: Promise<void> } = { done: Promise.resolve() };
  state.done = world.invoke(COLLECTOR, method, { version, options }, call).then(
    (set) => {
      state.outcome = set === undefined ? 'nothing' : short(overTheWire('WaitForUpdatesEx', set) as UpdateSet);
    },
    (error: unknown) => {
      state.fault = error;
    },
  );
  return state;
}

/** Lets everything settle that has no reason to wait. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

void test('a waiting call wakes up once for all changes of a turn', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['name', 'runtime.powerState'], vm('vm-1')));
  const version = (await world.check(''))?.version ?? '';
  const wait = waiting(world, version);
  await settle();
  world.graph.get(vm('vm-1')).set('name', 'a');
  world.graph.get(vm('vm-1')).set('runtime.powerState', 'poweredOn');
  assert.equal(wait.outcome, undefined);
  assert.equal(world.turn(), 1);
  await wait.done;
  assert.deepEqual(wait.outcome, [
    ['modify', 'vm-1', { name: ['assign', 'a'], 'runtime.powerState': ['assign', 'poweredOn'] }],
  ]);
  world.advance(MOST_WAIT_MS);
  assert.equal(world.timers, 0, 'its time limit went with it');
});

void test('a change of something else does not wake it, and one that is undone does not answer it', async () => {
  const world = world1();
  addMachine(world, 'vm-2');
  await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
  const wait = waiting(world, (await world.check(''))?.version ?? '');
  await settle();
  world.graph.get(vm('vm-2')).set('name', 'a');
  world.graph.get(vm('vm-1')).set('runtime.powerState', 'poweredOn');
  assert.equal(world.turn(), 0);
  world.graph.get(vm('vm-1')).set('name', 'a');
  world.graph.get(vm('vm-1')).set('name', 'name of vm-1');
  assert.equal(world.turn(), 1);
  await settle();
  assert.equal(wait.outcome, undefined);
  world.graph.get(vm('vm-1')).set('name', 'b');
  world.turn();
  await wait.done;
  assert.deepEqual(wait.outcome, [['modify', 'vm-1', { name: ['assign', 'b'] }]]);
});

void test('it answers nothing after maxWaitSeconds, and after half an hour in any case', async () => {
  const world = world1();
  for (const [options, seconds] of [
    [{ maxWaitSeconds: 5 }, 5],
    [{ maxWaitSeconds: 100_000 }, 1800],
    [undefined, 1800],
  ] as const) {
    const wait = waiting(world, '', options);
    await settle();
    world.advance(seconds * 1000 - 1);
    await settle();
    assert.equal(wait.outcome, undefined);
    world.advance(1);
    await wait.done;
    assert.equal(wait.outcome, 'nothing');
  }
});

void test('WaitForUpdates waits without end', async () => {
  const world = world1();
  const wait = waiting(world, '', undefined, undefined, 'WaitForUpdates');
  await settle();
  world.advance(100 * 3600_000);
  assert.equal(world.timers, 0);
  assert.equal(wait.outcome, undefined);
  await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
  world.turn();
  await wait.done;
  assert.deepEqual(wait.outcome, [['enter', 'vm-1', { name: 'name of vm-1' }]]);
});

void test('a wait in progress hears of new filters and not of destroyed ones', async () => {
  const world = world1();
  const filter = await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
  const wait = waiting(world, (await world.check(''))?.version ?? '');
  await settle();
  await world.invoke(filter, 'DestroyPropertyFilter');
  world.graph.get(vm('vm-1')).set('name', 'unheard');
  await world.createFilter(specOf('VirtualMachine', ['runtime.powerState'], vm('vm-1')));
  world.turn();
  await wait.done;
  assert.deepEqual(wait.outcome, [['enter', 'vm-1', { 'runtime.powerState': 'poweredOff' }]]);
  await assert.rejects(world.invoke(filter, 'DestroyPropertyFilter'), fault('ManagedObjectNotFound'));
});

void test('two calls that wait on one collector are both answered, each from its own version', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['name', 'runtime.powerState'], vm('vm-1')));
  const v1 = (await world.check(''))?.version ?? '';
  world.graph.get(vm('vm-1')).set('name', 'a');
  const v2 = (await world.check(v1))?.version ?? '';
  const waits = [waiting(world, v2), waiting(world, v2)];
  await settle();
  world.graph.get(vm('vm-1')).set('runtime.powerState', 'poweredOn');
  assert.equal(world.turn(), 1);
  await Promise.all(waits.map((wait) => wait.done));
  for (const wait of waits)
    assert.deepEqual(wait.outcome, [['modify', 'vm-1', { 'runtime.powerState': ['assign', 'poweredOn'] }]]);
});

void test('many waits one after the other share a timer, and each still ends in its own time', async () => {
  const world = world1();
  await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
  let version = (await world.check(''))?.version ?? '';
  for (let round = 0; round < 20; round++) {
    const told = waiting(world, version, { maxWaitSeconds: 30 });
    await settle();
    world.advance(1000);
    world.graph.get(vm('vm-1')).set('name', `name ${round}`);
    world.turn();
    await told.done;
    assert.equal(world.timers, 1);
    version = String(Number(version) + 1);
  }
  const long = waiting(world, version, { maxWaitSeconds: 30 });
  const short = waiting(world, version, { maxWaitSeconds: 2 });
  await settle();
  world.advance(1999);
  await settle();
  assert.deepEqual([long.outcome, short.outcome], [undefined, undefined]);
  world.advance(1);
  await short.done;
  assert.equal(short.outcome, 'nothing');
  world.advance(8000); // the alarm of the first wait rings
  world.advance(19_999);
  await settle();
  assert.equal(long.outcome, undefined);
  world.advance(1);
  await long.done;
  assert.equal(long.outcome, 'nothing');
  assert.equal(world.timers, 0);
});

const endings: [what: string, end: (world: TestWorld, abort: AbortController) => unknown][] = [
  ['CancelWaitForUpdates', (world) => world.invoke(COLLECTOR, 'CancelWaitForUpdates')],
  ['the end of the session', (world) => world.user.end()],
  ['the client that goes away', (_, abort) => abort.abort()],
];

for (const [what, end] of endings) {
  void test(`${what} ends a wait with RequestCanceled and leaves nothing behind`, async () => {
    const world = world1();
    await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
    const version = (await world.check(''))?.version ?? '';
    const abort = new AbortController();
    const wait = waiting(world, version, {}, world.call(undefined, { signal: abort.signal }));
    await settle();
    await end(world, abort);
    await wait.done;
    fault('RequestCanceled')(wait.fault);
    world.graph.get(vm('vm-1')).set('name', 'x');
    assert.equal(world.turn(), 0);
    world.advance(MOST_WAIT_MS);
    assert.equal(world.timers, 0);
  });
}

void test('a call whose client has gone before it began does not wait', async () => {
  const world = world1();
  const call = world.call(undefined, { signal: AbortSignal.abort() });
  await assert.rejects(world.invoke(COLLECTOR, 'WaitForUpdatesEx', { version: '' }, call), fault('RequestCanceled'));
  assert.equal(world.timers, 0);
});

void test('cancelling does not concern other sessions and collectors', async () => {
  const world = world1();
  const mine = await world.invoke<MoRef>(COLLECTOR, 'CreatePropertyCollector');
  const wait = waiting(world, '');
  await settle();
  await world.invoke(mine, 'CancelWaitForUpdates');
  await world.invoke(COLLECTOR, 'CancelWaitForUpdates', {}, world.call(world.login('other').session));
  await settle();
  assert.equal(wait.fault, undefined);
});

void test('collectors of a session’s own have their own filters and versions, and can be destroyed', async () => {
  const world = world1();
  const mine = await world.invoke<MoRef<'PropertyCollector'>>(COLLECTOR, 'CreatePropertyCollector');
  const spec = specOf('VirtualMachine', ['name'], vm('vm-1'));
  const filter = await world.invoke<MoRef>(mine, 'CreateFilter', { spec, partialUpdates: false });
  assert.equal(await world.check(''), undefined);
  const set = await world.invoke<UpdateSet>(mine, 'CheckForUpdates', {});
  assert.equal(set.filterSet?.[0]?.filter.value, filter.value);
  assert.deepEqual(world.graph.get(mine).read('filter', world.call()), [filter]);
  await world.invoke(mine, 'DestroyPropertyCollector');
  assert.equal(world.graph.find(mine), undefined);
  assert.equal(world.graph.find(filter), undefined);
  await assert.rejects(world.invoke(COLLECTOR, 'DestroyPropertyCollector'), fault('NotSupported'));
});

void test('everything of a session goes with it, and nothing of another one', async () => {
  const world = world1();
  const before = [world.graph.size, world.router.size];
  const other = world.call(world.login('other').session);
  await world.createFilter(childSpec(['name']), false, other);
  await world.check('', {}, other);
  const between = [world.graph.size, world.router.size];
  const mine = await world.invoke<MoRef>(COLLECTOR, 'CreatePropertyCollector');
  await world.invoke(mine, 'CreateFilter', { spec: childSpec(['name']), partialUpdates: false });
  await world.invoke(mine, 'CheckForUpdates', {});
  await world.invoke(VIEW_MANAGER, 'CreateContainerView', { container: ROOT, recursive: true });
  world.user.end();
  assert.deepEqual([world.graph.size, world.router.size], between);
  await assert.rejects(world.createFilter(childSpec(['name'])), fault('RequestCanceled'));
  const [size = 0, watched = 0] = before;
  assert.ok(world.graph.size > size && world.router.size > watched, 'the other session is still there');
});

void test('filters, collectors and waits are limited', async () => {
  const world = new TestWorld({ filtersPerSession: 2, collectorsPerSession: 2, waitsPerSession: 1 });
  addFolder(world, ROOT, 'Root');
  const limited = (limit: number) => fault('LimitExceeded', { limit });
  const spec = specOf('Folder', ['childType'], ROOT);
  await world.createFilter(spec);
  const mine = await world.invoke<MoRef>(COLLECTOR, 'CreatePropertyCollector');
  await world.invoke(mine, 'CreateFilter', { spec, partialUpdates: false });
  await assert.rejects(world.createFilter(spec), limited(2));
  await assert.rejects(world.invoke(COLLECTOR, 'CreatePropertyCollector'), limited(2));
  const version = (await world.check(''))?.version ?? '';
  const wait = waiting(world, version);
  await settle();
  await assert.rejects(world.invoke(COLLECTOR, 'WaitForUpdates', { version }), limited(1));
  await world.invoke(COLLECTOR, 'CancelWaitForUpdates');
  await wait.done;
});

void test('a filter knows its spec and its collector knows it', async () => {
  const world = world1();
  const spec = specOf('VirtualMachine', ['name'], vm('vm-1'));
  const filter = await world.createFilter(spec, true);
  assert.deepEqual(world.graph.get(filter).get('spec'), spec);
  assert.equal(world.graph.get(filter).get('partialUpdates'), true);
  assert.deepEqual(world.graph.get(COLLECTOR).read('filter', world.call()), [filter]);
  assert.deepEqual(world.graph.get(COLLECTOR).read('filter', world.call(world.login('other').session)), []);
});

void test('a change costs nothing where nobody waits, however many filters there are', async () => {
  const world = world1();
  for (let count = 0; count < 50; count++) await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
  await world.check('');
  for (let count = 0; count < 50; count++) world.graph.get(vm('vm-1')).set('name', `name ${count}`);
  assert.equal(world.turn(), 0);
});
