import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRef, moRef } from '@vivarium/vim';
import { type SmallCenter, smallCenter } from '../../testing/small-center.ts';
import { addVm, DATACENTER, DB, PROD_FOLDER, ROOT, VM_FOLDER, WEB } from '../../testing/small-inventory.ts';

type Row = Readonly<Record<string, unknown>>;

/** Asks both doors, which have to agree; the answer without its wrapping. */
async function list(center: SmallCenter, kind: string, filter: Record<string, string | readonly string[]> = {}) {
  const rest = new URLSearchParams();
  const api = new URLSearchParams();
  for (const [name, values] of Object.entries(filter)) {
    for (const [index, value] of [values].flat().entries()) {
      rest.append(index === 0 ? `filter.${name}` : `filter.${name}.${index}`, value);
      api.append(name, value);
    }
  }
  const bare = await center.send('GET', `/api/vcenter/${kind}?${api}`);
  const wrapped = await center.send('GET', `/rest/vcenter/${kind}?${rest}`);
  assert.equal(bare.status, 200, bare.text);
  assert.deepEqual(wrapped.body, { value: bare.body });
  return bare.body as readonly Row[];
}

const ids = (rows: readonly Row[], name: string) => rows.map((row) => row[name]);

void test('virtual machines are listed without templates, and filtered', async (context) => {
  const center = await smallCenter(context);
  const vms = async (filter?: Record<string, string | string[]>) => ids(await list(center, 'vm', filter), 'vm');
  assert.deepEqual((await list(center, 'vm'))[0], {
    vm: 'vm-31',
    name: 'web',
    power_state: 'POWERED_ON',
    cpu_count: 2,
    memory_size_MiB: 512,
  });
  assert.deepEqual(await vms(), ['vm-31', 'vm-32', 'vm-34']);
  assert.deepEqual(await vms({ names: 'web' }), ['vm-31', 'vm-34']);
  assert.deepEqual(await vms({ names: ['db', 'nothing'] }), ['vm-32']);
  assert.deepEqual(await vms({ vms: ['vm-34', 'vm-33', 'vm-999'] }), ['vm-34']);
  assert.deepEqual(await vms({ folders: 'group-v3' }), ['vm-31', 'vm-32']);
  assert.deepEqual(await vms({ folders: 'group-v30' }), ['vm-34']);
  assert.deepEqual(await vms({ datacenters: 'datacenter-40' }), []);
  assert.deepEqual(await vms({ datacenters: 'datacenter-2', names: 'db' }), ['vm-32']);
  assert.deepEqual(await vms({ hosts: 'host-9' }), ['vm-32']);
  assert.deepEqual(await vms({ clusters: 'domain-c7' }), ['vm-31', 'vm-32', 'vm-34']);
  assert.deepEqual(await vms({ resource_pools: 'resgroup-11' }), ['vm-32']);
  assert.deepEqual(await vms({ power_states: 'POWERED_OFF' }), ['vm-32', 'vm-34']);
  const wrong = await center.send('GET', '/api/vcenter/vm?power_states=ON');
  assert.equal(wrong.status, 400);
  assert.equal((await center.send('GET', '/api/vcenter/vm?filter.names=web')).status, 400, 'that is the other form');
});

void test('more than 4,000 virtual machines are too many for one list', async (context) => {
  const center = await smallCenter(context);
  for (let index = 0; index < 3998; index += 1)
    addVm(center.service, moRef('VirtualMachine', `vm-a${index}`), `a${index}`);
  const refused = await center.send('GET', '/rest/vcenter/vm');
  assert.equal(refused.status, 400);
  assert.match(refused.text, /UNABLE_TO_ALLOCATE_RESOURCE/);
  assert.deepEqual(ids(await list(center, 'vm', { names: 'a17' }), 'vm'), ['vm-a17']);
  center.service.graph.remove(DB);
  assert.equal((await list(center, 'vm')).length, 4000);
});

void test('datacenters, folders, clusters, hosts, datastores, networks and pools are listed and filtered', async (context) => {
  const center = await smallCenter(context);
  assert.deepEqual(await list(center, 'datacenter', { names: 'DC0' }), [{ datacenter: 'datacenter-2', name: 'DC0' }]);
  assert.deepEqual(await list(center, 'folder', { type: 'VIRTUAL_MACHINE', datacenters: 'datacenter-2' }), [
    { folder: 'group-v3', name: 'vm', type: 'VIRTUAL_MACHINE' },
    { folder: 'group-v30', name: 'prod', type: 'VIRTUAL_MACHINE' },
  ]);
  assert.deepEqual(ids(await list(center, 'folder', { parent_folders: 'group-v3' }), 'folder'), ['group-v30']);
  assert.deepEqual(ids(await list(center, 'folder', { type: 'DATACENTER' }), 'folder'), ['group-d1']);
  assert.deepEqual(await list(center, 'cluster', { datacenters: 'datacenter-2' }), [
    { cluster: 'domain-c7', name: 'C0', ha_enabled: true, drs_enabled: false },
  ]);
  const hosts = async (filter?: Record<string, string>) => ids(await list(center, 'host', filter), 'host');
  assert.deepEqual((await list(center, 'host'))[0], {
    host: 'host-8',
    name: 'esx1',
    connection_state: 'CONNECTED',
    power_state: 'POWERED_ON',
  });
  assert.deepEqual(await hosts({ standalone: 'true' }), ['host-18']);
  assert.deepEqual(await hosts({ clusters: 'domain-c7' }), ['host-8', 'host-9']);
  assert.deepEqual(await hosts({ folders: 'group-h4' }), ['host-8', 'host-9', 'host-18']);
  assert.deepEqual(await hosts({ connection_states: 'DISCONNECTED' }), []);
  assert.deepEqual(await list(center, 'datastore', { types: 'VMFS' }), [
    { datastore: 'datastore-12', name: 'LocalDS_0', type: 'VMFS', free_space: 1 << 29, capacity: 1 << 30 },
  ]);
  assert.deepEqual(ids(await list(center, 'network', { types: 'DISTRIBUTED_PORTGROUP' }), 'network'), [
    'dvportgroup-14',
  ]);
  assert.deepEqual(ids(await list(center, 'network'), 'network'), ['network-13', 'dvportgroup-14']);
  const pools = async (filter?: Record<string, string>) =>
    ids(await list(center, 'resource-pool', filter), 'resource_pool');
  assert.deepEqual(await pools({ clusters: 'domain-c7' }), ['resgroup-10', 'resgroup-11']);
  assert.deepEqual(await pools({ parent_resource_pools: 'resgroup-10' }), ['resgroup-11']);
  assert.deepEqual(await pools({ hosts: 'host-18' }), ['resgroup-19']);
});

void test('single objects tell about themselves', async (context) => {
  const { send } = await smallCenter(context);
  const get = async (path: string) => (await send('GET', `/api/vcenter/${path}`)).body;
  assert.deepEqual(await get('datacenter/datacenter-2'), {
    name: 'DC0',
    datastore_folder: 'group-s5',
    host_folder: 'group-h4',
    network_folder: 'group-n6',
    vm_folder: 'group-v3',
  });
  assert.deepEqual(await get('cluster/domain-c7'), { name: 'C0', resource_pool: 'resgroup-10' });
  assert.deepEqual(await get('datastore/datastore-12'), {
    name: 'LocalDS_0',
    type: 'VMFS',
    accessible: true,
    free_space: 1 << 29,
    multiple_host_access: false,
    thin_provisioning_supported: true,
  });
  assert.deepEqual(await get('resource-pool/resgroup-10'), {
    name: 'Resources',
    resource_pools: ['resgroup-11'],
    cpu_allocation: { reservation: 0, expandable_reservation: true, limit: -1, shares: { level: 'NORMAL' } },
    memory_allocation: {
      reservation: 512,
      expandable_reservation: false,
      limit: 1024,
      shares: { level: 'CUSTOM', shares: 7 },
    },
  });
});

void test('what is not there is 404, with the words of vCenter', async (context) => {
  const { send } = await smallCenter(context);
  const { status, body } = await send('GET', '/api/vcenter/vm/vm-999');
  assert.equal(status, 404);
  assert.deepEqual(body, {
    error_type: 'NOT_FOUND',
    messages: [
      {
        id: 'com.vmware.api.vcenter.vm.not_found',
        default_message: "Virtual machine with identifier 'vm-999' does not exist.",
        args: ['vm-999'],
      },
      {
        id: 'vmsg.ManagedObjectNotFound.summary',
        default_message:
          "The object 'vim.VirtualMachine:vm-999' has already been deleted or has not been completely created",
        args: [],
      },
    ],
  });
  for (const path of [
    'datacenter/x',
    'cluster/x',
    'datastore/x',
    'resource-pool/x',
    'vm/x/power',
    'vm/x/guest/identity',
  ])
    assert.equal((await send('GET', `/rest/vcenter/${path}`)).status, 404, path);
});

void test('only what the user may read is listed, and reading the rest is refused', async (context) => {
  const { send, service, domain, logIn } = await smallCenter(context);
  await domain.addUser('ann', 'Sesame.1');
  await service.authorization.grant(PROD_FOLDER, [
    { principal: 'VIVARIUM.LOCAL\\ann', isGroup: false, roleId: -2, propagate: true },
  ]);
  const ann = await logIn('ann', 'Sesame.1');
  const listed = async (kind: string) => (await send('GET', `/api/vcenter/${kind}`, undefined, ann)).body as Row[];
  assert.deepEqual(ids(await listed('vm'), 'vm'), ['vm-34']);
  assert.deepEqual(ids(await listed('folder'), 'folder'), ['group-v30']);
  for (const kind of ['datacenter', 'cluster', 'host', 'datastore', 'network', 'resource-pool'])
    assert.deepEqual(await listed(kind), [], kind);
  assert.equal((await send('GET', '/api/vcenter/vm/vm-34', undefined, ann)).status, 200);
  assert.equal((await send('GET', '/api/vcenter/vm/vm-31', undefined, ann)).status, 403);
  assert.equal((await send('POST', '/api/vcenter/vm/vm-34/power?action=start', undefined, ann)).status, 403);
  assert.equal((await send('DELETE', '/api/vcenter/vm/vm-34', undefined, ann)).status, 403);
});

void test('datacenters come and go by the methods of the tree', async (context) => {
  const { send, service } = await smallCenter(context);
  const made: string[] = [];
  const root = service.graph.get(ROOT);
  Object.assign(root, {
    method: (name: string) =>
      name === 'CreateDatacenter'
        ? ({ name: datacenter }: { name: string }) => {
            made.push(datacenter);
            const ref = moRef('Datacenter', 'datacenter-77');
            service.graph.add<'Datacenter'>(
              ref,
              { name: datacenter, parent: ROOT },
              {
                Destroy_Task: (_args, call) =>
                  service.tasks.start({ entity: ref, descriptionId: 'Datacenter.destroy', call }, async () =>
                    service.graph.remove(ref),
                  ),
              },
            );
            return ref;
          }
        : undefined,
  });
  const created = await send('POST', '/api/vcenter/datacenter', { name: 'DC9', folder: 'group-d1' });
  assert.deepEqual([created.status, created.body], [201, 'datacenter-77']);
  assert.deepEqual(made, ['DC9']);
  assert.equal((await send('DELETE', '/rest/vcenter/datacenter/datacenter-77')).status, 200);
  assert.equal((await send('DELETE', '/rest/vcenter/datacenter/datacenter-77')).status, 404);
  const wrapped = await send('POST', '/rest/vcenter/datacenter', { spec: { name: 'DC9' } });
  assert.deepEqual(wrapped.body, { value: 'datacenter-77' });
  service.graph.get(VM_FOLDER).set('childEntity', [WEB, DB]);
  const full = await send('DELETE', '/api/vcenter/datacenter/datacenter-2');
  assert.equal(full.status, 400);
  assert.match(full.text, /RESOURCE_IN_USE/);
  // By force it gets to the datacenter's own method, which this small inventory does not have.
  const forced = await send('DELETE', `/api/vcenter/datacenter/${DATACENTER.value}?force=true`);
  assert.match(forced.text, /UNSUPPORTED/);
  assert.ok(isRef('Datacenter', DATACENTER));
});
