// A user who may see one empty folder walks through every door of the Automation API.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moRef } from '@vivarium/vim';
import { type SmallCenter, smallCenter } from '../testing/small-center.ts';
import { automationOperations } from './automation.ts';
import { type Door, type Operation, pathParams } from './operation.ts';
import type { ShapeData } from './shape.ts';

const PASSWORD = 'Sesame.1';

/** Something that exists, for each kind of id. */
function idsOf(categoryId: string, tagId: string): Readonly<Record<string, string>> {
  return {
    VirtualMachine: 'vm-31',
    HostSystem: 'host-8',
    ClusterComputeResource: 'domain-c7',
    Datacenter: 'datacenter-2',
    Datastore: 'datastore-12',
    Folder: 'group-v3',
    Network: 'network-13',
    ResourcePool: 'resgroup-10',
    'com.vmware.cis.tagging.Category': categoryId,
    'com.vmware.cis.tagging.Tag': tagId,
    'org.vivarium.sso.user': 'Administrator',
    'org.vivarium.sso.group': 'Administrators',
  };
}

/** A value that the shape takes, naming things that exist. */
function sample(shape: ShapeData, ids: Readonly<Record<string, string>>): unknown {
  switch (shape.kind) {
    case 'optional':
      return sample(shape.item, ids);
    case 'string':
    case 'secret':
      return 'x';
    case 'datetime':
      return '2026-01-01T00:00:00Z';
    case 'integer':
      return 1;
    case 'boolean':
      return true;
    case 'id':
      return ids[shape.resource] ?? 'x';
    case 'enum':
      return shape.values[0];
    case 'list':
    case 'set':
      return [sample(shape.item, ids)];
    case 'map':
      return {};
    case 'struct': {
      if (shape.name === 'com.vmware.vapi.std.dynamic_ID') return { type: 'VirtualMachine', id: 'vm-31' };
      const fields = Object.entries(shape.fields).map(([name, field]) => [name, sample(field, ids)]);
      return Object.fromEntries(fields) as object;
    }
  }
}

function requestOf(operation: Operation, door: Door, ids: Readonly<Record<string, string>>, form: 'rest' | 'api') {
  const inPath = pathParams(door.path);
  const value = (name: string) => sample(operation.params[name] ?? { kind: 'string' }, ids);
  const path = door.path.replaceAll(/\{([\w-]+)\}/g, (_all, name: string) => String(value(name)));
  const action = door.action === undefined ? '' : `?${form === 'rest' ? '~' : ''}action=${door.action}`;
  const others = Object.keys(operation.params).filter((name) => !inPath.includes(name));
  const isRead = door.method === 'GET' || door.method === 'DELETE';
  const fields = Object.fromEntries(others.map((name) => [name, value(name)]));
  const body = door.body === undefined ? fields : value(door.body);
  return {
    method: door.method,
    url: `/${form}${path}${action}`,
    body: isRead || others.length === 0 ? undefined : body,
  };
}

async function world(context: Parameters<typeof smallCenter>[0]) {
  const center = await smallCenter(context);
  const { tagging, domain, service } = center;
  const spec = { name: 'os', description: '', cardinality: 'MULTIPLE', associableTypes: [] } as const;
  const categoryId = await tagging.createCategory(spec);
  const tagId = await tagging.createTag({ categoryId, name: 'debian', description: '' });
  await tagging.attach(tagId, moRef('VirtualMachine', 'vm-31'));
  await domain.addUser('stranger', PASSWORD);
  const elsewhere = moRef('Folder', 'group-v41');
  await service.authorization.grant(elsewhere, [
    { principal: 'VIVARIUM.LOCAL\\stranger', isGroup: false, roleId: -1, propagate: true },
  ]);
  const stranger = await center.logIn('stranger', PASSWORD);
  return { ...center, stranger, ids: idsOf(categoryId, tagId) };
}

for (const form of ['rest', 'api'] as const) {
  void test(`a stranger sees and changes nothing below /${form}`, async (context) => {
    const center = await world(context);
    const { service, tagging, domain, stranger, ids, send } = center;
    const before = await stateOf(center);
    let asked = 0;
    for (const operation of automationOperations({ service, tagging, domain })) {
      const door = operation.doors[form];
      if (!door || operation.service === 'com.vmware.cis.session') continue;
      const { method, url, body } = requestOf(operation, door, ids, form);
      const answer = await send(method, url, body, stranger);
      const about = `${method} ${url}: ${answer.status} ${answer.text}`;
      asked += 1;
      if (answer.status === 403) continue;
      if (operation.name === 'change_own_password') {
        assert.equal(answer.status, 400, 'everybody may, who knows the old one');
        continue;
      }
      assert.equal(answer.status, 200, about);
      const shown = form === 'rest' ? (answer.body as { value: unknown }).value : answer.body;
      const own = operation.name === 'list' && operation.service === 'com.vmware.vcenter.folder';
      assert.deepEqual(shown, own ? [{ folder: 'group-v41', name: 'vm', type: 'VIRTUAL_MACHINE' }] : [], about);
    }
    assert.ok(asked > 50, `${asked} operations`);
    assert.deepEqual(await stateOf(center), before);
  });
}

void test('without a login every operation but the login is refused before anything is looked at', async (context) => {
  const { service, tagging, domain, send, ids } = await world(context);
  for (const form of ['rest', 'api'] as const) {
    for (const operation of automationOperations({ service, tagging, domain })) {
      const door = operation.doors[form];
      if (!door || operation.isOpen) continue;
      const { method, url, body } = requestOf(operation, door, { ...ids, VirtualMachine: 'vm-999' }, form);
      const { status, text } = await send(method, url, body, {});
      assert.equal(status, 401, `${method} ${url}: ${text}`);
    }
  }
});

/** Everything that an operation could have changed. */
async function stateOf({ service, tagging, domain }: SmallCenter): Promise<object> {
  await service.tasks.settled();
  return {
    objects: Array.from(service.graph.all(), ({ ref }) => `${ref.type}:${ref.value}`).sort(),
    tasks: service.tasks.recent(),
    tags: tagging.tags(),
    categories: tagging.categories(),
    users: domain.listUsers(),
    groups: domain.listGroups(),
    policies: [domain.passwordPolicy(), domain.lockOutPolicy()],
    attached: tagging.tags().map(({ id }) => tagging.objectsWith(id)),
  };
}
