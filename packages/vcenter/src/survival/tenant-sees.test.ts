// A malicious tenant looks through every door: what it sees is what an oracle of vSphere's permissions says that it may see,
// and no less. Random inventories, users, groups, roles and permissions, which change while somebody looks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, moRef, moRefKey, schema } from '@vivarium/vim';
import { ask, fetchFrom, read, type Said } from '../testing/tenant/ask.ts';
import { seededDraw } from '../testing/tenant/draw.ts';
import { ROOT, type Tenant, tenantWorld, type World } from '../testing/tenant/world.ts';

const ROUNDS = Number(process.env['VIVARIUM_TENANTS'] ?? 2);
const CHANGES = 10;

type Doors = Readonly<Record<string, (world: World, who: Tenant) => Promise<void>>>;

const COLLECTOR = moRef('PropertyCollector', 'propertyCollector') as MoRef;

void test('a tenant sees what its permissions say, through every door', async (context) => {
  const seed = Number(process.env['VIVARIUM_SEED'] ?? Date.now() % 2 ** 31);
  context.diagnostic(`seed ${seed} (VIVARIUM_SEED=${seed} repeats it)`);
  const draw = seededDraw(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const world = await tenantWorld(context, draw);
    for (let change = 0; change < CHANGES; change++) {
      const who = draw.pick(world.tenants);
      for (const [name, compare] of Object.entries(doors)) {
        await compare(world, who).catch((cause: unknown) => {
          const where = `seed ${seed}, round ${round}, change ${change}`;
          throw new Error(`${who.userName} of ${who.groups.join()} through ${name} (${where})`, { cause });
        });
      }
      await (draw.below(3) === 0 ? world.changeInventory() : world.changePermissions());
    }
  }
});

interface ObjectContent {
  readonly obj: MoRef;
  readonly propSet?: readonly { readonly name: string; readonly val: unknown }[];
  readonly missingSet?: readonly {
    readonly path: string;
    readonly fault: { readonly fault: { readonly _typeName: string } };
  }[];
}

/** Every link between entities that the schema knows, of the types that there are. */
function links(world: World): { readonly type: string; readonly path: string; readonly privilege: string }[] {
  const types = new Set(world.entities().map(({ type }) => type));
  const found = [...types].flatMap((type) =>
    (schema.managed(type)?.fields ?? [])
      .filter((field) => field.kind === 'managed' && schema.isSubtype(field.type, 'ManagedEntity'))
      .map(({ name, privilege = 'System.Read' }) => ({ type: declarer(type, name), path: name, privilege })),
  );
  const nested = [
    { type: 'VirtualMachine', path: 'runtime.host', privilege: 'System.Read' },
    { type: 'VirtualMachine', path: 'summary.vm', privilege: 'System.Read' },
    { type: 'HostSystem', path: 'summary.host', privilege: 'System.Read' },
  ];
  return [...new Map([...found, ...nested].map((one) => [`${one.type}.${one.path}`, one])).values()];
}

/** The base type that has the property first. */
function declarer(type: string, path: string): string {
  const base = schema.managed(type)?.base;
  return base !== undefined && schema.field(base, path) ? declarer(base, path) : type;
}

const link = (type: string, path: string, selectSet: readonly object[] = []) => ({
  _typeName: 'TraversalSpec',
  name: `${type}.${path}`,
  type,
  path,
  skip: false,
  selectSet,
});

/** From the root along every link, as the oracle has it. */
function reachable(world: World, who: Tenant): string[] {
  const all = links(world);
  const { graph } = world.center.service;
  const met = new Set<string>();
  const pending: MoRef[] = [ROOT];
  for (const ref of pending) {
    if (met.has(moRefKey(ref))) continue;
    if (!graph.find(ref) || !world.may(who, ref, 'System.View')) continue;
    met.add(moRefKey(ref));
    for (const { type, path, privilege } of all) {
      if (!schema.isSubtype(ref.type, type) || !world.may(who, ref, privilege)) continue;
      pending.push(
        ...[graph.get(ref).getPath(path) as MoRef | MoRef[] | undefined].flat().filter((one) => one !== undefined),
      );
    }
  }
  return [...met].sort();
}

function everythingSpec(
  world: World,
  properties: { readonly all: boolean; readonly pathSet?: readonly string[] },
): object {
  const all = links(world);
  const names = all.map(({ type, path }) => ({ _typeName: 'SelectionSpec', name: `${type}.${path}` }));
  return {
    _typeName: 'PropertyFilterSpec',
    propSet: [{ _typeName: 'PropertySpec', type: 'ManagedEntity', ...properties }],
    objectSet: [
      {
        _typeName: 'ObjectSpec',
        obj: ROOT,
        skip: false,
        selectSet: all.map(({ type, path }) => link(type, path, names)),
      },
    ],
    reportMissingObjectsInResults: false,
  };
}

/** Values are there where the oracle allows, reasons where it does not. */
function checkContent(world: World, who: Tenant, { obj, propSet = [], missingSet = [] }: ObjectContent): void {
  const privilegeOf = (path: string) => schema.field(obj.type, path.split('.')[0] ?? '')?.privilege ?? 'System.Read';
  for (const { name } of propSet) {
    assert.ok(world.may(who, obj, privilegeOf(name)), `sees ${moRefKey(obj)}.${name}`);
  }
  for (const { path, fault } of missingSet) {
    assert.equal(fault.fault._typeName, 'NoPermission', `${moRefKey(obj)}.${path}`);
    assert.ok(!world.may(who, obj, privilegeOf(path)), `is refused ${moRefKey(obj)}.${path}`);
  }
}

const keys = (refs: readonly MoRef[]) => refs.map((ref) => moRefKey(ref)).sort();

const doors: Doors = {
  async traversal(world, who) {
    const spec = everythingSpec(world, { all: true });
    const { fault, value } = await ask<{ objects?: ObjectContent[] } | undefined>(
      world,
      who,
      COLLECTOR,
      'RetrievePropertiesEx',
      {
        specSet: [spec],
        options: { _typeName: 'RetrieveOptions' },
      },
    );
    assert.equal(fault, undefined);
    const found = value?.objects ?? [];
    // The root is named, so it is told of; what is seen of it is another matter.
    const wanted = new Set([...reachable(world, who), moRefKey(ROOT)]);
    assert.deepEqual(keys(found.map(({ obj }) => obj)), [...wanted].sort());
    for (const content of found) checkContent(world, who, content);
  },

  async 'direct references'(world, who) {
    for (const ref of world.some()) {
      const { fault, value } = await read(world, who, ref, 'name');
      const isSeen = world.may(who, ref, 'System.View');
      assert.equal(fault, isSeen ? undefined : 'NoPermission', moRefKey(ref));
      if (isSeen) assert.equal(value, world.center.read(ref, 'name'));
      const status = await read(world, who, ref, 'overallStatus');
      assert.equal(status.fault, world.may(who, ref, 'System.Read') ? undefined : 'NoPermission', moRefKey(ref));
    }
  },

  async 'live updates'(world, who) {
    const known = await follow(world, who);
    if (!known) return;
    const { value } = await ask<{ objects?: ObjectContent[] } | undefined>(
      world,
      who,
      COLLECTOR,
      'RetrievePropertiesEx',
      {
        specSet: [everythingSpec(world, FOLLOWED)],
        options: { _typeName: 'RetrieveOptions' },
      },
    );
    const now = new Map((value?.objects ?? []).map((content) => [moRefKey(content.obj), propertiesOf(content)]));
    assert.deepEqual(sorted(known), sorted(now));
  },

  async 'container views'(world, who) {
    const { viewManager } = content(world);
    for (const type of ['ManagedEntity', 'VirtualMachine', 'Folder']) {
      const made = await ask<MoRef>(world, who, viewManager, 'CreateContainerView', {
        container: ROOT,
        type: [type],
        recursive: true,
      });
      if (!world.may(who, ROOT, 'System.View')) {
        assert.equal(made.fault, 'NoPermission');
        continue;
      }
      const { value: list } = await read<{ _value: MoRef[] } | MoRef[]>(world, who, made.value, 'view');
      const wanted = below(world, who).filter((ref) => schema.isSubtype(ref.type, type));
      assert.deepEqual(keys(listOf(list)), keys(wanted), type);
      await ask(world, who, made.value, 'DestroyView');
    }
  },

  async 'list and inventory views'(world, who) {
    const { viewManager } = content(world);
    if (!world.may(who, ROOT, 'System.View')) return;
    const made = await ask<MoRef>(world, who, viewManager, 'CreateListView', { obj: [] });
    const all = world.entities();
    const some = world.some();
    for (const ref of some) {
      const { fault } = await ask(world, who, made.value, 'ModifyListView', { add: [ref] });
      assert.equal(fault, world.may(who, ref, 'System.View') ? undefined : 'NoPermission', moRefKey(ref));
    }
    await ask(world, who, made.value, 'DestroyView');
    for (const ref of some) {
      const { fault } = await ask(world, who, viewManager, 'CreateListView', { obj: [ref] });
      assert.equal(fault, world.may(who, ref, 'System.View') ? undefined : 'NoPermission', moRefKey(ref));
    }
    const { value: inventory } = await ask<MoRef>(world, who, viewManager, 'CreateInventoryView');
    await ask(world, who, inventory, 'OpenInventoryViewFolder', { entity: all });
    const { value: list } = await read<MoRef[]>(world, who, inventory, 'view');
    for (const ref of listOf(list)) assert.ok(world.may(who, ref, 'System.View'), moRefKey(ref));
    await ask(world, who, inventory, 'DestroyView');
    for (const ref of listOf((await read<MoRef[]>(world, who, viewManager, 'viewList')).value))
      await ask(world, who, ref, 'DestroyView');
  },

  async search(world, who) {
    const { searchIndex } = content(world);
    if (!world.may(who, ROOT, 'System.View')) return;
    const find = async (method: string, args: object) =>
      keys(listOf((await ask<MoRef[]>(world, who, searchIndex, method, args)).value));
    for (const ref of world.some()) {
      const name = world.center.read<string>(ref, 'name');
      const parent = world.center.read<MoRef | undefined>(ref, 'parent');
      const wanted = (privilege: string) => (world.may(who, ref, privilege) ? [moRefKey(ref)] : []);
      if (parent)
        assert.deepEqual(await find('FindChild', { entity: parent, name }), wanted('System.View'), moRefKey(ref));
      const path = [...ancestors(world, ref)].reverse();
      const isOpen = [...path, ref].every((one) => world.may(who, one, 'System.View'));
      const inventoryPath = [...path.slice(1), ref].map((one) => world.center.read<string>(one, 'name')).join('/');
      if (parent)
        assert.deepEqual(
          await find('FindByInventoryPath', { inventoryPath }),
          isOpen ? [moRefKey(ref)] : [],
          inventoryPath,
        );
      if (ref.type === 'VirtualMachine') {
        const uuid = world.center.read<string>(ref, 'config.instanceUuid');
        assert.deepEqual(
          await find('FindByUuid', { uuid, vmSearch: true, instanceUuid: true }),
          wanted('System.Read'),
          uuid,
        );
      }
      if (ref.type === 'HostSystem') {
        assert.deepEqual(
          await find('FindAllByDnsName', { dnsName: name, vmSearch: false }),
          wanted('System.Read'),
          name,
        );
      }
    }
  },

  async events(world, who) {
    const { eventManager } = content(world);
    const all = await ask<Happened[]>(world, world.admin, eventManager, 'QueryEvents', {
      filter: { _typeName: 'EventFilterSpec' },
    });
    const wanted = listOf(all.value)
      .filter((event) => seesEvent(world, who, event))
      .map(({ key }) => key);
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

  async statistics(world, who) {
    const { perfManager } = content(world);
    if (!world.may(who, ROOT, 'System.View')) return;
    for (const ref of world.some().filter(({ type }) => type === 'VirtualMachine' || type === 'HostSystem')) {
      const isRead = world.may(who, ref, 'System.Read');
      const summary = await ask(world, who, perfManager, 'QueryPerfProviderSummary', { entity: ref });
      assert.equal(summary.fault, isRead ? undefined : 'NoPermission', moRefKey(ref));
      const spec = { _typeName: 'PerfQuerySpec', entity: ref, intervalId: 20, maxSample: 1 };
      const { fault } = await ask(world, who, perfManager, 'QueryPerf', { querySpec: [spec] });
      // The hosts of this test measure nothing.
      assert.equal(fault, isRead ? 'NotSupported' : 'NoPermission', moRefKey(ref));
    }
  },

  async permissions(world, who) {
    const { authorizationManager: ref } = content(world);
    const all = listOf((await ask<{ entity: MoRef }[]>(world, world.admin, ref, 'RetrieveAllPermissions')).value);
    const seen = await ask<{ entity: MoRef }[]>(world, who, ref, 'RetrieveAllPermissions');
    if (world.may(who, ROOT, 'System.View')) {
      const wanted = all.filter(({ entity }) => world.may(who, entity, 'System.Read'));
      assert.deepEqual(listOf(seen.value), wanted);
      const ofRole = await ask<{ entity: MoRef }[]>(world, who, ref, 'RetrieveRolePermissions', { roleId: -2 });
      for (const { entity } of listOf(ofRole.value)) assert.ok(world.may(who, entity, 'System.Read'), moRefKey(entity));
    }
    for (const entity of world.some()) {
      const isRead = world.may(who, entity, 'System.Read');
      const own = await ask(world, who, ref, 'RetrieveEntityPermissions', { entity, inherited: true });
      assert.equal(own.fault, isRead ? undefined : 'NoPermission', moRefKey(entity));
      const privileges = [...PRIVILEGES];
      const held = await ask<{ privileges?: string[] }[]>(world, who, ref, 'FetchUserPrivilegeOnEntities', {
        entities: [entity],
        userName: who.userName,
      });
      if (held.fault !== undefined) {
        assert.ok(!world.may(who, entity, 'System.View'));
        continue;
      }
      assert.ok(world.may(who, entity, 'System.View'));
      const { sessionId } = { sessionId: who.session.key };
      if (!isRead || !world.may(who, ROOT, 'System.View')) continue;
      const has = await ask<boolean[]>(world, who, ref, 'HasPrivilegeOnEntity', {
        entity,
        sessionId,
        privId: privileges,
      });
      assert.deepEqual(
        listOf(has.value),
        privileges.map((privilege) => world.may(who, entity, privilege)),
        moRefKey(entity),
      );
    }
  },

  async 'lists of REST'(world, who) {
    for (const [path, types, field] of REST_LISTS) {
      for (const prefix of ['/api', '/rest']) {
        const { status, body } = await fetchFrom(world, who, 'GET', `${prefix}/vcenter/${path}`);
        assert.equal(status, 200);
        const rows = (prefix === '/api' ? body : (body as { value: unknown }).value) as Record<string, string>[];
        const wanted = world.entities().filter((ref) => types.includes(ref.type) && world.may(who, ref, 'System.Read'));
        assert.deepEqual(rows.map((row) => row[field]).sort(), wanted.map(({ value }) => value).sort(), path);
      }
    }
    for (const ref of world.some()) {
      const path = REST_LISTS.find(([, types]) => types.includes(ref.type))?.[0];
      if (path === undefined || path === 'folder' || path === 'network' || path === 'host') continue;
      const { status } = await fetchFrom(world, who, 'GET', `/api/vcenter/${path}/${ref.value}`);
      // A VM of these hosts is too little for the whole of its answer.
      assert.equal(status === 403, !world.may(who, ref, 'System.Read'), moRefKey(ref));
      if (path !== 'vm') continue;
      const power = await fetchFrom(world, who, 'GET', `/api/vcenter/vm/${ref.value}/power`);
      assert.equal(power.status, world.may(who, ref, 'System.Read') ? 200 : 403, moRefKey(ref));
    }
  },

  async tags(world, who) {
    const mayTags = world.may(who, ROOT, 'System.Read');
    const url = '/api/cis/tagging/tag-association';
    for (const { type, value: id } of world.some()) {
      const { status } = await fetchFrom(world, who, 'POST', `${url}?action=list-attached-tags`, {
        object_id: { type, id },
      });
      assert.equal(status, world.may(who, { type, value: id } as MoRef, 'System.Read') ? 200 : 403, `${type}:${id}`);
    }
    const tag = await tagOf(world);
    const { status, body } = await fetchFrom(world, who, 'POST', `${url}/${tag}?action=list-attached-objects`);
    assert.equal(status, mayTags ? 200 : 403);
    if (!mayTags) return;
    const wanted = world.entities().filter((ref) => world.may(who, ref, 'System.Read'));
    const seen = (body as { type: string; id: string }[]).map(({ type, id }) => `${type}:${id}`);
    assert.deepEqual(seen.sort(), keys(wanted));
  },

  async files(world, who) {
    const datacenters = world.entities().filter((ref) => ref.type === 'Datacenter');
    const { text } = await fetchFrom(world, who, 'GET', '/folder');
    for (const ref of datacenters) {
      const dcPath = encodeURIComponent(pathOf(world, ref));
      assert.equal(text.includes(`dcPath=${dcPath}"`), world.may(who, ref, 'System.View'), dcPath);
      const page = await fetchFrom(world, who, 'GET', `/folder?dcPath=${dcPath}`);
      for (const datastore of world.center.read<MoRef[]>(ref, 'datastore')) {
        const dsName = encodeURIComponent(world.center.read<string>(datastore, 'name'));
        const mayBrowse = world.may(who, datastore, 'Datastore.Browse');
        assert.equal(page.text.includes(`dsName=${dsName}"`), mayBrowse, dsName);
        const file = await fetchFrom(world, who, 'GET', `/folder/vm/vm.vmx?dcPath=${dcPath}&dsName=${dsName}`);
        const mayManage = world.may(who, datastore, 'Datastore.FileManagement');
        // Who may browse is told that the file is not there.
        if (!mayManage && !mayBrowse) assert.equal(file.status, 403, dsName);
        if (mayManage) assert.notEqual(file.status, 403, dsName);
        const gone = await fetchFrom(world, who, 'DELETE', `/folder/vm/vm.vmx?dcPath=${dcPath}&dsName=${dsName}`);
        assert.equal(gone.status === 403, !mayManage, dsName);
      }
    }
  },

  async screens(world, who) {
    for (const ref of world.entities().filter(({ type }) => type === 'VirtualMachine')) {
      const { status } = await fetchFrom(world, who, 'GET', `/screen?id=${ref.value}`);
      assert.equal(status === 403, !world.may(who, ref, 'VirtualMachine.Interact.CreateScreenshot'), ref.value);
    }
  },

  async metrics(world, who) {
    const { status, text } = await fetchFrom(world, who, 'GET', '/metrics');
    assert.equal(status, world.may(who, ROOT, 'System.Read') ? 200 : 403);
    for (const [, name] of text.matchAll(/\bvm="([^"]*)"/g)) {
      const vm = world
        .entities()
        .find((ref) => ref.type === 'VirtualMachine' && world.center.read(ref, 'name') === name);
      assert.ok(vm && world.may(who, vm, 'System.Read'), name);
    }
  },

  async "others' sessions"(world, who) {
    const { sessionManager, viewManager, propertyCollector } = content(world);
    const list = await read(world, who, sessionManager, 'sessionList');
    const mayEnd = world.may(who, ROOT, 'Sessions.TerminateSession');
    assert.equal(list.fault, mayEnd ? undefined : 'NoPermission');
    if (!mayEnd) {
      const ended = await ask(world, who, sessionManager, 'TerminateSession', { sessionId: [world.admin.session.key] });
      assert.equal(ended.fault, 'NoPermission');
    }
    const view = (
      await ask<MoRef>(world, world.admin, viewManager, 'CreateContainerView', { container: ROOT, recursive: true })
    ).value;
    const filter = (
      await ask<MoRef>(world, world.admin, propertyCollector, 'CreateFilter', {
        spec: everythingSpec(world, FOLLOWED),
        partialUpdates: false,
      })
    ).value;
    for (const [ref, property] of [
      [view, 'view'],
      [filter, 'spec'],
    ] as const) {
      assert.equal((await read(world, who, ref, property)).fault, 'ManagedObjectNotFound');
    }
    assert.equal((await ask(world, who, view, 'DestroyView')).fault, 'ManagedObjectNotFound');
    assert.equal((await ask(world, who, filter, 'DestroyPropertyFilter')).fault, 'ManagedObjectNotFound');
    assert.equal((await ask(world, world.admin, view, 'DestroyView')).fault, undefined);
    assert.equal((await ask(world, world.admin, filter, 'DestroyPropertyFilter')).fault, undefined);
  },
};

const PRIVILEGES = [
  'System.View',
  'System.Read',
  'VirtualMachine.Interact.PowerOn',
  'Folder.Create',
  'Datastore.Browse',
];

const REST_LISTS: readonly (readonly [path: string, types: readonly string[], field: string])[] = [
  ['vm', ['VirtualMachine'], 'vm'],
  ['host', ['HostSystem'], 'host'],
  ['cluster', ['ClusterComputeResource'], 'cluster'],
  ['datacenter', ['Datacenter'], 'datacenter'],
  ['datastore', ['Datastore'], 'datastore'],
  ['network', ['Network', 'DistributedVirtualPortgroup'], 'network'],
  ['folder', ['Folder'], 'folder'],
  ['resource-pool', ['ResourcePool', 'VirtualApp'], 'resource_pool'],
];

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
const FOLLOWED = { all: false, pathSet: ['name', 'parent', 'overallStatus'] };

const byNumber = (one: number, other: number) => one - other;
const sorted = (map: ReadonlyMap<string, unknown>) => [...map].sort(([one], [other]) => (one < other ? -1 : 1));

/** A list as VI/JSON tells it: bare, boxed, or nothing. */
function listOf<T>(value: readonly T[] | { readonly _value?: readonly T[] } | T | undefined): T[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value as T[];
  if (typeof value === 'object' && '_value' in value) return [...(value._value ?? [])];
  return [value as T];
}

function content({
  center,
}: World): Record<
  | 'viewManager'
  | 'searchIndex'
  | 'eventManager'
  | 'taskManager'
  | 'perfManager'
  | 'authorizationManager'
  | 'sessionManager'
  | 'propertyCollector',
  MoRef
> {
  return center.service.content as never;
}

function ancestors(world: World, ref: MoRef): MoRef[] {
  const parent = world.center.service.graph.find(ref)?.parent;
  return parent ? [parent, ...ancestors(world, parent)] : [];
}

/** As /folder names a datacenter. */
function pathOf(world: World, ref: MoRef): string {
  const path = [...ancestors(world, ref).toReversed().slice(1), ref];
  return path.map((one) => world.center.read<string>(one, 'name')).join('/');
}

/** What is in the root folder for somebody: from container to container. */
function below(world: World, who: Tenant): MoRef[] {
  const { graph } = world.center.service;
  const found = new Map<string, MoRef>();
  const pending: MoRef[] = [ROOT];
  for (const ref of pending) {
    const children = [
      'childEntity',
      'vmFolder',
      'hostFolder',
      'datastoreFolder',
      'networkFolder',
      'host',
      'resourcePool',
      'vm',
    ];
    const type = CONTAINERS.find((one) => schema.isSubtype(ref.type, one));
    if (!type) continue;
    for (const path of children) {
      const field = schema.field(type, path);
      if (!field || !isChildLink(type, path) || !world.may(who, ref, field.privilege ?? 'System.Read')) continue;
      for (const child of listOf(graph.get(ref).getPath(path) as MoRef | MoRef[] | undefined)) {
        if (found.has(moRefKey(child)) || !graph.find(child) || !world.may(who, child, 'System.View')) continue;
        found.set(moRefKey(child), child);
        pending.push(child);
      }
    }
  }
  return [...found.values()];
}

const CONTAINERS = ['Folder', 'Datacenter', 'ComputeResource', 'ResourcePool', 'HostSystem'];
const isChildLink = (type: string, path: string) =>
  ({
    Folder: ['childEntity'],
    Datacenter: ['vmFolder', 'hostFolder', 'datastoreFolder', 'networkFolder'],
    ComputeResource: ['host', 'resourcePool'],
    ResourcePool: ['resourcePool', 'vm'],
    HostSystem: ['vm'],
  })[type]?.includes(path) ?? false;

interface Followed {
  readonly collector: MoRef;
  version: string;
  readonly objects: Map<string, Record<string, unknown>>;
}

const following = new WeakMap<Tenant, Followed>();

/** All that one filter has told somebody so far. */
async function follow(world: World, who: Tenant): Promise<ReadonlyMap<string, object> | undefined> {
  let followed = following.get(who);
  if (!followed) {
    const spec = everythingSpec(world, FOLLOWED);
    // Who may see nothing at all may not begin; whoever has begun goes on, whatever is taken away.
    if (!world.may(who, ROOT, 'System.View')) return undefined;
    const { propertyCollector } = content(world);
    const collector = (await world.center.service.invoke(
      { this: propertyCollector, method: 'CreatePropertyCollector', args: {} },
      who.call,
    )) as MoRef;
    await world.center.service.invoke(
      { this: collector, method: 'CreateFilter', args: { spec, partialUpdates: false } },
      who.call,
    );
    following.set(who, (followed = { collector, version: '', objects: new Map() }));
  }
  const { objects } = followed;
  for (;;) {
    const { value, fault }: Said<Update | undefined> = await ask(world, who, followed.collector, 'WaitForUpdatesEx', {
      version: followed.version,
      options: { _typeName: 'WaitOptions', maxWaitSeconds: 0 },
    });
    assert.equal(fault, undefined);
    if (!value) return objects;
    followed.version = value.version;
    for (const { objectSet = [] } of value.filterSet ?? []) {
      for (const { kind, obj, changeSet = [], missingSet = [] } of objectSet) {
        const key = moRefKey(obj);
        if (kind === 'leave') objects.delete(key);
        else {
          const properties = kind === 'enter' ? {} : { ...objects.get(key) };
          for (const { name, val } of changeSet) {
            if (val === undefined) delete properties[name];
            else properties[name] = val;
          }
          for (const { path } of missingSet) properties[path] = MISSING;
          objects.set(key, properties);
        }
      }
    }
  }
}

const MISSING = 'missing';

interface Update {
  readonly version: string;
  readonly filterSet?: readonly {
    readonly objectSet?: readonly {
      readonly kind: string;
      readonly obj: MoRef;
      readonly changeSet?: readonly { readonly name: string; readonly val?: unknown }[];
      readonly missingSet?: readonly { readonly path: string }[];
    }[];
  }[];
}

function propertiesOf({ propSet = [], missingSet = [] }: ObjectContent): object {
  return Object.fromEntries([
    ...propSet.map(({ name, val }) => [name, val]),
    ...missingSet.map(({ path }) => [path, MISSING]),
  ]);
}

const tags = new WeakMap<World, string>();

/** A tag on every entity. */
async function tagOf(world: World): Promise<string> {
  const known = tags.get(world);
  if (known !== undefined) return known;
  const category = await fetchFrom(world, world.admin, 'POST', '/api/cis/tagging/category', {
    name: 'c',
    description: '',
    cardinality: 'MULTIPLE',
    associable_types: [],
  });
  const made = await fetchFrom(world, world.admin, 'POST', '/api/cis/tagging/tag', {
    name: 't',
    description: '',
    category_id: category.body,
  });
  const tag = String(made.body);
  tags.set(world, tag);
  const objects = world.entities().map(({ type, value: id }) => ({ type, id }));
  const url = `/api/cis/tagging/tag-association/${tag}?action=attach-tag-to-multiple-objects`;
  const attached = await fetchFrom(world, world.admin, 'POST', url, { object_ids: objects });
  assert.deepEqual(attached.body, { success: true, error_messages: [] });
  return tag;
}
