import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isFault, type MoRef, make, moRef } from '@vivarium/vim';
import { registerFolderDoor } from '@vivarium/vmomi';
import { fastify } from 'fastify';
import { ROOT_FOLDER } from '../folder/create-entity.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, type TestCenter, testCenter } from '../testing/test-center.ts';
import { datastoreFiles } from './datastore-files.ts';

const FILES = moRef('FileManager', 'FileManager') as MoRef;
const DISKS = moRef('VirtualDiskManager', 'virtualDiskManager') as MoRef;
const SESSIONS = moRef('SessionManager', 'SessionManager') as MoRef;

/** Two hosts with a datastore of their own, `datastore1` and `datastore1 (1)`, and one that they share. */
async function world(context: TestContext) {
  const center = await testCenter(context);
  const { datacenter, cluster } = await center.cluster();
  const hosts = ['esx1', 'esx2'].map((name) => {
    const datastores = { datastore1: `ds:///vmfs/volumes/${name}/`, shared: 'ds:///vmfs/volumes/shared/' };
    return new FakeHost(name, { datastores });
  }) as [FakeHost, FakeHost];
  const refs = [await center.addHost(cluster as MoRef, hosts[0]), await center.addHost(cluster as MoRef, hosts[1])];
  return { center, datacenter, hosts, refs };
}

/** The door without a network; requests come with user and password. */
async function openDoor(context: TestContext, center: TestCenter) {
  const app = fastify();
  registerFolderDoor(app, datastoreFiles(center.center));
  context.after(() => app.close());
  await center.service.accounts.addUser('root', 'right-1');
  return async (method: 'GET' | 'PUT' | 'DELETE' | 'HEAD', url: string, user = 'root', body?: string) => {
    const authorization = `Basic ${Buffer.from(`${user}:right-1`).toString('base64')}`;
    const headers = { authorization, range: 'bytes=0-9', 'x-other': 'stays', 'content-type': 'text/plain' };
    const answer = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
    return { status: answer.statusCode, text: answer.body };
  };
}

void test('files and disks are touched on a host that has the datastore, under the name it has there', async (t) => {
  const { center, datacenter, hosts } = await world(t);
  const last = (host: FakeHost) =>
    host.calls.findLast(({ target }) => /^(FileManager|VirtualDiskManager):/.test(target));
  await center.invoke(FILES, 'MakeDirectory', {
    name: '[datastore1 (1)] a',
    datacenter,
    createParentDirectories: true,
  });
  assert.equal(last(hosts[0]), undefined);
  assert.deepEqual(last(hosts[1])?.args, { name: '[datastore1] a', createParentDirectories: true });
  const spec = make('FileBackedVirtualDiskSpec', { capacityKb: 1, diskType: 'thin', adapterType: 'lsiLogic' });
  const name = '[datastore1 (1)] a/d.vmdk';
  assert.equal(await center.task(DISKS, 'CreateVirtualDisk_Task', { name, datacenter, spec }), name);
  const url = 'https://vcenter/folder/a%20b/d.vmdk?dcPath=DC0&dsName=datastore1%20(1)';
  await center.invoke(DISKS, 'QueryVirtualDiskUuid', { name: url });
  assert.deepEqual(last(hosts[1])?.args, { name: '[datastore1] a b/d.vmdk' });
  const missing = center.task(FILES, 'DeleteDatastoreFile_Task', { name: '[datastore1 (1)] missing/x', datacenter });
  await assert.rejects(
    missing,
    (error) => isFault(error, 'FileNotFound') && error.fault.file === '[datastore1 (1)] missing/x',
  );
});

void test('what lies on two datastores needs a host that has both', async (t) => {
  const { center, datacenter, hosts, refs } = await world(t);
  const copy = (from: string, to: string) =>
    center.task(FILES, 'CopyDatastoreFile_Task', {
      sourceName: from,
      sourceDatacenter: datacenter,
      destinationName: to,
    });
  await copy('[datastore1 (1)] a', '[shared] a');
  assert.equal(hosts[1].calls.at(-1)?.method, 'CopyDatastoreFile_Task');
  await assert.rejects(copy('[datastore1] a', '[datastore1 (1)] a'), fault('NotSupported'));
  await assert.rejects(copy('[datastore1] a', '[none] a'), fault('InvalidDatastore'));
  await assert.rejects(copy('a', '[shared] a'), fault('InvalidDatastorePath'));
  await center.task(refs[0] as MoRef, 'DisconnectHost_Task');
  await assert.rejects(copy('[datastore1] a', '[shared] a'), fault('InaccessibleDatastore'));
  await copy('[shared] a', '[shared] b');
});

void test('with several datacenters a path needs its own', async (t) => {
  const { center, datacenter } = await world(t);
  const make = (more: object) => center.invoke(FILES, 'MakeDirectory', { name: '[shared] a', ...more });
  await make({});
  const other = await center.invoke<MoRef>(ROOT_FOLDER as MoRef, 'CreateDatacenter', { name: 'DC1' });
  await assert.rejects(make({}), fault('InvalidArgument'));
  await assert.rejects(make({ datacenter: other }), fault('InvalidDatastore'));
  await make({ datacenter });
});

void test('the door passes files on, both ways', async (t) => {
  const { center, hosts } = await world(t);
  const ask = await openDoor(t, center);
  const url = '/folder/a/b%20c.txt?dcPath=DC0&dsName=datastore1%20(1)';
  assert.equal((await ask('PUT', url, 'root', 'content')).status, 201);
  assert.equal(hosts[1].files.get('[datastore1] a/b c.txt'), 'content');
  assert.deepEqual(await ask('GET', url), { status: 200, text: 'content' });
  const headers: Readonly<Record<string, string>> = hosts[1].transfers.at(-1)?.headers ?? {};
  assert.equal(headers['range'], 'bytes=0-9');
  assert.equal(headers['x-other'], undefined);
  assert.equal(headers['authorization'], undefined);
  assert.equal((await ask('DELETE', url)).status, 204);
  assert.deepEqual(await ask('GET', url), { status: 404, text: 'File [datastore1 (1)] a/b c.txt was not found' });
  assert.match((await ask('GET', '/folder')).text, /<a href="\/folder\?dcPath=DC0">DC0/);
  assert.match((await ask('GET', '/folder?dcPath=DC0')).text, /dsName=datastore1%20\(1\)">/);
  assert.equal((await ask('GET', '/folder?dcPath=DC0&dsName=shared')).text, 'page of [shared] ');
  assert.equal((await ask('GET', '/folder?dcPath=DC7&dsName=shared')).status, 404);
  assert.equal((await ask('GET', '/folder/x?dcPath=DC0&dsName=none')).status, 404);
  assert.equal((await ask('GET', url, 'nobody')).status, 401);
  hosts[1].cut();
  assert.equal((await ask('GET', url)).status, 503);
});

void test('files are for those who may manage them there, pages for those who may browse', async (t) => {
  const { center, datacenter, hosts, refs } = await world(t);
  const { service } = center;
  const ask = await openDoor(t, center);
  const named = (name: string) =>
    center.read<MoRef[]>(datacenter as MoRef, 'datastore').find((ref) => center.read(ref, 'name') === name) as MoRef;
  await service.accounts.addUser('ann', 'right-1');
  const browser = await service.authorization.addRole('browser', ['Datastore.Browse']);
  const keeper = await service.authorization.addRole('keeper', ['Datastore.FileManagement']);
  const own = { principal: 'ann', isGroup: false, propagate: true };
  await service.authorization.grant(named('datastore1'), [{ ...own, roleId: browser }]);
  await service.authorization.grant(named('shared'), [{ ...own, roleId: keeper }]);
  for (const host of hosts) host.files.set('[datastore1] f', 'one').set('[shared] f', 'two');
  const at = (path: string, name: string) => `/folder${path}?dcPath=DC0&dsName=${encodeURIComponent(name)}`;
  assert.equal((await ask('GET', at('', 'datastore1'), 'ann')).status, 200);
  assert.equal((await ask('GET', at('/f', 'datastore1'), 'ann')).status, 403);
  assert.equal((await ask('PUT', at('/f', 'datastore1'), 'ann', 'x')).status, 403);
  assert.equal((await ask('GET', at('', 'shared'), 'ann')).status, 403);
  assert.equal((await ask('GET', at('/f', 'shared'), 'ann')).text, 'two');
  // What she may not see is answered as what is not there.
  assert.equal((await ask('GET', at('', 'datastore1 (1)'), 'ann')).status, 404);
  assert.equal((await ask('DELETE', at('/f', 'datastore1 (1)'), 'ann')).status, 404);
  assert.equal(hosts[1].files.get('[datastore1] f'), 'one');
  const shown = (await ask('GET', '/folder?dcPath=DC0', 'ann')).text.matchAll(/dsName=([^"]+)"/g);
  assert.deepEqual(
    Array.from(shown, ([, name]) => name),
    ['datastore1'],
  );

  const session = service.sessions.open(
    { userName: 'ann', fullName: 'ann', groups: [] },
    { ipAddress: '127.0.0.1', userAgent: 'test', locale: 'en' },
  );
  const asAnn = (ref: MoRef, method: string, args: object) =>
    service.invoke({ this: ref, method, args: { ...args } }, { ...center.administrator, session });
  const name = (text: string) => ({ name: text, datacenter });
  await assert.rejects(asAnn(FILES, 'DeleteDatastoreFile_Task', name('[datastore1] f')), fault('NoPermission'));
  await assert.rejects(asAnn(DISKS, 'DeleteVirtualDisk_Task', name('[datastore1 (1)] f')), fault('NoPermission'));
  const both = { sourceName: '[datastore1] f', sourceDatacenter: datacenter, destinationName: '[shared] g' };
  await assert.rejects(asAnn(FILES, 'CopyDatastoreFile_Task', both), fault('NoPermission'));
  const ofOwn = center.read<MoRef>(named('datastore1'), 'browser');
  const search = (ref: MoRef, path: string) => asAnn(ref, 'SearchDatastore_Task', { datastorePath: path });
  await assert.rejects(search(ofOwn, '[datastore1 (1)] a'), fault('InvalidDatastore'));
  await assert.rejects(
    search(center.read<MoRef>(refs[1] as MoRef, 'datastoreBrowser'), '[datastore1] a'),
    fault('NoPermission'),
  );
});

void test('a ticket for a host comes from the host, for those who may have the file', async (t) => {
  const { center } = await world(t);
  const ticket = (url: string) =>
    center.invoke<{ id: string; hostName?: string }>(SESSIONS, 'AcquireGenericServiceTicket', {
      spec: make('SessionManagerHttpServiceRequestSpec', { method: 'httpGet', url }),
    });
  const given = await ticket('https://esx1/folder/f?dsName=shared');
  assert.deepEqual([given.id, given.hostName], ['ticket-of-esx1', 'esx1']);
  await assert.rejects(ticket('https://esx2/folder/f?dsName=datastore1%20(1)'), fault('NotSupported'));
  await assert.rejects(ticket('https://esx2/folder/f?dsName=datastore1'), fault('InvalidDatastore'));
  await assert.rejects(ticket('https://esx1/sdk?dsName=shared'), fault('InvalidDatastore'));
  assert.equal((await ticket('https://vcenter/folder/f?dcPath=DC0&dsName=shared')).hostName, undefined);
});
