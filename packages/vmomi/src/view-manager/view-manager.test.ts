import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, moRef, type PropertyFilterSpec, type UpdateSet } from '@vivarium/vim';
import {
  addFolder,
  addMachine,
  COLLECTOR,
  fault,
  ROOT,
  TestWorld,
  VIEW_MANAGER,
} from '../property-collector/test-world.ts';

const DC = moRef('Datacenter', 'datacenter-2');
const VM_FOLDER = moRef('Folder', 'group-v3');
const HOST_FOLDER = moRef('Folder', 'group-h4');
const STORE_FOLDER = moRef('Folder', 'group-s5');
const NET_FOLDER = moRef('Folder', 'group-n6');
const CLUSTER = moRef('ClusterComputeResource', 'domain-c7');
const HOST = moRef('HostSystem', 'host-9');
const POOL = moRef('ResourcePool', 'resgroup-8');
const CHILD_POOL = moRef('ResourcePool', 'resgroup-10');
const GRANDCHILD_POOL = moRef('ResourcePool', 'resgroup-11');
const APP = moRef('VirtualApp', 'resgroup-v12');
const SUBFOLDER = moRef('Folder', 'group-v13');
const STORE = moRef('Datastore', 'datastore-14');
const NETWORK = moRef('Network', 'network-15');
const vm = (id: number) => moRef('VirtualMachine', `vm-${id}`);

/** A datacenter with a cluster of one host; vm-1 in the root pool, vm-2 in the child pool, vm-3 below, vm-4 in the vApp. */
function inventory(): TestWorld {
  const world = new TestWorld();
  const { graph } = world;
  addFolder(world, ROOT, 'Datacenters', [DC]);
  graph.add(DC, {
    name: 'DC',
    parent: ROOT,
    vmFolder: VM_FOLDER,
    hostFolder: HOST_FOLDER,
    datastoreFolder: STORE_FOLDER,
    networkFolder: NET_FOLDER,
  });
  addFolder(world, VM_FOLDER, 'vm', [vm(1), SUBFOLDER], DC);
  addFolder(world, SUBFOLDER, 'sub', [vm(2), vm(3)], VM_FOLDER);
  addFolder(world, HOST_FOLDER, 'host', [CLUSTER], DC);
  addFolder(world, STORE_FOLDER, 'datastore', [STORE], DC);
  addFolder(world, NET_FOLDER, 'network', [NETWORK], DC);
  graph.add(CLUSTER, { name: 'C', parent: HOST_FOLDER, host: [HOST], resourcePool: POOL });
  graph.add(HOST, { name: 'H', parent: CLUSTER, vm: [vm(1), vm(2), vm(3), vm(4)] });
  graph.add(POOL, { name: 'Resources', parent: CLUSTER, resourcePool: [CHILD_POOL, APP], vm: [vm(1)] });
  graph.add(CHILD_POOL, { name: 'P', parent: POOL, resourcePool: [GRANDCHILD_POOL], vm: [vm(2)] });
  graph.add(GRANDCHILD_POOL, { name: 'PP', parent: CHILD_POOL, resourcePool: [], vm: [vm(3)] });
  graph.add(APP, { name: 'A', parent: POOL, resourcePool: [], vm: [vm(4)] });
  graph.add(STORE, { name: 'D', parent: STORE_FOLDER });
  graph.add(NETWORK, { name: 'N', parent: NET_FOLDER });
  for (const id of [1, 2, 3, 4]) addMachine(world, `vm-${id}`, id === 4 ? { parentVApp: APP } : { parent: VM_FOLDER });
  return world;
}

async function containerView(
  world: TestWorld,
  container: MoRef,
  recursive: boolean,
  type?: string[],
): Promise<MoRef<'ContainerView'>> {
  return await world.invoke(VIEW_MANAGER, 'CreateContainerView', { container, recursive, ...(type ? { type } : {}) });
}

const contents = (world: TestWorld, view: MoRef): string[] =>
  ((world.graph.get(view).read('view', world.call()) ?? []) as MoRef[]).map((ref) => ref.value).sort();

const everything = [
  'datacenter-2',
  'group-v3',
  'group-h4',
  'group-s5',
  'group-n6',
  'domain-c7',
  'host-9',
  'resgroup-8',
  'resgroup-10',
  'resgroup-11',
  'resgroup-v12',
  'group-v13',
  'datastore-14',
  'network-15',
  'vm-1',
  'vm-2',
  'vm-3',
  'vm-4',
];

const walks: [what: string, container: MoRef, recursive: boolean, expected: string[]][] = [
  ['a folder gives its children', ROOT, false, ['datacenter-2']],
  ['the root folder with all below gives everything', ROOT, true, everything],
  ['a datacenter gives its four folders', DC, false, ['group-v3', 'group-h4', 'group-s5', 'group-n6']],
  ['a folder with all below gives what its folders hold', VM_FOLDER, true, ['vm-1', 'group-v13', 'vm-2', 'vm-3']],
  [
    'a cluster gives hosts and pool, and the machines on and in them',
    CLUSTER,
    false,
    ['host-9', 'resgroup-8', 'vm-1', 'vm-2', 'vm-3', 'vm-4'],
  ],
  [
    'a cluster with all below gives all pools too',
    CLUSTER,
    true,
    ['host-9', 'resgroup-8', 'resgroup-10', 'resgroup-11', 'resgroup-v12', 'vm-1', 'vm-2', 'vm-3', 'vm-4'],
  ],
  [
    'a pool gives its machines, its pools and their machines',
    POOL,
    false,
    ['vm-1', 'resgroup-10', 'resgroup-v12', 'vm-2', 'vm-4'],
  ],
  [
    'a pool with all below goes down to the last',
    POOL,
    true,
    ['vm-1', 'resgroup-10', 'resgroup-11', 'resgroup-v12', 'vm-2', 'vm-3', 'vm-4'],
  ],
  ['a vApp is a pool', APP, false, ['vm-4']],
  ['a host gives its machines', HOST, false, ['vm-1', 'vm-2', 'vm-3', 'vm-4']],
  ['a host gives its machines, recursive or not', HOST, true, ['vm-1', 'vm-2', 'vm-3', 'vm-4']],
];

for (const [what, container, recursive, expected] of walks) {
  void test(`ContainerView: ${what}`, async () => {
    const world = inventory();
    assert.deepEqual(contents(world, await containerView(world, container, recursive)), [...expected].sort());
  });
}

const typed: [types: string[], expected: string[]][] = [
  [['VirtualMachine'], ['vm-1', 'vm-2', 'vm-3', 'vm-4']],
  [['ComputeResource'], ['domain-c7']],
  [['ResourcePool'], ['resgroup-8', 'resgroup-10', 'resgroup-11', 'resgroup-v12']],
  [
    ['VirtualApp', 'Network'],
    ['resgroup-v12', 'network-15'],
  ],
  [['ManagedEntity'], everything],
  [[], everything],
];

for (const [types, expected] of typed) {
  void test(`ContainerView of types [${types.join(', ')}]`, async () => {
    const world = inventory();
    const view = await containerView(world, ROOT, true, types);
    assert.deepEqual(contents(world, view), [...expected].sort());
    assert.deepEqual(world.graph.get(view).get('type'), types);
    assert.deepEqual(world.graph.get(view).get('container'), ROOT);
  });
}

void test('a ContainerView refuses what is no container, no entity type, or not there', async () => {
  const world = inventory();
  await assert.rejects(containerView(world, vm(1), true), fault('InvalidArgument', { invalidProperty: 'container' }));
  await assert.rejects(containerView(world, STORE, true), fault('InvalidArgument', { invalidProperty: 'container' }));
  await assert.rejects(containerView(world, moRef('Folder', 'group-x'), true), fault('ManagedObjectNotFound'));
  for (const type of ['Task', 'VirtualDisk', 'Nope', '']) {
    await assert.rejects(
      containerView(world, ROOT, true, [type]),
      fault('InvalidArgument', { invalidProperty: 'type' }),
    );
  }
});

void test('a ContainerView follows the inventory', async () => {
  const world = inventory();
  const view = await containerView(world, ROOT, true, ['VirtualMachine']);
  const { graph } = world;
  assert.deepEqual(contents(world, view), ['vm-1', 'vm-2', 'vm-3', 'vm-4']);
  addMachine(world, 'vm-5', { parent: SUBFOLDER });
  graph.get(SUBFOLDER).set('childEntity', [vm(2), vm(3), vm(5)]);
  assert.deepEqual(contents(world, view), ['vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5']);
  graph.remove(vm(5));
  assert.deepEqual(contents(world, view), ['vm-1', 'vm-2', 'vm-3', 'vm-4']);
  addMachine(world, 'vm-5');
  assert.deepEqual(contents(world, view), ['vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5']);
  graph.get(VM_FOLDER).set('childEntity', [vm(1)]);
  assert.deepEqual(contents(world, view), ['vm-1', 'vm-2', 'vm-3', 'vm-4'], 'the others are still on the host');
  graph.get(HOST).set('vm', []);
  assert.deepEqual(contents(world, view), ['vm-1', 'vm-2', 'vm-3', 'vm-4'], 'and in the pools');
  graph.get(CHILD_POOL).set('resourcePool', []);
  assert.deepEqual(contents(world, view), ['vm-1', 'vm-2', 'vm-4']);
  graph.remove(ROOT);
  assert.deepEqual(contents(world, view), []);
});

void test('as long as nothing changes the list is the same array', async () => {
  const world = inventory();
  const view = world.graph.get(await containerView(world, ROOT, true));
  const list = view.read('view', world.call());
  world.graph.get(vm(1)).set('name', 'x');
  assert.equal(view.read('view', world.call()), list);
});

void test('a view shows what its session may see, also when that changes', async () => {
  const world = inventory();
  world.authorization.policy = (_, object) => object.ref.value !== 'vm-1' && object.ref.value !== 'resgroup-8';
  const view = await containerView(world, ROOT, true, ['VirtualMachine', 'ResourcePool']);
  assert.deepEqual(
    contents(world, view),
    ['vm-2', 'vm-3', 'vm-4'],
    'what is below the unseen pool is found on the host',
  );
  world.authorization.change((_, object) => object.ref.value !== 'vm-4');
  assert.deepEqual(contents(world, view), [
    'resgroup-10',
    'resgroup-11',
    'resgroup-8',
    'resgroup-v12',
    'vm-1',
    'vm-2',
    'vm-3',
  ]);
});

void test('a view looks at rights again when a container moves', async () => {
  const world = inventory();
  world.authorization.policy = (_, object) =>
    object.ref.type !== 'VirtualMachine' || world.graph.get(SUBFOLDER).parent !== undefined;
  const view = await containerView(world, SUBFOLDER, false);
  assert.deepEqual(contents(world, view), ['vm-2', 'vm-3']);
  world.graph.get(SUBFOLDER).set('parent', undefined);
  assert.deepEqual(contents(world, view), []);
});

const viewSpec = (view: MoRef): PropertyFilterSpec =>
  ({
    propSet: [{ type: 'VirtualMachine', pathSet: ['name'] }],
    objectSet: [
      { obj: view, skip: true, selectSet: [{ _typeName: 'TraversalSpec', type: 'ManagedObjectView', path: 'view' }] },
    ],
  }) as unknown as PropertyFilterSpec;

const kinds = (set: UpdateSet | undefined) =>
  (set?.filterSet ?? []).flatMap((filter) => (filter.objectSet ?? []).map(({ kind, obj }) => `${kind} ${obj.value}`));

void test('a filter over a view wakes when the view changes', async () => {
  const world = inventory();
  const view = await containerView(world, VM_FOLDER, true, ['VirtualMachine']);
  await world.createFilter(viewSpec(view));
  const first = await world.check('');
  assert.deepEqual(kinds(first).sort(), ['enter vm-1', 'enter vm-2', 'enter vm-3']);
  const wait = world.invoke<UpdateSet>(COLLECTOR, 'WaitForUpdatesEx', { version: first?.version });
  await Promise.resolve();
  await Promise.resolve();
  world.graph.get(SUBFOLDER).set('childEntity', [vm(2)]);
  assert.equal(world.turn(), 1);
  const second = await wait;
  assert.deepEqual(kinds(second), ['leave vm-3']);
  await world.invoke(view, 'DestroyView');
  assert.deepEqual(kinds(await world.check(second.version)).sort(), ['leave vm-1', 'leave vm-2']);
});

void test('a ListView lists what it is told, once, as long as it is there', async () => {
  const world = inventory();
  const view = await world.invoke<MoRef>(VIEW_MANAGER, 'CreateListView', { obj: [vm(1), vm(2), vm(1)] });
  assert.deepEqual(contents(world, view), ['vm-1', 'vm-2']);
  const gone = moRef('VirtualMachine', 'vm-99');
  assert.deepEqual(await world.invoke(view, 'ModifyListView', { add: [vm(3), gone], remove: [vm(1), gone] }), [gone]);
  assert.deepEqual(contents(world, view), ['vm-2', 'vm-3']);
  world.graph.remove(vm(2));
  assert.deepEqual(contents(world, view), ['vm-3']);
  assert.deepEqual(await world.invoke(view, 'ResetListView', { obj: [vm(4), vm(2)] }), [vm(2)]);
  assert.deepEqual(contents(world, view), ['vm-4']);
  assert.deepEqual(await world.invoke(view, 'ResetListView', {}), []);
  assert.deepEqual(contents(world, view), []);
  const other = await containerView(world, HOST, false);
  await world.invoke(view, 'ResetListViewFromView', { view: other });
  assert.deepEqual(contents(world, view), ['vm-1', 'vm-3', 'vm-4']);
  const copy = await world.invoke<MoRef>(VIEW_MANAGER, 'CreateListViewFromView', { view });
  assert.deepEqual(contents(world, copy), ['vm-1', 'vm-3', 'vm-4']);
});

void test('a ListView cannot be made of what is not there or not seen', async () => {
  const world = inventory();
  const create = (obj: MoRef[]) => world.invoke<MoRef>(VIEW_MANAGER, 'CreateListView', { obj });
  await assert.rejects(create([moRef('VirtualMachine', 'vm-99')]), fault('ManagedObjectNotFound'));
  world.authorization.policy = (_, object) => object.ref.value !== 'vm-1';
  await assert.rejects(create([vm(1)]), fault('ManagedObjectNotFound'));
  const view = await create([]);
  assert.deepEqual(await world.invoke(view, 'ModifyListView', { add: [vm(1)] }), [vm(1)]);
  await assert.rejects(
    world.invoke(view, 'ResetListViewFromView', { view: moRef('ListView', 'x') }),
    fault('ManagedObjectNotFound'),
  );
});

void test('a filter over a list hears of what is added and taken out', async () => {
  const world = inventory();
  const view = await world.invoke<MoRef>(VIEW_MANAGER, 'CreateListView', {});
  await world.createFilter(viewSpec(view));
  assert.equal(await world.check(''), undefined);
  await world.invoke(view, 'ModifyListView', { add: [vm(1), vm(2)] });
  const first = await world.check('');
  assert.deepEqual(kinds(first), ['enter vm-1', 'enter vm-2']);
  await world.invoke(view, 'ModifyListView', { add: [vm(3)], remove: [vm(1)] });
  assert.deepEqual(kinds(await world.check(first?.version ?? '')).sort(), ['enter vm-3', 'leave vm-1']);
});

void test('an InventoryView opens folder by folder', async () => {
  const world = inventory();
  const view = await world.invoke<MoRef>(VIEW_MANAGER, 'CreateInventoryView');
  const open = (...entity: MoRef[]) => world.invoke(view, 'OpenInventoryViewFolder', { entity });
  const close = (...entity: MoRef[]) => world.invoke(view, 'CloseInventoryViewFolder', { entity });
  assert.deepEqual(contents(world, view), ['group-d1']);
  const missing = moRef('Folder', 'group-x');
  assert.deepEqual(await open(ROOT, missing), [missing]);
  const afterRoot = ['datacenter-2', 'group-d1', 'group-h4', 'group-v3'];
  assert.deepEqual(contents(world, view), afterRoot, 'a datacenter brings its two folders along');
  await open(HOST_FOLDER);
  assert.deepEqual(
    contents(world, view),
    [...afterRoot, 'domain-c7', 'group-n6', 'group-s5', 'host-9', 'resgroup-8'].sort(),
    'a cluster brings its hosts and pool along, the datacenter is open now',
  );
  addMachine(world, 'vm-6', { parent: VM_FOLDER });
  await open(VM_FOLDER);
  assert.ok(!contents(world, view).includes('vm-6'));
  world.graph.get(VM_FOLDER).set('childEntity', [vm(6), SUBFOLDER]);
  assert.ok(contents(world, view).includes('vm-6'), 'what is open follows the inventory');
  await open(SUBFOLDER);
  await close(DC);
  assert.deepEqual(contents(world, view), afterRoot);
  await open(VM_FOLDER);
  assert.ok(!contents(world, view).includes('vm-2'), 'what was below a closed one is closed');
  assert.deepEqual(await close(missing), [missing]);
  await close(ROOT);
  assert.deepEqual(contents(world, view), ['group-d1']);
});

void test('a filter over an InventoryView hears of opened and closed folders', async () => {
  const world = inventory();
  const view = await world.invoke<MoRef>(VIEW_MANAGER, 'CreateInventoryView');
  await world.createFilter(viewSpec(view));
  assert.equal(await world.check(''), undefined);
  await world.invoke(view, 'OpenInventoryViewFolder', { entity: [SUBFOLDER] });
  const first = await world.check('');
  assert.deepEqual(kinds(first).sort(), ['enter vm-1', 'enter vm-2', 'enter vm-3']);
  await world.invoke(view, 'CloseInventoryViewFolder', { entity: [SUBFOLDER] });
  assert.deepEqual(kinds(await world.check(first?.version ?? '')).sort(), ['leave vm-2', 'leave vm-3']);
});

void test('views belong to their session, are listed for it, and go with it', async () => {
  const world = inventory();
  const size = world.graph.size;
  const watched = world.router.size;
  const other = world.login('other');
  const made = [
    await containerView(world, ROOT, true),
    await world.invoke<MoRef>(VIEW_MANAGER, 'CreateListView', { obj: [vm(1)] }),
    await world.invoke<MoRef>(VIEW_MANAGER, 'CreateInventoryView'),
  ];
  for (const view of made) {
    assert.ok(contents(world, view).length > 0);
    assert.equal(world.graph.get(view).session, world.user.session);
  }
  const manager = world.graph.get(VIEW_MANAGER);
  assert.deepEqual(manager.read('viewList', world.call()), made);
  assert.deepEqual(manager.read('viewList', world.call(other.session)), []);
  const [first] = made;
  assert.ok(first);
  await world.invoke(first, 'DestroyView');
  assert.deepEqual(manager.read('viewList', world.call()), made.slice(1));
  world.user.end();
  assert.deepEqual([world.graph.size, world.router.size], [size, watched]);
});

void test('the views of a session are limited', async () => {
  const world = inventory();
  for (let count = 0; count < 1000; count++) await world.invoke(VIEW_MANAGER, 'CreateListView', {});
  await assert.rejects(world.invoke(VIEW_MANAGER, 'CreateListView', {}), fault('LimitExceeded', { limit: 1000 }));
});

void test('a session has room for so many references in its ListViews, and what does not fit leaves them as they are', async () => {
  const world = inventory();
  const many = Array.from({ length: 125_001 }, (_, index) => vm((index % 4) + 1));
  const view = await world.invoke<MoRef>(VIEW_MANAGER, 'CreateListView', { obj: [vm(1)] });
  const more = [...many, ...many, ...many, ...many];
  await assert.rejects(world.invoke(view, 'ResetListView', { obj: more }), fault('LimitExceeded'));
  assert.deepEqual(contents(world, view), ['vm-1']);
  await assert.rejects(world.invoke(VIEW_MANAGER, 'CreateListView', { obj: more }), fault('LimitExceeded'));
  await world.invoke(view, 'ModifyListView', { add: many });
  assert.equal(contents(world, view).length, 4);
});
