import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, moRef } from '@vivarium/vim';
import { addFolder, addMachine, fault, ROOT, SEARCH_INDEX, TestWorld } from '../property-collector/test-world.ts';
import { parseInventoryPath, plainName } from './inventory-path.ts';

const UUID = '564d1234-0000-4000-8000-00000000000a';
const DC1 = moRef('Datacenter', 'datacenter-1');
const DC2 = moRef('Datacenter', 'datacenter-2');
const HOST = moRef('HostSystem', 'host-1');
const POOL = moRef('ResourcePool', 'resgroup-1');
const CLUSTER = moRef('ClusterComputeResource', 'domain-c1');
const vm = (id: number) => moRef('VirtualMachine', `vm-${id}`);

/** Two datacenters; vm-1 (with everything) and a host in the first, vm-2 with the same BIOS UUID in the second. */
function inventory(): TestWorld {
  const world = new TestWorld();
  addFolder(world, ROOT, 'Datacenters', [DC1, DC2]);
  for (const [index, dc] of [DC1, DC2].entries()) {
    const vmFolder = moRef('Folder', `group-v${index + 1}`);
    const hostFolder = moRef('Folder', `group-h${index + 1}`);
    world.graph.add(dc, {
      name: `DC${index + 1}`,
      parent: ROOT,
      vmFolder,
      hostFolder,
      datastore: index === 0 ? [moRef('Datastore', 'datastore-1')] : [],
    });
    addFolder(world, vmFolder, 'vm', [], dc);
    addFolder(world, hostFolder, 'host', [], dc);
  }
  world.graph.add(moRef('Datastore', 'datastore-1'), { name: 'datastore1' });
  world.graph.add(CLUSTER, { name: 'C%2f1', parent: moRef('Folder', 'group-h1') });
  world.graph.add(POOL, { name: 'Resources', parent: CLUSTER });
  world.graph.add(HOST, {
    name: 'esx1.example.org',
    parent: CLUSTER,
    hardware: { systemInfo: { uuid: UUID } },
    config: {
      network: {
        dnsConfig: { hostName: 'esx1', domainName: 'lab.example.org' },
        vnic: [{ spec: { ip: { ipAddress: '10.0.0.1' } } }],
      },
    },
  } as never);
  addMachine(world, 'vm-1', {
    name: 'web/1'.replace('/', '%2f'),
    parent: moRef('Folder', 'group-v1'),
    resourcePool: POOL,
    config: {
      uuid: UUID,
      instanceUuid: UUID.replace('564d', '5030'),
      files: { vmPathName: '[datastore1] web/web.vmx' },
    },
    guest: { ipAddress: '10.0.0.7', hostName: 'Web.Example.org' },
  });
  addMachine(world, 'vm-2', {
    name: 'other',
    parent: moRef('Folder', 'group-v2'),
    config: { uuid: UUID.toUpperCase() },
  });
  return world;
}

const find = async (world: TestWorld, method: string, args: object): Promise<unknown> => {
  const found = await world.invoke<MoRef | MoRef[] | undefined>(SEARCH_INDEX, method, args);
  return Array.isArray(found) ? found.map((ref) => ref.value) : found?.value;
};

const searches: [method: string, args: object, expected: unknown][] = [
  ['FindByUuid', { uuid: UUID, vmSearch: true }, 'vm-1'],
  ['FindByUuid', { uuid: UUID.toUpperCase(), vmSearch: true, instanceUuid: false }, 'vm-1'],
  ['FindByUuid', { uuid: '56 4d 12 34 00 00 40 00-80 00 00 00 00 00 00 0a', vmSearch: true }, 'vm-1'],
  ['FindByUuid', { uuid: UUID, vmSearch: true, datacenter: DC2 }, 'vm-2'],
  ['FindByUuid', { uuid: UUID, vmSearch: true, instanceUuid: true }, undefined],
  ['FindByUuid', { uuid: UUID.replace('564d', '5030'), vmSearch: true, instanceUuid: true }, 'vm-1'],
  ['FindByUuid', { uuid: UUID, vmSearch: false }, 'host-1'],
  ['FindByUuid', { uuid: 'nonsense', vmSearch: true }, undefined],
  ['FindByUuid', { uuid: '', vmSearch: true }, undefined],
  ['FindAllByUuid', { uuid: UUID, vmSearch: true }, ['vm-1', 'vm-2']],
  ['FindAllByUuid', { uuid: 'nonsense', vmSearch: true }, []],
  ['FindByIp', { ip: '10.0.0.7', vmSearch: true }, 'vm-1'],
  ['FindByIp', { ip: '10.0.0.7', vmSearch: false }, undefined],
  ['FindByIp', { ip: '10.0.0.1', vmSearch: false }, 'host-1'],
  ['FindByIp', { ip: '10.0.0.7', vmSearch: true, datacenter: DC2 }, undefined],
  ['FindAllByIp', { ip: '10.0.0.7', vmSearch: true, datacenter: DC1 }, ['vm-1']],
  ['FindByDnsName', { dnsName: 'web.example.ORG', vmSearch: true }, 'vm-1'],
  ['FindByDnsName', { dnsName: 'esx1', vmSearch: false }, 'host-1'],
  ['FindByDnsName', { dnsName: 'esx1.lab.example.org.', vmSearch: false }, 'host-1'],
  ['FindAllByDnsName', { dnsName: 'esx1.example.org', vmSearch: false }, ['host-1']],
  ['FindAllByDnsName', { dnsName: 'esx1.example.org', vmSearch: true }, []],
  ['FindByDatastorePath', { datacenter: DC1, path: '[datastore1] web/web.vmx' }, 'vm-1'],
  ['FindByDatastorePath', { datacenter: DC1, path: '[datastore1]web/web.vmx' }, 'vm-1'],
  ['FindByDatastorePath', { datacenter: DC1, path: '[datastore1] web/other.vmx' }, undefined],
  ['FindByInventoryPath', { inventoryPath: 'DC1/vm/web%2f1' }, 'vm-1'],
  ['FindByInventoryPath', { inventoryPath: '/DC1/vm/web%2F1/' }, 'vm-1'],
  ['FindByInventoryPath', { inventoryPath: '/DC1/host/C%2f1/esx1.example.org' }, 'host-1'],
  ['FindByInventoryPath', { inventoryPath: '/DC1/host/C%2f1/Resources' }, 'resgroup-1'],
  ['FindByInventoryPath', { inventoryPath: '/DC1/host/C%2f1/Resources/web%2f1' }, 'vm-1'],
  ['FindByInventoryPath', { inventoryPath: '/' }, 'group-d1'],
  ['FindByInventoryPath', { inventoryPath: '' }, 'group-d1'],
  ['FindByInventoryPath', { inventoryPath: 'DC1/vm/web' }, undefined],
  ['FindByInventoryPath', { inventoryPath: 'dc1' }, undefined],
  ['FindByInventoryPath', { inventoryPath: 'Datacenters/DC1' }, undefined],
  ['FindChild', { entity: DC1, name: 'vm' }, 'group-v1'],
  ['FindChild', { entity: moRef('Folder', 'group-v1'), name: 'web/1' }, 'vm-1'],
  ['FindChild', { entity: CLUSTER, name: 'Resources' }, 'resgroup-1'],
  ['FindChild', { entity: CLUSTER, name: 'nobody' }, undefined],
];

for (const [method, args, expected] of searches) {
  void test(`${method} ${JSON.stringify(args)} finds ${JSON.stringify(expected) ?? 'nothing'}`, async () => {
    assert.deepEqual(await find(inventory(), method, args), expected);
  });
}

void test('a path without a datastore, or with one that the datacenter does not have, is refused', async () => {
  const world = inventory();
  for (const [datacenter, path] of [
    [DC1, 'web/web.vmx'],
    [DC1, '[nope] web.vmx'],
    [DC2, '[datastore1] web/web.vmx'],
    [DC1, '[] x'],
  ] as const) {
    await assert.rejects(find(world, 'FindByDatastorePath', { datacenter, path }), fault('InvalidDatastore'));
  }
});

void test('searching in a datacenter, or below an entity, that is not there is refused', async () => {
  const world = inventory();
  const nowhere = moRef('Datacenter', 'datacenter-9');
  await assert.rejects(
    find(world, 'FindByIp', { datacenter: nowhere, ip: 'x', vmSearch: true }),
    fault('ManagedObjectNotFound'),
  );
  await assert.rejects(find(world, 'FindChild', { entity: nowhere, name: 'vm' }), fault('ManagedObjectNotFound'));
});

void test('the index follows changes, also of what came after the first search', async () => {
  const world = inventory();
  const byIp = (ip: string) => find(world, 'FindByIp', { ip, vmSearch: true });
  const byPath = (inventoryPath: string) => find(world, 'FindByInventoryPath', { inventoryPath });
  assert.equal(await byIp('10.0.0.7'), 'vm-1');
  assert.equal(await byPath('DC2/vm/other'), 'vm-2');
  world.graph.get(vm(1)).set('guest.ipAddress', '10.0.0.8');
  world.graph.get(vm(2)).set('name', 'renamed');
  assert.deepEqual([await byIp('10.0.0.7'), await byIp('10.0.0.8')], [undefined, 'vm-1']);
  assert.deepEqual([await byPath('DC2/vm/other'), await byPath('DC2/vm/renamed')], [undefined, 'vm-2']);
  world.graph.get(vm(2)).set('parent', moRef('Folder', 'group-v1'));
  assert.deepEqual([await byPath('DC2/vm/renamed'), await byPath('DC1/vm/renamed')], [undefined, 'vm-2']);
  addMachine(world, 'vm-3', { guest: { ipAddress: '10.0.0.9' }, parent: moRef('Folder', 'group-v1') });
  assert.equal(await byIp('10.0.0.9'), 'vm-3');
  assert.equal(await byPath('DC1/vm/name of vm-3'), 'vm-3');
  world.graph.remove(vm(3));
  assert.equal(await byIp('10.0.0.9'), undefined);
  addMachine(world, 'vm-3', { guest: { ipAddress: '10.0.0.10' } });
  assert.deepEqual([await byIp('10.0.0.9'), await byIp('10.0.0.10')], [undefined, 'vm-3']);
});

void test('nobody finds what he may not see or read', async () => {
  const world = inventory();
  world.authorization.policy = (_, object, privilege) => object.ref.value !== 'vm-1' || privilege === 'System.View';
  assert.equal(await find(world, 'FindByUuid', { uuid: UUID, vmSearch: true }), 'vm-2');
  assert.equal(await find(world, 'FindByInventoryPath', { inventoryPath: 'DC1/vm/web%2f1' }), 'vm-1');
  world.authorization.policy = (_, object) => object.ref.value !== 'datacenter-1';
  assert.equal(await find(world, 'FindByInventoryPath', { inventoryPath: 'DC1/vm/web%2f1' }), undefined);
  assert.equal(await find(world, 'FindChild', { entity: ROOT, name: 'DC1' }), undefined);
});

void test('names are compared without escapes', () => {
  assert.deepEqual(parseInventoryPath('//a/b%2fc//d/'), ['a', 'b%2fc', 'd']);
  assert.deepEqual(['a%2fb', 'a%2Fb', 'a%5cb', '100%25', '%2', 'a%41'].map(plainName), [
    'a/b',
    'a/b',
    'a\\b',
    '100%',
    '%2',
    'a%41',
  ]);
});
