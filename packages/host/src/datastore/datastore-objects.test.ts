import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { isA, isFault, type MoRef, moRef } from '@vivarium/vim';
import { ObjectGraph } from '@vivarium/vmomi';
import { makeApi } from '../virtual-disk-manager/fixtures.ts';
import { DatastoreObjects } from './datastore-objects.ts';

async function publish() {
  const host = await makeApi();
  const graph = new ObjectGraph();
  const lists: string[][] = [];
  graph.add(moRef('HostSystem', 'ha-host'), { name: 'host' });
  const objects = new DatastoreObjects({
    graph,
    datastores: host.datastores,
    tasks: host.api.tasks,
    host: moRef('HostSystem', 'ha-host'),
    folder: moRef('Folder', 'ha-folder-datastore'),
    clock: systemClock,
    log: silentLogger,
    uncommitted: () => Promise.resolve(4096),
    browser: () => ({}),
    listChanged: (refs: readonly MoRef<'Datastore'>[]) => void lists.push(refs.map(({ value }) => value)),
  });
  const [datastore] = host.datastores.list();
  assert.ok(datastore);
  const object = objects.object(datastore);
  return { host, graph, objects, datastore, object, lists, [Symbol.asyncDispose]: () => host[Symbol.asyncDispose]() };
}

void test('a datastore is shown as clients of ESXi expect it, and refreshes when asked', async () => {
  await using shown = await publish();
  const { object, datastore, host } = shown;
  const summary = object.get('summary');
  assert.equal(summary?.url, `ds:///vmfs/volumes/${datastore.uuid}/`);
  assert.deepEqual(
    [summary?.type, summary?.accessible, summary?.multipleHostAccess, summary?.maintenanceMode],
    ['VMFS', true, false, 'normal'],
  );
  assert.ok(summary && summary.capacity > summary.freeSpace && summary.freeSpace > 0);
  const info = object.get('info');
  assert.ok(isA('VmfsDatastoreInfo', info));
  assert.equal(info.vmfs?.majorVersion, 6);
  assert.equal(object.get('host')?.[0]?.mountInfo.path, `/vmfs/volumes/${datastore.uuid}`);
  const browser = object.get('browser');
  assert.ok(browser && shown.graph.get(browser).get('datastore')?.[0]?.value === datastore.uuid);
  const hostBrowser = shown.graph.get(moRef('HostSystem', 'ha-host')).get('datastoreBrowser');
  assert.ok(hostBrowser && shown.graph.get(hostBrowser).get('datastore')?.length === 1);
  await object.method('RefreshDatastoreStorageInfo')?.({}, host.call);
  assert.equal(object.get('summary')?.uncommitted, 4096);
});

void test('a rename shows everywhere, but not while VMs name their files by the old name', async () => {
  await using shown = await publish();
  const { object, host, lists } = shown;
  object.set('vm', [moRef('VirtualMachine', '1')]);
  await assert.rejects(
    async () => object.method('RenameDatastore')?.({ newName: 'new' }, host.call),
    (error) => isFault(error, 'ResourceInUse'),
  );
  object.set('vm', []);
  await object.method('RenameDatastore')?.({ newName: 'new' }, host.call);
  assert.deepEqual([object.get('name'), object.get('summary')?.name, object.get('info')?.name], ['new', 'new', 'new']);
  assert.equal(lists.length, 2);
  assert.equal(host.datastores.resolve('[new] a'), join(host.root, 'a'));
});

void test('a removed datastore is gone with its browser', async () => {
  await using shown = await publish();
  const { object, host, lists, graph } = shown;
  const browser = object.get('browser');
  await object.method('DestroyDatastore')?.({}, host.call);
  assert.equal(graph.find(object.ref), undefined);
  assert.equal(browser && graph.find(browser), undefined);
  assert.deepEqual(lists.at(-1), []);
});
