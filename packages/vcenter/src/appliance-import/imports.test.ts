import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { type HttpNfcLeaseInfo, isFault, type MoRef, make, moRef } from '@vivarium/vim';
import { registerNfcDoor } from '@vivarium/vmomi';
import { fastify } from 'fastify';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, testCenter } from '../testing/test-center.ts';
import { ImportLease } from './import-lease.ts';
import { nfcReceivers } from './nfc-receiver.ts';

async function world(context: TestContext) {
  const center = await testCenter(context);
  const { datacenter, cluster } = await center.cluster();
  const host = new FakeHost('esx1');
  await center.addHost(cluster as MoRef, host);
  const pool = center.read<MoRef>(cluster as MoRef, 'resourcePool');
  const vmFolder = center.read<MoRef>(datacenter as MoRef, 'vmFolder');
  const app = fastify();
  registerNfcDoor(app, { find: nfcReceivers(center.center), log: silentLogger });
  context.after(() => app.close());
  const begin = (name: string, more: object = {}) => {
    const files = make('VirtualMachineFileInfo', { vmPathName: '[datastore1]' });
    const spec = make('VirtualMachineImportSpec', { configSpec: make('VirtualMachineConfigSpec', { name, files }) });
    return center.invoke<MoRef>(pool, 'ImportVApp', { spec, folder: vmFolder, ...more });
  };
  const send = async (url: string) =>
    (await app.inject({ method: 'POST', url: new URL(url.replace('*', 'x')).pathname, payload: 'disk' })).statusCode;
  return { center, host, pool, vmFolder, begin, send };
}

void test('a VM is made on a host, its disks go through vCenter, and it is where its creator wants it', async (t) => {
  const { center, host, vmFolder, begin, send } = await world(t);
  const lease = await begin('web');
  await center.until(lease, 'state', 'ready');
  const info = center.read<HttpNfcLeaseInfo>(lease, 'info');
  assert.equal(center.read(info.entity as MoRef, 'name'), 'web');
  assert.deepEqual(center.read(info.entity as MoRef, 'parent'), vmFolder);
  assert.deepEqual(info.lease, lease);
  const [device] = info.deviceUrl ?? [];
  assert.match(device?.url ?? '', /^https:\/\/\*\/nfc\/[\w-]+\/disk-0\.vmdk$/);
  assert.equal(device?.sslThumbprint, '', 'it is not the host that answers');
  assert.equal(await send(device?.url.replace('disk-0', 'disk-1') ?? ''), 404);
  assert.equal(await send(device?.url ?? ''), 200);
  assert.equal(host.files.get('nfc secret-of-web/disk-0.vmdk'), 'disk');
  await center.invoke(lease, 'HttpNfcLeaseProgress', { percent: 50 });
  assert.equal(center.read(lease, 'transferProgress'), 50);
  await center.invoke(lease, 'HttpNfcLeaseComplete');
  assert.equal(center.read(lease, 'state'), 'done');
  assert.equal(host.calls.at(-1)?.method, 'HttpNfcLeaseComplete');
  assert.equal(await send(device?.url ?? ''), 404);
  await assert.rejects(center.invoke(lease, 'HttpNfcLeaseAbort'), fault('InvalidState'));
  await assert.rejects(begin('web'), fault('DuplicateName'));
});

void test('while its disks are arriving a VM does nothing for anybody, and a task says how far it is', async (t) => {
  const { center, pool, begin } = await world(t);
  const lease = await begin('web');
  await center.until(lease, 'state', 'ready');
  const { entity } = center.read<HttpNfcLeaseInfo>(lease, 'info');
  const vm = entity as MoRef;
  const [task] = center.read<MoRef[]>(pool, 'recentTask') as [MoRef];
  assert.equal(center.read(task, 'info.descriptionId'), 'ResourcePool.importVApp');
  const isBusy = (error: unknown) => {
    assert.ok(isFault(error, 'TaskInProgress'), String(error));
    assert.deepEqual(error.fault.task, task);
    return true;
  };
  await assert.rejects(center.task(vm, 'PowerOnVM_Task'), isBusy);
  await assert.rejects(center.task(vm, 'ReconfigVM_Task', { spec: { annotation: 'mine' } }), isBusy);
  await assert.rejects(center.task(vm, 'Rename_Task', { newName: 'mine' }), isBusy);
  await assert.rejects(center.invoke(vm, 'UnregisterVM'), isBusy);
  await assert.rejects(center.task(vm, 'Destroy_Task'), isBusy);
  await center.invoke(lease, 'HttpNfcLeaseProgress', { percent: 50 });
  assert.equal(center.read(task, 'info.progress'), 50);
  await center.invoke(lease, 'HttpNfcLeaseComplete');
  await center.task(vm, 'PowerOnVM_Task');
  assert.equal(center.read(task, 'info.state'), 'success');
});

void test('who cancels the task of an import ends it', async (t) => {
  const { center, host, pool, begin } = await world(t);
  const lease = await begin('web');
  await center.until(lease, 'state', 'ready');
  const [task] = center.read<MoRef[]>(pool, 'recentTask') as [MoRef];
  await center.invoke(task, 'CancelTask');
  await center.until(task, 'info.state', 'error');
  assert.equal(center.read(lease, 'state'), 'error');
  await center.eventually(() => host.vms.size === 0);
});

void test('an import ends when its host, or whoever asked for it, gives it up', async (t) => {
  const { center, host, begin } = await world(t);
  const given = await begin('given');
  await center.until(given, 'state', 'ready');
  await center.invoke(given, 'HttpNfcLeaseAbort');
  await center.eventually(() => host.calls.at(-1)?.method === 'HttpNfcLeaseAbort');
  assert.equal(center.read(given, 'state'), 'error');
  const late = await begin('late');
  await center.until(late, 'state', 'ready');
  host.leases.get('lease-late')?.failed.resolve();
  await center.until(late, 'state', 'error');
  assert.equal(center.read<{ fault: { _typeName: string } }>(late, 'error').fault._typeName, 'Timedout');
});

void test('what cannot be imported is refused at once', async (t) => {
  const { center, pool, vmFolder, begin } = await world(t);
  const spec = make('VirtualAppImportSpec', {
    name: 'x',
    vAppConfigSpec: make('VAppConfigSpec', {}),
    resourcePoolSpec: {} as never,
  });
  await assert.rejects(center.invoke(pool, 'ImportVApp', { spec, folder: vmFolder }), fault('NotSupported'));
  await assert.rejects(begin(''), fault('InvalidName'));
  await assert.rejects(
    begin('web', { folder: center.read(center.read<MoRef>(vmFolder, 'parent'), 'hostFolder') }),
    fault('InvalidArgument'),
  );
});

void test('a lease whose host never tells of the VM ends', async () => {
  const lease = new ImportLease('secret', '');
  const called: string[] = [];
  const local = moRef('HttpNfcLease', 'lease');
  const link = {
    async *watch() {
      yield { state: 'ready', info: make('HttpNfcLeaseInfo', { entity: moRef('VirtualMachine', '1') } as never) };
    },
    call: async (_target: unknown, method: string) => void called.push(method),
  };
  const host = { link, local, refs: { centerOf: () => undefined }, whenShown: () => Promise.resolve() };
  await assert.rejects(lease.follow(host as never), fault('HostCommunication'));
  assert.deepEqual(called, ['HttpNfcLeaseAbort']);
});
