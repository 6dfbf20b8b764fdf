import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeJson,
  encodeSoapResponse,
  type MoRef,
  moRef,
  type ObjectContent,
  type PropertyFilterSpec,
  type RetrieveResult,
  type SelectionSpec,
  schema,
  type TraversalSpec,
} from '@vivarium/vim';
import { fetchProperty } from './fetch-property.ts';
import {
  addFolder,
  addMachine,
  COLLECTOR,
  fault,
  newestVersion,
  overTheWire,
  ROOT,
  specOf,
  TestWorld,
} from './test-world.ts';

const vm = (id: string) => moRef('VirtualMachine', id);
const folder = (id: string) => moRef('Folder', id);
const ids = (objects: readonly ObjectContent[]) => objects.map((object) => object.obj.value);
const traversal = (type: string, path: string, rest: Partial<TraversalSpec> = {}): TraversalSpec => ({
  _typeName: 'TraversalSpec',
  type: type as never,
  path,
  ...rest,
});
const named = (name: string): SelectionSpec => ({ name });

/** group-d1 holds group-v2, which holds vm-1, vm-2 and group-v3, which holds vm-3. */
function tree(limits?: ConstructorParameters<typeof TestWorld>[0]): TestWorld {
  const world = new TestWorld(limits);
  addFolder(world, ROOT, 'Root', [folder('group-v2')]);
  addFolder(world, folder('group-v2'), 'A', [vm('vm-1'), folder('group-v3'), vm('vm-2')], ROOT);
  addFolder(world, folder('group-v3'), 'B', [vm('vm-3')], folder('group-v2'));
  const config = {
    name: 'c',
    hardware: {
      memoryMB: 1024,
      device: [
        { _typeName: 'VirtualDisk', key: 2000 },
        { _typeName: 'VirtualCdrom', key: 3000 },
      ],
    },
    extraConfig: [{ _typeName: 'OptionValue', key: 'guestinfo.x', value: { _typeName: 'string', _value: 'y' } }],
  };
  for (const id of ['vm-1', 'vm-2', 'vm-3']) {
    const parent = folder(id === 'vm-3' ? 'group-v3' : 'group-v2');
    addMachine(world, id, {
      config,
      parent,
      runtime: { powerState: 'poweredOn' },
      network: [moRef('Network', 'network-1')],
    });
  }
  return world;
}

async function propertiesOf(
  world: TestWorld,
  type: string,
  pathSet: string[],
  obj: MoRef,
): Promise<Record<string, unknown>> {
  const [object] = await world.retrieve([specOf(type, pathSet, obj)]);
  return Object.fromEntries((object?.propSet ?? []).map(({ name, val }) => [name, val]));
}

void test('values come boxed with the declared type of their path', async () => {
  const properties = await propertiesOf(
    tree(),
    'VirtualMachine',
    [
      'name',
      'runtime.powerState',
      'config.hardware.memoryMB',
      'config.hardware.device',
      'config.hardware.device[3000]',
      'config.extraConfig["guestinfo.x"].value',
      'network',
      'parent',
    ],
    vm('vm-1'),
  );
  assert.deepEqual(properties, {
    name: { _typeName: 'string', _value: 'name of vm-1' },
    'runtime.powerState': { _typeName: 'VirtualMachinePowerState', _value: 'poweredOn' },
    'config.hardware.memoryMB': { _typeName: 'int', _value: 1024 },
    'config.hardware.device': {
      _typeName: 'ArrayOfVirtualDevice',
      _value: [
        { _typeName: 'VirtualDisk', key: 2000 },
        { _typeName: 'VirtualCdrom', key: 3000 },
      ],
    },
    'config.hardware.device[3000]': { _typeName: 'VirtualCdrom', key: 3000 },
    'config.extraConfig["guestinfo.x"].value': { _typeName: 'string', _value: 'y' },
    network: {
      _typeName: 'ArrayOfManagedObjectReference',
      _value: [{ type: 'Network', value: 'network-1' }],
    },
    parent: { _typeName: 'ManagedObjectReference', type: 'Folder', value: 'group-v2' },
  });
});

void test('an unset property has no entry, also when something on its way is unset', async () => {
  const paths = [
    'config.annotation',
    'guest.ipAddress',
    'config.hardware.device[1]',
    'config.hardware.device[1].backing',
  ];
  const objects = await tree().retrieve([specOf('VirtualMachine', paths, vm('vm-1'))]);
  assert.deepEqual(
    objects.map(({ obj, propSet, missingSet }) => [obj.value, propSet, missingSet]),
    [['vm-1', undefined, undefined]],
  );
});

void test('without paths only the objects are told', async () => {
  const world = tree();
  assert.deepEqual(await propertiesOf(world, 'VirtualMachine', [], vm('vm-1')), {});
  assert.equal((await world.retrieve([specOf('VirtualMachine', [], vm('vm-1'))])).length, 1);
});

void test('all means every set property that the client knows, of the object itself', async () => {
  const world = tree();
  const spec: PropertyFilterSpec = {
    propSet: [{ type: 'ManagedEntity' as never, all: true, pathSet: ['nonsense is ignored'] }],
    objectSet: [{ obj: vm('vm-1') }],
  };
  const names = async (version = newestVersion()) => {
    const answer = await world.invoke(
      COLLECTOR,
      'RetrieveProperties',
      { specSet: [spec] },
      world.call(undefined, { version }),
    );
    const [object] = overTheWire('RetrieveProperties', answer, version) as ObjectContent[];
    return object?.propSet?.map((entry) => entry.name).sort();
  };
  assert.deepEqual(await names(), ['config', 'name', 'network', 'parent', 'runtime']);
  world.graph.get(vm('vm-1')).set('rootSnapshot', []);
  assert.ok((await names())?.includes('rootSnapshot'));
  assert.ok(!(await names('2.5'))?.includes('rootSnapshot'));
});

void test('a propSet reports subtypes too, several are merged, and one without objects is ignored', async () => {
  const world = tree();
  const spec: PropertyFilterSpec = {
    propSet: [
      { type: 'ManagedEntity' as never, pathSet: ['name'] },
      { type: 'VirtualMachine' as never, pathSet: ['name', 'runtime.powerState'] },
      { type: 'HostSystem' as never, pathSet: ['hardware'] },
    ],
    objectSet: [{ obj: vm('vm-1') }, { obj: ROOT }],
  };
  const objects = await world.retrieve([spec]);
  assert.deepEqual(
    objects.map(({ obj, propSet }) => [obj.value, propSet?.map((entry) => entry.name)]),
    [
      ['vm-1', ['name', 'runtime.powerState']],
      ['group-d1', ['name']],
    ],
  );
});

void test('objects of a type that no propSet names are not reported', async () => {
  assert.deepEqual(await tree().retrieve([specOf('HostSystem', ['name'], vm('vm-1'))]), []);
});

void test('several specs are blended: each object once, with the union of what they say of its type', async () => {
  const world = tree();
  const objects = await world.retrieve([
    specOf('VirtualMachine', ['name'], vm('vm-1')),
    specOf('VirtualMachine', ['runtime.powerState'], vm('vm-1'), vm('vm-2')),
  ]);
  assert.deepEqual(
    objects.map(({ obj, propSet }) => [obj.value, propSet?.map((entry) => entry.name)]),
    [
      ['vm-1', ['name', 'runtime.powerState']],
      ['vm-2', ['name', 'runtime.powerState']],
    ],
  );
});

const visitFolders = traversal('Folder', 'childEntity', { name: 'visitFolders', selectSet: [named('visitFolders')] });

void test('a selection that names itself walks the whole tree', async () => {
  const spec = { ...specOf('VirtualMachine', ['name']), objectSet: [{ obj: ROOT, selectSet: [visitFolders] }] };
  assert.deepEqual(ids(await tree().retrieve([spec])).sort(), ['vm-1', 'vm-2', 'vm-3']);
});

void test('skip passes through without reporting', async () => {
  const entities = (objectSet: PropertyFilterSpec['objectSet']): PropertyFilterSpec => ({
    propSet: [{ type: 'ManagedEntity' as never, pathSet: [] }],
    objectSet,
  });
  const world = tree();
  const below = [traversal('Folder', 'childEntity')];
  assert.deepEqual(ids(await world.retrieve([entities([{ obj: ROOT, selectSet: below }])])), ['group-d1', 'group-v2']);
  assert.deepEqual(ids(await world.retrieve([entities([{ obj: ROOT, skip: true, selectSet: below }])])), ['group-v2']);
  const twoDown = [traversal('Folder', 'childEntity', { skip: true, selectSet: below })];
  const found = ids(await world.retrieve([entities([{ obj: ROOT, skip: true, selectSet: twoDown }])]));
  assert.deepEqual(found, ['vm-1', 'group-v3', 'vm-2']);
});

void test('a selection is not applied to objects of other types', async () => {
  const spec = {
    ...specOf('Folder', ['name']),
    objectSet: [{ obj: ROOT, skip: true, selectSet: [traversal('Datacenter', 'vmFolder')] }],
  };
  assert.deepEqual(await tree().retrieve([spec]), []);
});

void test('selections follow single references and nested paths, and apply to subtypes', async () => {
  const world = tree();
  const host = moRef('HostSystem', 'host-1');
  const network = moRef('HostNetworkSystem', 'networkSystem-1');
  world.graph.add(host, { name: 'h', configManager: { _typeName: 'HostConfigManager', networkSystem: network } });
  world.graph.add(network, { offloadCapabilities: { csumOffload: true } });
  world.graph.get(vm('vm-1')).set('runtime.host', host);
  const spec: PropertyFilterSpec = {
    propSet: [{ type: 'HostNetworkSystem', pathSet: ['offloadCapabilities.csumOffload'] }],
    objectSet: [
      {
        obj: vm('vm-1'),
        selectSet: [
          traversal('VirtualMachine', 'runtime.host', { selectSet: [named('toNetwork'), named('toParent')] }),
          traversal('HostSystem', 'configManager.networkSystem', { name: 'toNetwork' }),
          traversal('ManagedEntity', 'parent', { name: 'toParent', selectSet: [named('toParent')] }),
        ],
      },
    ],
  };
  assert.deepEqual(ids(await world.retrieve([spec])), ['networkSystem-1']);
  const ancestors = { ...spec, propSet: [{ type: 'Folder' as never, pathSet: ['name'] }] };
  ancestors.objectSet = [
    { obj: vm('vm-3'), selectSet: [traversal('ManagedEntity', 'parent', { name: 'up', selectSet: [named('up')] })] },
  ];
  assert.deepEqual(ids(await world.retrieve([ancestors])), ['group-v3', 'group-v2', 'group-d1']);
});

void test('walking in circles ends', async () => {
  const world = tree();
  const upAndDown: TraversalSpec[] = [
    traversal('Folder', 'childEntity', { name: 'down', selectSet: [named('down'), named('up')] }),
    traversal('ManagedEntity', 'parent', { name: 'up', selectSet: [named('down'), named('up')] }),
  ];
  const spec: PropertyFilterSpec = {
    propSet: [{ type: 'ManagedEntity' as never, pathSet: ['name'] }],
    objectSet: [{ obj: vm('vm-3'), selectSet: upAndDown }],
  };
  assert.deepEqual(ids(await world.retrieve([spec])).sort(), [
    'group-d1',
    'group-v2',
    'group-v3',
    'vm-1',
    'vm-2',
    'vm-3',
  ]);
});

void test('references to objects that are not there lead nowhere', async () => {
  const world = tree();
  world.graph.remove(vm('vm-2'));
  const spec = { ...specOf('VirtualMachine', ['name']), objectSet: [{ obj: ROOT, selectSet: [visitFolders] }] };
  assert.deepEqual(ids(await world.retrieve([spec])).sort(), ['vm-1', 'vm-3']);
});

const oneMachine = [{ obj: vm('vm-1') }];
const names = [{ type: 'VirtualMachine' as never, pathSet: ['name'] }];
const select = (...selectSet: SelectionSpec[]) => [{ obj: ROOT, selectSet }];

const refusals: [what: string, spec: PropertyFilterSpec, type: string, properties?: object][] = [
  [
    'an unknown property',
    specOf('VirtualMachine', ['name', 'nosuch'], vm('vm-1')),
    'InvalidProperty',
    { name: 'nosuch' },
  ],
  [
    'a bad path of a type that is not even there',
    specOf('HostSystem', ['a..b'], vm('vm-1')),
    'InvalidProperty',
    { name: 'a..b' },
  ],
  ['an unknown type', specOf('NoSuchType', ['name'], vm('vm-1')), 'InvalidType'],
  ['a data type', specOf('VirtualDisk', ['key'], vm('vm-1')), 'InvalidType'],
  ['no propSet', { propSet: [], objectSet: oneMachine }, 'InvalidArgument', { invalidProperty: 'spec.propSet' }],
  ['no objectSet', { propSet: names, objectSet: [] }, 'InvalidArgument', { invalidProperty: 'spec.objectSet' }],
  ['a selection of an unknown type', { propSet: names, objectSet: select(traversal('Nope', 'x')) }, 'InvalidType'],
  [
    'a selection along an unknown property',
    { propSet: names, objectSet: select(traversal('Folder', 'vmFolder')) },
    'InvalidArgument',
  ],
  [
    'a selection along what is no reference',
    { propSet: names, objectSet: select(traversal('Folder', 'name')) },
    'InvalidArgument',
  ],
  ['a selection by an unknown name', { propSet: names, objectSet: select(named('nobody')) }, 'InvalidArgument'],
  ['a selection without a name', { propSet: names, objectSet: select({}) }, 'InvalidArgument'],
  [
    'a missing root',
    specOf('VirtualMachine', ['name'], vm('vm-9')),
    'ManagedObjectNotFound',
    { obj: { type: 'VirtualMachine', value: 'vm-9' } },
  ],
  [
    'too many selections',
    { propSet: names, objectSet: select(...Array.from({ length: 129 }, () => traversal('Folder', 'childEntity'))) },
    'LimitExceeded',
    { limit: 128 },
  ],
];

for (const [what, spec, type, properties] of refusals) {
  void test(`${what} is refused with ${type}, by retrieval and by CreateFilter`, async () => {
    const world = tree();
    const watched = world.router.size;
    await assert.rejects(world.retrieve([spec]), fault(type, properties));
    await assert.rejects(world.createFilter(spec), fault(type, properties));
    assert.equal(world.router.size, watched, 'nothing is left behind');
  });
}

void test('a missing root is left out when the spec says so', async () => {
  const spec = { ...specOf('VirtualMachine', ['name'], vm('vm-9'), vm('vm-1')), reportMissingObjectsInResults: true };
  assert.deepEqual(ids(await tree().retrieve([spec])), ['vm-1']);
});

void test('properties that may not be read are listed as missing, objects that may not be seen are left out', async () => {
  const world = tree();
  world.authorization.policy = (_, object, privilege) =>
    object.ref.value !== 'vm-2' && (privilege === 'System.View' || object.ref.value === 'vm-3');
  const spec = {
    ...specOf('VirtualMachine', ['name', 'runtime.powerState']),
    objectSet: [{ obj: folder('group-v2'), selectSet: [visitFolders] }],
  };
  const objects = await world.retrieve([spec]);
  const shown = objects.map(({ obj, propSet, missingSet }) => [
    obj.value,
    propSet?.map((entry) => entry.name),
    missingSet?.map(({ path, fault: why }) => [path, why.fault]),
  ]);
  const object = { type: 'VirtualMachine', value: 'vm-1' };
  assert.deepEqual(shown, [
    ['vm-1', ['name'], [['runtime.powerState', { _typeName: 'NoPermission', object, privilegeId: 'System.Read' }]]],
    ['vm-3', ['name', 'runtime.powerState'], undefined],
  ]);
});

void test('before login everything but the public is missing because nobody is logged in', async () => {
  const world = tree();
  const spec = { ...specOf('Folder', ['name'], ROOT), objectSet: [{ obj: ROOT, selectSet: [visitFolders] }] };
  const objects = await world.retrieve([spec], world.call(world.anonymous));
  assert.deepEqual(
    objects.map(({ obj, missingSet }) => [
      obj.value,
      missingSet?.map(({ fault: why }) => (why.fault as { _typeName?: string })._typeName),
    ]),
    [['group-d1', ['NotAuthenticated']]],
  );
});

void test('what computes a property may refuse: then the property is missing', async () => {
  const world = tree();
  const manager = moRef('SessionManager', 'SessionManager');
  world.graph.add(
    manager,
    { defaultLocale: 'en' } as never,
    {},
    {
      computed: {
        currentSession: (call) => ({ key: call.session.key }) as never,
        message: () => {
          throw new Error('broken');
        },
      },
    },
  );
  const [object] = await world.retrieve([specOf('SessionManager', ['currentSession.key', 'message'], manager)]);
  assert.deepEqual(
    object?.propSet?.map(({ val }) => val),
    [{ _typeName: 'string', _value: 'key-user' }],
  );
  assert.deepEqual(
    object?.missingSet?.map(({ path, fault: why }) => [path, (why.fault as { _typeName?: string })._typeName]),
    [['message', 'SystemError']],
  );
});

void test('other sessions’ filters do not exist', async () => {
  const world = tree();
  const filter = await world.createFilter(specOf('VirtualMachine', ['name'], vm('vm-1')));
  assert.equal((await world.retrieve([specOf('PropertyFilter', ['partialUpdates'], filter)])).length, 1);
  const other = world.call(world.login('other').session);
  await assert.rejects(
    world.retrieve([specOf('PropertyFilter', ['partialUpdates'], filter)], other),
    fault('ManagedObjectNotFound'),
  );
});

async function page(world: TestWorld, maxObjects: number | undefined): Promise<RetrieveResult | undefined> {
  const spec = { ...specOf('VirtualMachine', ['name']), objectSet: [{ obj: ROOT, selectSet: [visitFolders] }] };
  return await world.invoke(COLLECTOR, 'RetrievePropertiesEx', {
    specSet: [spec],
    options: maxObjects === undefined ? {} : { maxObjects },
  });
}

void test('a retrieval comes in pages of maxObjects, all of the moment of the first', async () => {
  const world = tree();
  const first = await page(world, 1);
  assert.equal(first?.objects.length, 1);
  world.graph.get(vm('vm-2')).set('name', 'renamed');
  world.graph.remove(vm('vm-3'));
  const all = [...(first?.objects ?? [])];
  for (let token = first?.token; token !== undefined; ) {
    const next: RetrieveResult = await world.invoke(COLLECTOR, 'ContinueRetrievePropertiesEx', { token });
    all.push(...next.objects);
    token = next.token;
  }
  const shown = overTheWire('RetrieveProperties', all) as ObjectContent[];
  assert.deepEqual(
    shown.map(({ obj, propSet }) => [obj.value, propSet?.[0]?.val]).sort(),
    ['vm-1', 'vm-2', 'vm-3'].map((id) => [id, { _typeName: 'string', _value: `name of ${id}` }]),
  );
});

void test('without maxObjects everything comes at once, and nothing found is nothing returned', async () => {
  const world = tree();
  const whole = await page(world, undefined);
  assert.deepEqual([whole?.objects.length, whole?.token], [3, undefined]);
  const none = await world.invoke(COLLECTOR, 'RetrievePropertiesEx', {
    specSet: [specOf('HostSystem', [], ROOT)],
    options: {},
  });
  assert.equal(none, undefined);
  const exact = await page(world, 3);
  assert.equal(exact?.token, undefined);
});

void test('a token works once, for its session and collector, until it is cancelled', async () => {
  const world = tree();
  const refused = fault('InvalidArgument', { invalidProperty: 'token' });
  const next = (token: string, call?: ReturnType<TestWorld['call']>) =>
    world.invoke(COLLECTOR, 'ContinueRetrievePropertiesEx', { token }, call);
  const token = (await page(world, 1))?.token ?? '';
  await assert.rejects(next(token, world.call(world.login('other').session)), refused);
  const ownCollector = await world.invoke<MoRef>(COLLECTOR, 'CreatePropertyCollector');
  await assert.rejects(world.invoke(ownCollector, 'ContinueRetrievePropertiesEx', { token }), refused);
  await next(token);
  await assert.rejects(next(token), refused);
  const second = (await page(world, 1))?.token ?? '';
  await world.invoke(COLLECTOR, 'CancelRetrievePropertiesEx', { token: second });
  await assert.rejects(next(second), refused);
  await assert.rejects(world.invoke(COLLECTOR, 'CancelRetrievePropertiesEx', { token: 'x' }), refused);
});

void test('forgotten retrievals give way to new ones', async () => {
  const world = tree();
  const oldest = (await page(world, 1))?.token ?? '';
  for (let count = 0; count < 64; count++) await page(world, 1);
  await assert.rejects(
    world.invoke(COLLECTOR, 'ContinueRetrievePropertiesEx', { token: oldest }),
    fault('InvalidArgument'),
  );
});

void test('what a session has not fetched in all its collectors is bounded', async () => {
  const world = tree({ objectsKept: 6 });
  const next = (token: string | undefined) => world.invoke(COLLECTOR, 'ContinueRetrievePropertiesEx', { token });
  const [first, second] = [await page(world, 2), await page(world, 2)];
  assert.equal((await page(world, 3))?.token, undefined, 'what is told at once is not kept');
  await next(first?.token);
  const third = await page(world, 2);
  await next(third?.token);
  const [fourth, fifth, sixth] = [await page(world, 1), await page(world, 1), await page(world, 1)];
  for (const { token } of [second ?? {}, fourth ?? {}] as { token?: string }[])
    await assert.rejects(next(token), fault('InvalidArgument'));
  for (const { token } of [fifth ?? {}, sixth ?? {}] as { token?: string }[]) await next(token);
});

for (const maxObjects of [0, -1]) {
  void test(`maxObjects ${maxObjects} is refused`, async () => {
    await assert.rejects(page(tree(), maxObjects), fault('InvalidArgument', { invalidProperty: 'options.maxObjects' }));
  });
}

void test('Fetch reads one property of any object', async () => {
  const world = tree();
  const machine = world.graph.get(vm('vm-1'));
  const read = (path: string, call = world.call()) => fetchProperty(machine, path, call);
  assert.deepEqual(read('runtime.powerState'), { _typeName: 'VirtualMachinePowerState', _value: 'poweredOn' });
  assert.equal(read('guest'), undefined);
  assert.throws(() => read('nosuch'), fault('InvalidProperty', { name: 'nosuch' }));
  assert.throws(() => read('name', world.call(world.anonymous)), fault('NotAuthenticated'));
  world.authorization.policy = () => false;
  assert.throws(() => read('name'), fault('NoPermission', { privilegeId: 'System.View' }));
  const filter = world.graph.get(COLLECTOR);
  await world.createFilter(specOf('Folder', ['name'], ROOT));
  world.authorization.policy = () => true;
  assert.equal((fetchProperty(filter, 'filter', world.call()) as { _value: unknown[] })._value.length, 1);
});

void test('VI/JSON shows the same answer', async () => {
  const world = tree();
  const specSet = [
    specOf('VirtualMachine', ['name', 'runtime.powerState', 'network', 'config.annotation'], vm('vm-1')),
  ];
  const answer = await world.invoke(COLLECTOR, 'RetrievePropertiesEx', { specSet, options: {} });
  assert.deepEqual(encodeJson('RetrieveResult', answer, newestVersion()), {
    _typeName: 'RetrieveResult',
    objects: [
      {
        _typeName: 'ObjectContent',
        obj: { _typeName: 'ManagedObjectReference', type: 'VirtualMachine', value: 'vm-1' },
        propSet: [
          { _typeName: 'DynamicProperty', name: 'name', val: { _typeName: 'string', _value: 'name of vm-1' } },
          {
            _typeName: 'DynamicProperty',
            name: 'runtime.powerState',
            val: { _typeName: 'VirtualMachinePowerState', _value: 'poweredOn' },
          },
          {
            _typeName: 'DynamicProperty',
            name: 'network',
            val: {
              _typeName: 'ArrayOfManagedObjectReference',
              _value: [{ _typeName: 'ManagedObjectReference', type: 'Network', value: 'network-1' }],
            },
          },
        ],
      },
    ],
  });
});

void test('what is encoded from kept fragments is the same as what is encoded anew', async () => {
  const world = tree();
  const devices = Array.from({ length: 50 }, (_, key) => ({
    _typeName: 'VirtualDisk',
    key,
    capacityInKB: key,
    deviceInfo: { _typeName: 'Description', label: `<${key}>`, summary: '&' },
  }));
  world.graph.get(vm('vm-1')).set('config.hardware.device', devices);
  const specSet = [specOf('VirtualMachine', ['name', 'config', 'config.hardware.device'], vm('vm-1'), vm('vm-2'))];
  const result = schema.declaredMethod('RetrieveProperties')?.result ?? 'ObjectContent[]';
  for (const version of [newestVersion(), newestVersion(), '5.0', '5.0'] as const) {
    const objects = await world.invoke<ObjectContent[]>(
      COLLECTOR,
      'RetrieveProperties',
      { specSet },
      world.call(undefined, { version }),
    );
    const plain = objects.map(({ obj, propSet }) => ({
      obj,
      propSet: propSet?.map(({ name, val }) => ({ name, val })),
    }));
    const encoded = encodeSoapResponse('RetrieveProperties', result, objects, version);
    assert.equal(encoded, encodeSoapResponse('RetrieveProperties', result, plain, version));
  }
});

void test('a client that asks for more paths than any client does is refused before they are looked at', async () => {
  const world = new TestWorld();
  addMachine(world, 'vm-1');
  const many = Array.from({ length: 501 }, (_, key) => `config.hardware.device[${key}].backing.fileName`);
  const spec = (...pathSets: string[][]) => ({
    propSet: pathSets.map((pathSet) => ({ type: 'VirtualMachine' as const, pathSet })),
    objectSet: [{ obj: moRef('VirtualMachine', 'vm-1') as MoRef }],
  });
  const refused = fault('LimitExceeded', { property: 'spec.propSet.pathSet', limit: 1000 });
  await assert.rejects(world.retrieve([spec(many, many)]), refused);
  await assert.rejects(world.retrieve([spec(many), spec(['none', ...many])]), refused);
  assert.equal((await world.retrieve([spec(many)])).length, 1);
});
