// The disk on which vCenter keeps its state, and its log, is full: it says so, loses nothing, and goes on when there is room.
import assert from 'node:assert/strict';
import { rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { isFault } from '@vivarium/vim';
import { mountSmallDatastore } from '../testing/small-datastore.ts';
import { needsRoot } from '../testing/use-lab-host.ts';
import { VpxdProcess } from './vpxd-process.ts';

const DISK_MB = 16;
/** Left at first. */
const ROOM_BYTES = 256 << 10;

void test('a full disk refuses writes with DatabaseError, loses nothing, and takes them again when there is room', {
  skip: needsRoot,
  timeout: 180_000,
}, async (context) => {
  await using stack = new AsyncDisposableStack();
  const disk = stack.use(await mountSmallDatastore(DISK_MB));
  const vpxd = stack.use(await VpxdProcess.start(undefined, disk.root));
  await vpxd.is('leader');
  const account = await vpxd.account();
  const done: string[] = [];
  {
    using client = await vpxd.connect(account);
    const { rootFolder } = await client.content();
    const create = async (name: string) => {
      await client.call(rootFolder, 'CreateFolder', { name });
      done.push(name);
    };
    await create('before');
    const filler = join(disk.root, 'filler');
    await assert.rejects(writeFile(filler, Buffer.alloc(DISK_MB << 20)), { code: 'ENOSPC' });
    await truncate(filler, (await stat(filler)).size - ROOM_BYTES);
    let refusals = 0;
    for (let number = 0; refusals < 20; number++) {
      assert.ok(number < 10_000, 'the disk is not full');
      await create(`full-${number}`).catch((error: unknown) => {
        assert.ok(isFault(error, 'DatabaseError'), inspect(error));
        refusals += 1;
      });
    }
    context.diagnostic(`${done.length} folders were made before there was no room`);
    // What is read goes on, and a session that needs nothing written is opened.
    using reader = await vpxd.connect(account);
    const found = await reader.call(rootFolder, 'CreateFolder', { name: 'one more' }).catch((error: unknown) => error);
    assert.ok(isFault(found, 'DatabaseError'), String(found));
    await rm(filler);
    await create('after');
  }
  await vpxd.kill();
  await vpxd.start();
  await vpxd.is('leader');
  using client = await vpxd.connect(account);
  const { rootFolder } = await client.content();
  const names: string[] = [];
  for (const child of (await client.get(rootFolder, 'childEntity')) ?? [])
    names.push((await client.get(child, 'name')) ?? '');
  assert.deepEqual(names.sort(), done.sort());
});
