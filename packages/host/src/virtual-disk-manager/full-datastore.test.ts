// A datastore without room: nothing half-made is left and the fault says so. Needs root for a small tmpfs of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemRandom } from '@vivarium/base/node';
import { isFault } from '@vivarium/vim';
import { copyFile } from '../file-manager/file-operations.ts';
import { makeDisks, noImages, qemuImg } from './fixtures.ts';

const skip = noImages || (process.getuid?.() === 0 ? false : 'mounting a tmpfs needs root');
const MB = 1024 * 1024;

async function makeSmall(sizeMB: number) {
  const root = await mkdtemp(join(tmpdir(), 'viv-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMB}m`, 'tmpfs', root]);
  const host = await makeDisks(root);
  await mkdir(join(root, 'vm'));
  return {
    ...host,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      execFileSync('umount', [root]);
      await rm(root, { recursive: true });
    },
  };
}

const isFull = (error: unknown) => isFault(error, 'NoDiskSpace') && error.fault.datastore === 'datastore1';

void test('a preallocated disk that does not fit is refused', { skip }, async () => {
  await using host = await makeSmall(16);
  for (const provisioning of ['lazyZeroedThick', 'eagerZeroedThick'] as const) {
    const request = {
      path: '[datastore1] vm/a.vmdk',
      capacityBytes: 32 * MB,
      provisioning,
      adapter: 'lsilogic',
      uuid: '',
      replace: false,
    } as const;
    await assert.rejects(host.disks.create(request), isFull);
  }
  assert.deepEqual(await readdir(join(host.root, 'vm')), []);
});

void test('a conversion that runs out of room on the way leaves the upload alone and nothing else', {
  skip,
}, async () => {
  await using host = await makeSmall(16);
  const raw = join(host.path, 'raw');
  await writeFile(raw, Buffer.alloc(24 * MB, 'compressible '));
  await qemuImg(
    'convert',
    '-f',
    'raw',
    '-O',
    'vmdk',
    '-o',
    'subformat=streamOptimized',
    raw,
    join(host.root, 'vm/up.vmdk'),
  );
  await assert.rejects(host.disks.open('[datastore1] vm/up.vmdk'), isFull);
  assert.deepEqual(await readdir(join(host.root, 'vm')), ['up.vmdk']);
  const copied = host.disks.copy('[datastore1] vm/up.vmdk', '[datastore1] vm/b.vmdk', { provisioning: 'thin' });
  await assert.rejects(copied, isFull);
  assert.deepEqual(await readdir(join(host.root, 'vm')), ['up.vmdk']);
});

void test('a file copy that runs out of room leaves nothing', { skip }, async () => {
  await using host = await makeSmall(16);
  await writeFile(join(host.root, 'vm/big'), Buffer.alloc(10 * MB, 'x'));
  const [from, to] = ['[datastore1] vm/big', '[datastore1] vm/copy'].map((text) => host.datastores.locate(text));
  assert.ok(from && to);
  await assert.rejects(copyFile({ random: systemRandom, use: { inUse: () => [] } }, from, to, false), isFull);
  assert.deepEqual(await readdir(join(host.root, 'vm')), ['big']);
});

void test('whoever waits for room hears when there is some', { skip }, async () => {
  await using host = await makeSmall(16);
  const datastore = host.datastores.find('datastore1');
  assert.ok(datastore);
  await writeFile(join(host.root, 'vm/big'), Buffer.alloc(15 * MB, 'x'));
  const full = await datastore.space.refresh();
  const heard = new Promise<void>((resolve) => {
    host.datastores.onSpace(() => resolve());
  });
  await rm(join(host.root, 'vm/big'));
  const free = await datastore.space.refresh();
  assert.ok(free.freeBytes > full.freeBytes + 10 * MB);
  await heard;
});
