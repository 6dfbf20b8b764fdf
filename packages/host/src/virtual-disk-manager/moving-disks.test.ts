import assert from 'node:assert/strict';
import { cp, link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { isFault } from '@vivarium/vim';
import { sweepHalfMade } from '../datastore/sweep.ts';
import { makeDisks, noImages, qemuImg } from './fixtures.ts';
import { reformatDisk, zeroDisk } from './reformat-disk.ts';

const MB = 1024 * 1024;
const thin = { capacityBytes: 8 * MB, provisioning: 'thin', adapter: 'lsilogic', uuid: '', replace: false } as const;
const a = '[datastore1] one/a.vmdk';
const b = '[datastore1] two/b.vmdk';

async function makeHost() {
  const host = await makeDisks();
  for (const folder of ['one', 'two', 'store2']) await mkdir(join(host.root, folder));
  return host;
}

async function mark(host: { disks: { open(path: string): Promise<{ file: string; format: string }> } }, path: string) {
  const { file, format } = await host.disks.open(path);
  const raw = `${file}.raw`;
  await writeFile(raw, Buffer.alloc(8 * MB, 'mark'));
  await qemuImg('convert', '-f', 'raw', '-O', format, '-n', raw, file);
  await rm(raw);
}

async function content(
  host: { disks: { open(path: string): Promise<{ file: string; format: string }> } },
  path: string,
): Promise<Buffer> {
  const { file, format } = await host.disks.open(path);
  await qemuImg('convert', '-f', format, '-O', 'raw', file, `${file}.raw`);
  const bytes = await readFile(`${file}.raw`);
  await rm(`${file}.raw`);
  return bytes;
}

void test('a moved disk keeps identity and content and leaves nothing behind', { skip: noImages }, async () => {
  await using host = await makeHost();
  await host.disks.create({ path: a, ...thin });
  await mark(host, a);
  const before = host.disks.findDisk(a);
  await host.disks.move(a, b, false);
  assert.deepEqual(host.disks.findDisk(b), before);
  assert.ok((await content(host, b)).equals(Buffer.alloc(8 * MB, 'mark')));
  assert.deepEqual(await readdir(join(host.root, 'one')), []);
  assert.deepEqual((await readdir(join(host.root, 'two'))).sort(), ['b.qcow2', 'b.vmdk']);
});

void test('a move does not write over a disk unless it is forced', { skip: noImages }, async () => {
  await using host = await makeHost();
  await host.disks.create({ path: a, ...thin });
  await host.disks.create({ path: b, ...thin, provisioning: 'lazyZeroedThick' });
  await assert.rejects(host.disks.move(a, b, false), (error) => isFault(error, 'FileAlreadyExists'));
  const uuid = host.disks.findDisk(a)?.uuid;
  await host.disks.move(a, b, true);
  assert.equal(host.disks.findDisk(b)?.uuid, uuid);
  assert.deepEqual((await readdir(join(host.root, 'two'))).sort(), ['b.qcow2', 'b.vmdk']);
});

void test('a move to another datastore carries the disk over', { skip: noImages }, async () => {
  await using host = await makeHost();
  await mkdir(join(host.path, 'other/vm'), { recursive: true });
  await host.datastores.add({ name: 'other', root: join(host.path, 'other') });
  await host.disks.create({ path: a, ...thin });
  await mark(host, a);
  const uuid = host.disks.findDisk(a)?.uuid;
  await host.disks.move(a, '[other] vm/c.vmdk', false);
  assert.equal(host.disks.findDisk('[other] vm/c.vmdk')?.uuid, uuid);
  assert.ok((await content(host, '[other] vm/c.vmdk')).equals(Buffer.alloc(8 * MB, 'mark')));
  assert.deepEqual(await readdir(join(host.root, 'one')), []);
});

void test('inflating, shrinking and zeroing keep the identity', { skip: noImages }, async () => {
  await using host = await makeHost();
  const { context } = host.disks;
  const location = host.datastores.locate(a);
  await host.disks.create({ path: a, ...thin });
  await mark(host, a);
  const uuid = host.disks.findDisk(a)?.uuid;
  const contentId = host.disks.findDisk(a)?.contentId;
  await reformatDisk(context, location, 'eagerZeroedThick');
  assert.deepEqual((await readdir(join(host.root, 'one'))).sort(), ['a-flat.vmdk', 'a.vmdk']);
  assert.ok((await content(host, a)).equals(Buffer.alloc(8 * MB, 'mark')));
  await zeroDisk(context, location);
  assert.ok((await content(host, a)).equals(Buffer.alloc(8 * MB)));
  assert.equal(host.disks.findDisk(a)?.provisioning, 'eagerZeroedThick');
  await reformatDisk(context, location, 'thin');
  assert.deepEqual((await readdir(join(host.root, 'one'))).sort(), ['a.qcow2', 'a.vmdk']);
  assert.equal(host.disks.findDisk(a)?.uuid, uuid);
  assert.equal(host.disks.findDisk(a)?.contentId, contentId);
});

// Crash tests: the states on disk that a kill can leave, made by hand, then the sweep of a starting daemon.

const placing = (value: object) => JSON.stringify(value);

void test('a kill while a disk is placed leaves all of it or nothing', { skip: noImages }, async () => {
  await using host = await makeHost();
  const one = join(host.root, 'one');
  await host.disks.create({ path: a, ...thin });
  await mkdir(join(one, '.viv-1'));
  await writeFile(join(one, '.viv-1/placing.json'), placing({ data: 'a.qcow2', descriptor: 'a.vmdk' }));
  await sweepHalfMade(host.root, silentLogger);
  assert.deepEqual((await readdir(one)).sort(), ['a.qcow2', 'a.vmdk'], 'killed after the last rename');
  await mkdir(join(one, '.viv-1'));
  await writeFile(join(one, '.viv-1/placing.json'), placing({ data: 'a.qcow2', descriptor: 'a.vmdk' }));
  await rename(join(one, 'a.vmdk'), join(one, '.viv-1/descriptor'));
  await sweepHalfMade(host.root, silentLogger);
  assert.deepEqual(await readdir(one), [], 'killed between the two renames');
});

void test('a kill while a disk moves leaves it in the one place or the other', { skip: noImages }, async () => {
  await using host = await makeHost();
  await host.disks.create({ path: a, ...thin });
  const [one, two] = [join(host.root, 'one'), join(host.root, 'two')];
  await cp(join(one, 'a.vmdk'), join(host.path, 'a.vmdk'));
  const note = placing({
    data: 'b.qcow2',
    descriptor: 'b.vmdk',
    movedFrom: { folder: 'one', data: 'a.qcow2', descriptor: 'a.vmdk' },
  });
  await mkdir(join(two, '.viv-1'));
  await writeFile(join(two, '.viv-1/placing.json'), note);
  await link(join(one, 'a.qcow2'), join(two, 'b.qcow2'));
  await sweepHalfMade(host.root, silentLogger);
  assert.deepEqual(
    [await readdir(one), await readdir(two)].map((names) => names.sort()),
    [['a.qcow2', 'a.vmdk'], []],
    'the data had two names',
  );
  await mkdir(join(two, '.viv-1'));
  await writeFile(join(two, '.viv-1/placing.json'), note);
  await rename(join(one, 'a.qcow2'), join(two, 'b.qcow2'));
  await sweepHalfMade(host.root, silentLogger);
  assert.deepEqual(
    [await readdir(one), await readdir(two)].map((names) => names.sort()),
    [['a.qcow2', 'a.vmdk'], []],
    'only the data had moved',
  );
  await host.disks.move(a, b, false);
  await cp(join(host.path, 'a.vmdk'), join(one, 'a.vmdk'));
  await mkdir(join(two, '.viv-1'));
  await writeFile(join(two, '.viv-1/placing.json'), note);
  await sweepHalfMade(host.root, silentLogger);
  assert.deepEqual(
    [await readdir(one), await readdir(two)].map((names) => names.sort()),
    [[], ['b.qcow2', 'b.vmdk']],
    'only the old descriptor was left',
  );
  await host.disks.open(b);
});
