import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFault } from '@vivarium/vim';
import { makeDisks, noImages, qemuImg } from './fixtures.ts';

const MB = 1024 * 1024;
const disk = (name: string) => `[datastore1] vm/${name}`;
const thin = { capacityBytes: 64 * MB, provisioning: 'thin', adapter: 'lsilogic', uuid: '', replace: false } as const;

void test('a thin disk is a descriptor and a qcow2 file, and nothing else is left', { skip: noImages }, async () => {
  await using host = await makeDisks();
  await mkdir(join(host.root, 'vm'));
  await host.disks.create({ path: disk('a.vmdk'), ...thin, uuid: '6000C293-0102-0304-0506-0708090a0b0c' });
  assert.deepEqual((await readdir(join(host.root, 'vm'))).sort(), ['a.qcow2', 'a.vmdk']);
  const open = await host.disks.open(disk('a.vmdk'));
  assert.deepEqual(open, { file: join(host.root, 'vm/a.qcow2'), format: 'qcow2', backing: [] });
  const facts = host.disks.findDisk(disk('a.vmdk'));
  assert.equal(facts?.capacityBytes, 64 * MB);
  assert.equal(facts?.provisioning, 'thin');
  assert.equal(facts?.uuid.toLowerCase(), '6000c293-0102-0304-0506-0708090a0b0c');
  assert.deepEqual(await host.disks.files(disk('a.vmdk')), [
    join(host.root, 'vm/a.vmdk'),
    join(host.root, 'vm/a.qcow2'),
  ]);
});

void test('thick disks take their room at once', { skip: noImages }, async () => {
  await using host = await makeDisks();
  await mkdir(join(host.root, 'vm'));
  for (const provisioning of ['lazyZeroedThick', 'eagerZeroedThick'] as const) {
    const path = disk(`${provisioning}.vmdk`);
    await host.disks.create({ path, ...thin, provisioning });
    const data = await stat(join(host.root, `vm/${provisioning}-flat.vmdk`));
    assert.equal(data.size, 64 * MB);
    assert.ok(data.blocks * 512 >= 64 * MB);
    assert.equal(host.disks.findDisk(path)?.provisioning, provisioning);
    assert.equal((await host.disks.open(path)).format, 'raw');
  }
});

void test('a name that is taken is refused, unless it may be replaced', { skip: noImages }, async () => {
  await using host = await makeDisks();
  await mkdir(join(host.root, 'vm'));
  await host.disks.create({ path: disk('a.vmdk'), ...thin });
  const isTaken = (error: unknown) => isFault(error, 'FileAlreadyExists');
  await assert.rejects(host.disks.create({ path: disk('a.vmdk'), ...thin }), isTaken);
  await host.disks.create({ path: disk('a.vmdk'), ...thin, capacityBytes: 32 * MB, replace: true });
  assert.equal(host.disks.findDisk(disk('a.vmdk'))?.capacityBytes, 32 * MB);
  await writeFile(join(host.root, 'vm/b.qcow2'), 'somebody else');
  await assert.rejects(host.disks.create({ path: disk('b.vmdk'), ...thin }), isTaken);
  assert.equal(await readFile(join(host.root, 'vm/b.qcow2'), 'utf8'), 'somebody else');
  assert.deepEqual((await readdir(join(host.root, 'vm'))).sort(), ['a.qcow2', 'a.vmdk', 'b.qcow2']);
});

void test('two creations of one name at once: one disk, one fault', { skip: noImages }, async () => {
  await using host = await makeDisks();
  await mkdir(join(host.root, 'vm'));
  const attempts = [1, 2].map(() => host.disks.create({ path: disk('a.vmdk'), ...thin }));
  const outcomes = await Promise.allSettled(attempts);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  await host.disks.open(disk('a.vmdk'));
});

void test('names and capacities that cannot be are refused before anything is made', { skip: noImages }, async () => {
  await using host = await makeDisks();
  await mkdir(join(host.root, 'vm'));
  for (const name of ['a', '.vmdk', 'a-flat.vmdk', 'a-delta.vmdk']) {
    await assert.rejects(
      host.disks.create({ path: disk(name), ...thin }),
      (error) => isFault(error, 'InvalidDatastorePath'),
      name,
    );
  }
  for (const capacityBytes of [0, -512, 100, 63 * 1024 ** 4, Number.NaN]) {
    await assert.rejects(host.disks.create({ path: disk('a.vmdk'), ...thin, capacityBytes }), (error) =>
      isFault(error, 'InvalidArgument'),
    );
  }
  await assert.rejects(host.disks.create({ path: '[datastore1] none/a.vmdk', ...thin }), (error) =>
    isFault(error, 'FileNotFound'),
  );
  const huge = { ...thin, provisioning: 'lazyZeroedThick', capacityBytes: 60 * 1024 ** 4 } as const;
  await assert.rejects(
    host.disks.create({ path: disk('a.vmdk'), ...huge }),
    (error) => isFault(error, 'NoDiskSpace') && error.fault.datastore === 'datastore1',
  );
  assert.deepEqual(await readdir(join(host.root, 'vm')), []);
});

void test('a disk grows, thin or thick, and an interrupted growing is finished when it is opened', {
  skip: noImages,
}, async () => {
  await using host = await makeDisks();
  await mkdir(join(host.root, 'vm'));
  for (const provisioning of ['thin', 'lazyZeroedThick'] as const) {
    const path = disk(`${provisioning}.vmdk`);
    await host.disks.create({ path, ...thin, provisioning });
    await host.disks.grow(path, 96 * MB);
    assert.equal(host.disks.findDisk(path)?.capacityBytes, 96 * MB);
    await assert.rejects(host.disks.grow(path, 64 * MB), (error) => isFault(error, 'InvalidArgument'));
  }
  await qemuImg('resize', '-q', '-f', 'qcow2', join(host.root, 'vm/thin.qcow2'), `${128 * MB}`);
  await host.disks.open(disk('thin.vmdk'));
  assert.equal(host.disks.findDisk(disk('thin.vmdk'))?.capacityBytes, 128 * MB);
});

void test('a delta disk names its parent, and open tells the whole chain', { skip: noImages }, async () => {
  await using host = await makeDisks();
  for (const folder of ['vm', 'clone']) await mkdir(join(host.root, folder));
  await host.disks.create({ path: disk('base.vmdk'), ...thin });
  await host.disks.create({ path: disk('delta.vmdk'), ...thin, parent: disk('base.vmdk') });
  await host.disks.create({ path: '[datastore1] clone/c.vmdk', ...thin, parent: disk('delta.vmdk') });
  const files = ['clone/c.qcow2', 'vm/delta.qcow2', 'vm/base.qcow2'].map((file) => join(host.root, file));
  const { file, backing } = await host.disks.open('[datastore1] clone/c.vmdk');
  assert.deepEqual([file, ...backing.map((link) => link.file)], files);
  assert.equal(host.disks.findDisk('[datastore1] clone/c.vmdk')?.parent, disk('delta.vmdk'));
  // What lies below is changed behind its back: the chain no longer fits.
  await host.disks.create({ path: disk('base.vmdk'), ...thin, replace: true });
  await assert.rejects(host.disks.open('[datastore1] clone/c.vmdk'), (error) => isFault(error, 'InvalidDiskFormat'));
});

void test('a disk that a running VM uses is neither changed nor copied nor removed', { skip: noImages }, async () => {
  await using host = await makeDisks();
  await mkdir(join(host.root, 'vm'));
  await host.disks.create({ path: disk('a.vmdk'), ...thin });
  for (const file of await host.disks.files(disk('a.vmdk'))) host.inUse.add(file);
  const isLocked = (error: unknown) => isFault(error, 'FileLocked');
  await assert.rejects(host.disks.grow(disk('a.vmdk'), 96 * MB), isLocked);
  await assert.rejects(host.disks.remove(disk('a.vmdk')), isLocked);
  await assert.rejects(host.disks.copy(disk('a.vmdk'), disk('b.vmdk'), { provisioning: 'thin' }), isLocked);
  await assert.rejects(host.disks.move(disk('a.vmdk'), disk('b.vmdk'), false), isLocked);
  assert.deepEqual((await readdir(join(host.root, 'vm'))).sort(), ['a.qcow2', 'a.vmdk']);
});

void test('removing takes both files, and is content when they are gone', { skip: noImages }, async () => {
  await using host = await makeDisks();
  await mkdir(join(host.root, 'vm'));
  await host.disks.create({ path: disk('a.vmdk'), ...thin });
  await host.disks.remove(disk('a.vmdk'));
  await host.disks.remove(disk('a.vmdk'));
  assert.deepEqual(await readdir(join(host.root, 'vm')), []);
});
