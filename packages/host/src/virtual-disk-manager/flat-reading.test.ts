import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { isFault } from '@vivarium/vim';
import { makeDisks, noImages, qemuImg } from './fixtures.ts';

const MB = 1024 * 1024;
const path = '[datastore1] vm/a.vmdk';

async function makeThin() {
  const host = await makeDisks();
  await mkdir(join(host.root, 'vm'));
  await host.disks.create({ path, capacityBytes: 8 * MB, provisioning: 'thin', adapter: 'lsilogic' });
  const content = Buffer.concat([Buffer.alloc(MB), randomBytes(3 * MB), Buffer.alloc(4 * MB)]);
  await writeFile(join(host.path, 'raw'), content);
  await qemuImg('convert', '-n', '-f', 'raw', '-O', 'qcow2', join(host.path, 'raw'), join(host.root, 'vm/a.qcow2'));
  const flat = (name = 'a-flat.vmdk') => host.disks.openFlat(host.datastores.locate(`[datastore1] vm/${name}`));
  return {
    ...host,
    content,
    flat,
    async [Symbol.asyncDispose]() {
      await host.disks.exports.close();
      const hidden = (await readdir(host.root)).filter((name) => name.startsWith('.viv-'));
      assert.deepEqual(hidden, ['.viv-datastore.json']);
      await host[Symbol.asyncDispose]();
    },
  };
}

void test('a thin disk is read as the flat file that its descriptor names, whole and in parts', {
  skip: noImages,
}, async () => {
  await using host = await makeThin();
  const reading = await host.flat();
  assert.ok(reading);
  assert.equal(reading.sizeBytes, 8 * MB);
  assert.ok((await buffer(reading.read(0, 8 * MB - 1))).equals(host.content));
  const parts = await Promise.all([buffer(reading.read(MB, MB + 99)), buffer(reading.read(8 * MB - 1, 8 * MB - 1))]);
  assert.ok(parts[0]?.equals(host.content.subarray(MB, MB + 100)));
  assert.equal(parts[1]?.length, 1);
  reading.release();
});

void test('a chain is read through, and other names are no flat files', { skip: noImages }, async () => {
  await using host = await makeThin();
  const delta = '[datastore1] vm/d.vmdk';
  await host.disks.create({
    path: delta,
    parent: path,
    capacityBytes: 8 * MB,
    provisioning: 'thin',
    adapter: 'lsilogic',
  });
  const reading = await host.flat('d-delta.vmdk');
  assert.ok(reading);
  assert.ok((await buffer(reading.read(0, 8 * MB - 1))).equals(host.content));
  reading.release();
  for (const name of ['a.vmdk', 'b-flat.vmdk', 'a-delta.vmdk', 'a.qcow2'])
    assert.equal(await host.flat(name), undefined, name);
});

void test('a reader keeps the disk from change; one that is done gives way at once', { skip: noImages }, async () => {
  await using host = await makeThin();
  const reading = await host.flat();
  assert.ok(reading);
  await assert.rejects(host.disks.grow(path, 16 * MB), (error) => isFault(error, 'FileLocked'));
  await assert.rejects(host.disks.open(path), (error) => isFault(error, 'FileLocked'));
  reading.release();
  await host.disks.open(path);
  const again = await host.flat();
  again?.release();
  await host.disks.grow(path, 16 * MB);
});

void test('a disk that a VM runs on is not read', { skip: noImages }, async () => {
  await using host = await makeThin();
  host.inUse.add(join(host.root, 'vm/a.qcow2'));
  await assert.rejects(host.flat(), (error) => isFault(error, 'FileLocked'));
});

void test('a disk in the root of its datastore, which is closed to others, is read too', {
  skip: noImages,
}, async () => {
  await using host = await makeThin();
  await host.disks.move(path, '[datastore1] r.vmdk', false);
  const reading = await host.disks.openFlat(host.datastores.locate('[datastore1] r-flat.vmdk'));
  assert.ok(reading);
  assert.ok((await buffer(reading.read(0, 8 * MB - 1))).equals(host.content));
  reading.release();
});

void test('a server that cannot serve says why, and leaves nothing', { skip: noImages }, async () => {
  await using host = await makeThin();
  const disk = await host.disks.read(path);
  await rm(join(host.root, 'vm/a.qcow2'));
  await assert.rejects(host.disks.exports.open(disk), /a\.qcow2|source0/);
  await host.disks.remove(path);
});
