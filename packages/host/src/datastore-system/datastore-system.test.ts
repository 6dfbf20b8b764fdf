import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type HostDatastoreSystemDatastoreResult, isFault, moRef } from '@vivarium/vim';
import { makeApi } from '../virtual-disk-manager/fixtures.ts';
import { datastoreSystemHandlers } from './datastore-system.ts';

async function makeSystem() {
  const host = await makeApi();
  const handlers = datastoreSystemHandlers(host.api);
  await mkdir(join(host.path, 'two'));
  const create = async (name: string, path: string) => handlers.CreateLocalDatastore?.({ name, path }, host.call);
  return { host, handlers, create, [Symbol.asyncDispose]: () => host[Symbol.asyncDispose]() };
}

const faults = (type: Parameters<typeof isFault>[1]) => (error: unknown) => isFault(error, type);

void test('an empty folder becomes a datastore, and is forgotten without losing its files', async () => {
  await using system = await makeSystem();
  const { host, handlers } = system;
  const ref = await system.create('two', `${join(host.path, 'two')}/`);
  assert.ok(ref);
  await writeFile(host.datastores.resolve('[two] file'), 'x');
  host.graph.get(ref).set('vm', [moRef('VirtualMachine', '1')]);
  await assert.rejects(async () => handlers.RemoveDatastore?.({ datastore: ref }, host.call), faults('ResourceInUse'));
  host.graph.get(ref).set('vm', []);
  await handlers.RemoveDatastore?.({ datastore: ref }, host.call);
  assert.equal(host.datastores.find('two'), undefined);
  assert.ok((await readdir(join(host.path, 'two'))).includes('file'));
});

void test('a datastore of before keeps its reference when it comes back', async () => {
  await using system = await makeSystem();
  const { host, handlers } = system;
  const ref = await system.create('two', join(host.path, 'two'));
  assert.ok(ref);
  await writeFile(host.datastores.resolve('[two] file'), 'x');
  const task = handlers.RemoveDatastoreEx_Task?.({ datastore: [ref] }, host.call);
  const {
    _value: [result],
  } = await host.done<{ _value: HostDatastoreSystemDatastoreResult[] }>(task);
  assert.deepEqual([result?.key.value, result?.fault], [ref.value, undefined]);
  host.graph.remove(ref);
  assert.equal((await system.create('again', join(host.path, 'two')))?.value, ref.value);
});

void test('folders that hold something else, lie in a datastore or are none are refused', async () => {
  await using system = await makeSystem();
  const { host, create } = system;
  await assert.rejects(create('etc', '/etc'), faults('PlatformConfigFault'));
  await assert.rejects(create('root', '/'), faults('PlatformConfigFault'));
  await assert.rejects(create('none', join(host.path, 'none')), faults('FileNotFound'));
  await assert.rejects(create('relative', 'two'), faults('FileNotFound'));
  await assert.rejects(create('datastore1', join(host.path, 'two')), faults('DuplicateName'));
  await mkdir(join(host.root, 'inner'));
  await assert.rejects(create('inner', join(host.root, 'inner')), faults('PlatformConfigFault'));
});
