import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Event, type EventFilterSpec, type MoRef, make, moRef, schema } from '@vivarium/vim';
import { DATACENTER, fault, OTHER_VM, ROOT, testService, VM, VM_FOLDER } from '../testing/test-service.ts';
import { EVENT_TEXTS } from './event-catalogue.ts';
import { eventMatcher } from './event-filter.ts';
import { EVENT_STREAM } from './event-log.ts';
import { formatEvent } from './event-text.ts';

const vmArgument = (vm: MoRef<'VirtualMachine'>, name: string) => make('VmEventArgument', { name, vm });

async function world(context: Parameters<typeof testService>[0]) {
  const test = await testService(context);
  const manager = test.service.content.eventManager;
  assert.ok(manager);
  test.call(); // the administrator's login is an event too: let it be the first
  const post = (_typeName: 'VmPoweredOnEvent' | 'VmPoweredOffEvent', vm: MoRef<'VirtualMachine'>, name: string) =>
    test.service.events.post({ _typeName, vm: vmArgument(vm, name), template: false }, test.call());
  const query = async (filter: EventFilterSpec) =>
    (await test.invoke<Event[]>(manager, 'QueryEvents', { filter })).map(({ key }) => key);
  return { ...test, manager, post, query };
}

void test('a posted event is numbered, timed, worded and told where it happened', async (context) => {
  const { service, post, call } = await world(context);
  const host = moRef('HostSystem', 'ha-host');
  service.graph.add(moRef('ComputeResource', 'ha-compute-res'), { name: 'esx1', parent: DATACENTER });
  service.graph.add(host, { name: 'esx1', parent: moRef('ComputeResource', 'ha-compute-res') });
  service.graph.get(VM).set('runtime', { host });
  const event = post('VmPoweredOnEvent', VM, 'vm1');
  assert.equal(event.userName, 'root');
  assert.equal(event.chainId, event.key);
  assert.equal(event.createdTime, '2026-01-01T00:00:00.000Z');
  assert.equal(event.fullFormattedMessage, 'vm1 on esx1 in ha-datacenter is powered on');
  assert.deepEqual(event.computeResource?.computeResource, moRef('ComputeResource', 'ha-compute-res'));
  assert.equal(service.events.latest, event);
  assert.equal(service.graph.get(service.content.eventManager!).read('latestEvent', call()), event);
  assert.equal(post('VmPoweredOffEvent', VM, 'vm1').key, event.key + 1);
});

void test('events survive a restart and their numbers go on', async (context) => {
  const first = await world(context);
  const { key } = first.post('VmPoweredOnEvent', VM, 'vm1');
  await first.service.events.settled();
  await first.stop();
  const { service } = await testService(context, { directory: first.directory });
  assert.ok((service.events.latest?.key ?? 0) >= key);
  assert.ok(
    service.events.post({ _typeName: 'VmPoweredOffEvent', vm: vmArgument(VM, 'vm1'), template: false }).key > key,
  );
});

void test('QueryEvents filters by type, category, entity, user, time, chain and number', async (context) => {
  const { service, clock, post, query } = await world(context);
  const on = post('VmPoweredOnEvent', VM, 'vm1').key;
  await clock.advance(60_000);
  const off = post('VmPoweredOffEvent', OTHER_VM, 'vm2').key;
  const system = service.events.post({
    _typeName: 'GeneralVmErrorEvent',
    message: 'broken',
    vm: vmArgument(VM, 'vm1'),
  }).key;
  const about = (entity: MoRef, recursion: 'self' | 'children' | 'all') =>
    query({ entity: { entity: entity as MoRef<'ManagedEntity'>, recursion } });
  assert.deepEqual(await query({ type: ['VmPoweredOnEvent', 'VmPoweredOffEvent'] }), [on, off]);
  assert.deepEqual(await query({ type: ['VmEvent'] }), [on, off]);
  assert.deepEqual(await query({ eventTypeId: ['vim.event.VmPoweredOffEvent'] }), [off]);
  assert.deepEqual(await query({ eventTypeId: ['VmPoweredOffEvent'] }), [off], 'as govc writes it');
  assert.deepEqual(await query({ category: ['error'] }), [system]);
  assert.deepEqual(await about(VM, 'self'), [on, system]);
  assert.deepEqual(await about(VM_FOLDER, 'children'), [on, off, system]);
  assert.deepEqual(await about(DATACENTER, 'all'), [on, off, system]);
  assert.ok((await about(ROOT, 'all')).length > 3);
  assert.deepEqual(await query({ userName: { systemUser: true } }), [system]);
  assert.deepEqual(await query({ time: { beginTime: new Date(clock.now()).toISOString() } }), [off, system]);
  assert.deepEqual(await query({ eventChainId: on }), [on]);
  assert.deepEqual(await query({ type: ['VmEvent'], maxCount: 1 }), [off]);
});

void test('the text can be left out', async (context) => {
  const { manager, post, invoke } = await world(context);
  post('VmPoweredOnEvent', VM, 'vm1');
  const events = await invoke<Event[]>(manager, 'QueryEvents', { filter: { disableFullMessage: true } });
  assert.ok(events.length > 0 && events.every((event) => event.fullFormattedMessage === undefined));
});

void test("a collector's latest page follows what is posted; reads page through the history", async (context) => {
  const { service, manager, post, invoke } = await world(context);
  const ref = await invoke<MoRef<'EventHistoryCollector'>>(manager, 'CreateCollectorForEvents', {
    filter: { type: ['VmEvent'] },
  });
  const keys = Array.from({ length: 12 }, () => post('VmPoweredOnEvent', VM, 'vm1').key);
  const page = service.graph
    .get(ref)
    .get('latestPage')
    ?.map(({ key }) => key);
  assert.deepEqual(page, keys.slice(2).reverse());
  const read = async (method: string, maxCount: number) =>
    (await invoke<Event[]>(ref, method, { maxCount })).map(({ key }) => key);
  assert.deepEqual(await read('ReadNextEvents', 5), keys.slice(0, 5));
  assert.deepEqual(await read('ReadNextEvents', 100), keys.slice(5));
  await invoke(ref, 'ResetCollector');
  assert.deepEqual(await read('ReadPreviousEvents', 100), keys.slice(0, 2).reverse());
});

void test('users note and post events', async (context) => {
  const { service, manager, invoke } = await world(context);
  await invoke(manager, 'LogUserEvent', { entity: VM, msg: 'watch this one' });
  assert.equal(service.events.latest?.fullFormattedMessage, 'User logged event: watch this one');
  const onDisk = () =>
    service.store.history.page<Event>(EVENT_STREAM, { order: 'newestFirst', limit: 1 })[0]?.value.fullFormattedMessage;
  assert.equal(onDisk(), 'User logged event: watch this one', 'it is kept when it is acknowledged');
  const eventToPost = {
    _typeName: 'EventEx',
    key: 99,
    chainId: 0,
    createdTime: '2020-01-01T00:00:00Z',
    userName: 'forged',
    eventTypeId: 'com.example.x',
    severity: 'warning',
    message: 'hello',
  };
  await invoke(manager, 'PostEvent', { eventToPost });
  const { latest } = service.events;
  assert.equal(latest?.userName, 'root');
  assert.notEqual(latest?.key, 99);
  assert.equal(latest?.fullFormattedMessage, 'hello');
  assert.equal(onDisk(), 'hello');
  await assert.rejects(
    invoke(manager, 'PostEvent', { eventToPost: { _typeName: 'Description' } }),
    fault('InvalidEvent'),
  );
});

void test('the catalogue is about types of the schema and names properties that they have', () => {
  assert.ok(EVENT_TEXTS.length >= 60);
  for (const { type, format } of EVENT_TEXTS) {
    assert.ok(schema.isSubtype(type, 'Event'), type);
    for (const [, path = ''] of format.matchAll(/\{([\w.]+)\}/g)) {
      let owner = type;
      for (const name of path.split('.')) {
        const field = schema.field(owner, name);
        assert.ok(field, `${type} has no ${path}`);
        owner = field.type;
      }
    }
  }
});

void test('types without a text of their own use that of their base, or their message', () => {
  const event = { key: 1, chainId: 1, createdTime: '', userName: '' };
  const text = formatEvent({
    ...event,
    _typeName: 'CustomizationUnknownFailure',
    vm: vmArgument(VM, 'vm1'),
    reason: 'odd',
  } as Event);
  assert.equal(text, 'Customization of vm1 has failed: odd');
  assert.equal(formatEvent({ ...event, _typeName: 'InfoUpgradeEvent', message: 'done' } as Event), 'done');
});

void test('users see the events of what they may read, and only those', async (context) => {
  const { service, manager, post, invoke, call, login } = await world(context);
  await service.authorization.grant(VM, [{ principal: 'ann', isGroup: false, roleId: -2, propagate: true }]);
  const ann = call(login('ann'));
  const latest = async () => await invoke<Event | undefined>(manager, 'Fetch', { prop: 'latestEvent' }, ann);
  const collector = await invoke<MoRef>(manager, 'CreateCollectorForEvents', { filter: {} }, ann);
  const mine = post('VmPoweredOnEvent', VM, 'vm1').key;
  assert.equal((await latest())?.key, mine);
  post('VmPoweredOnEvent', OTHER_VM, 'vm2');
  assert.equal(await latest(), undefined);
  const queried = await invoke<Event[]>(manager, 'QueryEvents', { filter: {} }, ann);
  assert.deepEqual(
    queried.map(({ key }) => key),
    [mine],
  );
  assert.deepEqual(
    (await invoke<Event[]>(collector, 'ReadNextEvents', { maxCount: 100 }, ann)).map(({ key }) => key),
    [mine],
  );
});

void test('the lists of a filter are gone through once, however many events there are', async (context) => {
  const { service } = await world(context);
  let looked = 0;
  const counted = (list: string[]) =>
    new Proxy(list, {
      get(target, name) {
        if (typeof name === 'string' && /^\d+$/.test(name)) looked += 1;
        return Reflect.get(target, name) as unknown;
      },
    });
  const names = counted(Array.from({ length: 1000 }, (_, index) => `none-${index}`));
  const filter = make('EventFilterSpec', {
    category: names,
    type: names,
    eventTypeId: names,
    userName: { systemUser: true, userList: names },
  });
  for (const one of ['category', 'type', 'eventTypeId', 'userName'] as const) {
    looked = 0;
    const matches = eventMatcher(service.graph, ROOT, { [one]: filter[one] });
    for (let count = 0; count < 50; count++) matches(service.events.latest as Event);
    assert.ok(looked <= 1000, `${one}: ${looked}`);
  }
});
