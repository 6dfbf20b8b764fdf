import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFault, make, type VirtualDiskInfo } from '@vivarium/vim';
import { makeApi, noImages, qemuImg } from './fixtures.ts';
import { virtualDiskManagerHandlers } from './virtual-disk-manager.ts';

async function makeManager() {
  const host = await makeApi();
  await mkdir(join(host.root, 'disks'));
  const handlers = virtualDiskManagerHandlers(host.api, host.disks);
  const name = '[datastore1] disks/a.vmdk';
  const spec = (diskType = 'thin', capacityKb = 65_536, adapterType = 'lsiLogic') =>
    make('FileBackedVirtualDiskSpec', { diskType, adapterType, capacityKb });
  const create = (...shape: Parameters<typeof spec>) =>
    host.done(handlers.CreateVirtualDisk_Task?.({ name, spec: spec(...shape) }, host.call));
  const list = async () => (await readdir(join(host.root, 'disks'))).sort();
  return { host, handlers, name, spec, create, list, [Symbol.asyncDispose]: () => host[Symbol.asyncDispose]() };
}

const faults = (type: Parameters<typeof isFault>[1]) => (error: unknown) => isFault(error, type);

void test('every disk type of a host is made; the result names the disk', { skip: noImages }, async () => {
  for (const [diskType, files] of [
    ['thin', ['a.qcow2', 'a.vmdk']],
    ['preallocated', ['a-flat.vmdk', 'a.vmdk']],
    ['eagerZeroedThick', ['a-flat.vmdk', 'a.vmdk']],
  ] as const) {
    await using manager = await makeManager();
    assert.equal(await manager.create(diskType), manager.name);
    assert.deepEqual(await manager.list(), files);
    assert.deepEqual(manager.host.touched, ['datastore1']);
  }
});

void test('what a host cannot make is refused at once', { skip: noImages }, async () => {
  await using manager = await makeManager();
  await assert.rejects(async () => manager.create('sparse2Gb'), faults('InvalidArgument'));
  await assert.rejects(async () => manager.create('toString'), faults('InvalidArgument'));
  await assert.rejects(async () => manager.create('thin', 1, 'sata'), faults('InvalidArgument'));
  await assert.rejects(async () => manager.create('thin', 0), faults('InvalidArgument'));
  await assert.rejects(async () => manager.create('thin', 2 ** 40), faults('InvalidArgument'));
  manager.host.refused.add('Datastore.FileManagement');
  await assert.rejects(async () => manager.create(), faults('NoPermission'));
  assert.deepEqual(await manager.list(), []);
});

void test('uuid and geometry are read and set', { skip: noImages }, async () => {
  await using manager = await makeManager();
  const { handlers, name, host } = manager;
  await manager.create('thin', 65_536);
  assert.match(
    (await handlers.QueryVirtualDiskUuid?.({ name }, host.call)) ?? '',
    /^60 00 c2 9(?:[0-9a-f] ?|[0-9a-f]{2} ?)/i,
  );
  await handlers.SetVirtualDiskUuid?.({ name, uuid: '6000C293-0102-0304-0506-0708090A0B0C' }, host.call);
  assert.equal(
    await handlers.QueryVirtualDiskUuid?.({ name }, host.call),
    '60 00 c2 93 01 02 03 04-05 06 07 08 09 0a 0b 0c',
  );
  await assert.rejects(
    async () => handlers.SetVirtualDiskUuid?.({ name, uuid: 'no' }, host.call),
    faults('InvalidArgument'),
  );
  const geometry = await handlers.QueryVirtualDiskGeometry?.({ name }, host.call);
  assert.deepEqual(geometry, { _typeName: 'HostDiskDimensionsChs', cylinder: 64, head: 64, sector: 32 });
});

void test('extending, inflating, shrinking, zeroing', { skip: noImages }, async () => {
  await using manager = await makeManager();
  const { handlers, name, host } = manager;
  const done = host.done;
  await manager.create('thin', 8192);
  await done(handlers.ExtendVirtualDisk_Task?.({ name, newCapacityKb: 16_384 }, host.call));
  assert.equal(host.disks.findDisk(name)?.capacityBytes, 16 << 20);
  const data = join(host.root, 'disks/a.qcow2');
  await writeFile(`${host.path}/raw`, Buffer.alloc(16 << 20, 'x'));
  await qemuImg('convert', '-n', '-f', 'raw', '-O', 'qcow2', `${host.path}/raw`, data);
  await done(handlers.ShrinkVirtualDisk_Task?.({ name }, host.call));
  await done(handlers.InflateVirtualDisk_Task?.({ name }, host.call));
  assert.deepEqual(await manager.list(), ['a-flat.vmdk', 'a.vmdk']);
  assert.ok((await readFile(join(host.root, 'disks/a-flat.vmdk'))).equals(Buffer.alloc(16 << 20, 'x')));
  await assert.rejects(done(handlers.ShrinkVirtualDisk_Task?.({ name }, host.call)), faults('NotSupported'));
  await done(handlers.ZeroFillVirtualDisk_Task?.({ name }, host.call));
  assert.ok((await readFile(join(host.root, 'disks/a-flat.vmdk'))).equals(Buffer.alloc(16 << 20)));
});

void test('shrinking gives back what has become zero', { skip: noImages }, async () => {
  await using manager = await makeManager();
  const { handlers, name, host } = manager;
  await manager.create('thin', 16_384);
  const data = join(host.root, 'disks/a.qcow2');
  await writeFile(`${host.path}/raw`, Buffer.alloc(16 << 20, 'x'));
  await qemuImg('convert', '-n', '-f', 'raw', '-O', 'qcow2', `${host.path}/raw`, data);
  const before = (await stat(data)).blocks;
  await writeFile(`${host.path}/raw`, Buffer.alloc(16 << 20));
  await qemuImg('convert', '-n', '-S', '0', '-f', 'raw', '-O', 'qcow2', `${host.path}/raw`, data);
  await host.done(handlers.ShrinkVirtualDisk_Task?.({ name }, host.call));
  assert.ok((await stat(data)).blocks < before / 4);
});

void test('a copy without specification is preallocated, with one it is as specified', { skip: noImages }, async () => {
  await using manager = await makeManager();
  const { handlers, name: sourceName, host } = manager;
  await manager.create('thin', 8192);
  const copy = (destName: string, destSpec?: ReturnType<typeof manager.spec>) =>
    host.done(handlers.CopyVirtualDisk_Task?.({ sourceName, destName, ...(destSpec ? { destSpec } : {}) }, host.call));
  await copy('[datastore1] disks/b.vmdk');
  assert.equal(host.disks.findDisk('[datastore1] disks/b.vmdk')?.provisioning, 'lazyZeroedThick');
  await copy('[datastore1] disks/c.vmdk', manager.spec('thin', 0, 'ide'));
  const made = host.disks.findDisk('[datastore1] disks/c.vmdk');
  assert.deepEqual([made?.provisioning, made?.adapter, made?.capacityBytes], ['thin', 'ide', 8 << 20]);
  assert.notEqual(made?.uuid, host.disks.findDisk(sourceName)?.uuid);
  await assert.rejects(copy('[datastore1] disks/b.vmdk'), faults('FileAlreadyExists'));
});

void test('deleting respects the descriptor that says it must not be', { skip: noImages }, async () => {
  await using manager = await makeManager();
  const { handlers, name, host } = manager;
  await manager.create();
  const file = join(host.root, 'disks/a.vmdk');
  const text = await readFile(file, 'utf8');
  await writeFile(file, `${text}ddb.deletable = "false"\n`);
  const remove = () => host.done(handlers.DeleteVirtualDisk_Task?.({ name }, host.call));
  await assert.rejects(remove(), faults('CannotDeleteFile'));
  await writeFile(file, text);
  await remove();
  assert.deepEqual(await manager.list(), []);
  await assert.rejects(remove(), faults('FileNotFound'));
});

void test('a cancelled inflation leaves the disk as it was', { skip: noImages }, async () => {
  await using manager = await makeManager();
  const { handlers, name, host } = manager;
  await manager.create('thin', 65_536);
  const task = handlers.InflateVirtualDisk_Task?.({ name }, host.call);
  host.cancel();
  await assert.rejects(host.done(task), faults('RequestCanceled'));
  assert.deepEqual(await manager.list(), ['a.qcow2', 'a.vmdk']);
  await host.disks.open(name);
});

void test('what a disk is, with those below it or without', { skip: noImages }, async () => {
  await using manager = await makeManager();
  const { handlers, host, name: parent } = manager;
  await manager.create('thin');
  const name = '[datastore1] disks/delta.vmdk';
  await host.disks.create({ path: name, parent, capacityBytes: 64 << 20, provisioning: 'thin', adapter: 'lsilogic' });
  const query = async (includeParents: boolean) => {
    const task = handlers.QueryVirtualDiskInfo_Task?.({ name, includeParents }, host.call);
    return (await host.done<{ _value: VirtualDiskInfo[] }>(task))._value.map((info) => [
      info.unit.name,
      info.diskType,
      info.parent,
    ]);
  };
  assert.deepEqual(await query(false), [[name, 'delta', parent]]);
  assert.deepEqual(await query(true), [
    [name, 'delta', parent],
    [parent, 'thin', undefined],
  ]);
});
