import assert from 'node:assert/strict';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { BackupDamaged, backupStore, openSqliteStore, openStore, SchemaTooNew, StoreLocked } from '@vivarium/store';
import { centerPaths } from './options.ts';
import { INSTANCE_UUID, migrations } from './schema.ts';
import { startVpxd } from './start-vpxd.ts';
import { backupRunning, readCenterBackup, restoreCenter, storeUrl } from './state.ts';

function place(context: TestContext) {
  const stateDir = mkdtempSync(join(tmpdir(), 'viv-state-'));
  context.after(() => rmSync(stateDir, { recursive: true }));
  const options = { stateDir, listen: { address: '127.0.0.1', port: 0 } };
  return { ...options, paths: centerPaths(stateDir), url: storeUrl(options), file: join(stateDir, 'backup') };
}

function start(options: Parameters<typeof startVpxd>[0]) {
  const deposed = (why: string) => assert.fail(why);
  return startVpxd(options, { clock: systemClock, random: systemRandom, log: silentLogger, version: '0', deposed });
}

void test('a running vCenter is backed up, and is the same vCenter where it is restored', async (context) => {
  const [from, to] = [place(context), place(context)];
  const vpxd = await start(from);
  await backupRunning(from.paths.control, createWriteStream(from.file));
  {
    await using backup = await readCenterBackup(createReadStream(from.file));
    await assert.rejects(restoreCenter(backup, from.url, systemRandom), StoreLocked);
    await restoreCenter(backup, to.url, systemRandom);
  }
  await vpxd.close();
  const documents = async (url: string) => {
    const store = await openStore(url);
    const found = store.range('').filter(({ key }) => key !== 'vcenter/era');
    await store.close();
    return found.map(({ key, value }) => ({ key, value }));
  };
  assert.deepEqual(await documents(to.url), await documents(from.url));
  const again = await start(to);
  assert.equal(existsSync(to.paths.credentials), false, 'the administrator is the one that was restored');
  const authority = (folder: string) => readFileSync(join(folder, 'root.crt'), 'utf8');
  assert.equal(authority(to.paths.certificates), authority(from.paths.certificates));
  await again.close();
});

void test('statistics of before a restoration are put aside, as its ids may mean others', async (context) => {
  const here = place(context);
  await (await start(here)).close();
  await (await start(here)).close();
  assert.equal(existsSync(`${here.paths.statistics}.before-restore`), false);
  const store = openSqliteStore(here.paths.database);
  await backupStore(store, createWriteStream(here.file), systemClock);
  await store.close();
  await using backup = await readCenterBackup(createReadStream(here.file));
  await restoreCenter(backup, here.url, systemRandom);
  await (await start(here)).close();
  assert.ok(existsSync(`${here.paths.statistics}.before-restore`));
  rmSync(`${here.paths.statistics}.before-restore`);
  await (await start(here)).close();
  assert.equal(existsSync(`${here.paths.statistics}.before-restore`), false);
});

void test("what is no vCenter's backup, or a newer program's, is not restored", async (context) => {
  const here = place(context);
  writeFileSync(here.file, 'no backup');
  await assert.rejects(readCenterBackup(createReadStream(here.file)), BackupDamaged);
  const store = openSqliteStore(here.paths.database);
  await store.batch([{ put: 'something', value: 'else' }]);
  await backupStore(store, createWriteStream(here.file), systemClock);
  await assert.rejects(readCenterBackup(createReadStream(here.file)), /no backup of a vCenter/);
  await store.batch([
    { put: INSTANCE_UUID, value: 'x' },
    { put: 'schema', value: { version: migrations.length + 1 } },
  ]);
  await backupStore(store, createWriteStream(here.file), systemClock);
  await assert.rejects(readCenterBackup(createReadStream(here.file)), SchemaTooNew);
  await store.close();
});

void test('documents are of a version: an older one is brought up, a newer one is refused and left as it is', async (context) => {
  const here = place(context);
  await (await start(here)).close();
  const store = openSqliteStore(here.paths.database);
  assert.deepEqual(store.get('schema')?.value, { version: migrations.length });
  await store.batch([{ delete: 'schema' }]);
  await store.close();
  await (await start(here)).close();
  const newer = openSqliteStore(here.paths.database);
  assert.deepEqual(newer.get('schema')?.value, { version: migrations.length });
  const version = migrations.length + 7;
  await newer.batch([{ put: 'schema', value: { version } }]);
  await newer.close();
  await assert.rejects(start(here), SchemaTooNew);
  const left = openSqliteStore(here.paths.database);
  assert.deepEqual(left.get('schema')?.value, { version });
  await left.close();
});
