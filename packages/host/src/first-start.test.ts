import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { openMemoryStore, type Store } from '@vivarium/store';
import { Service } from '@vivarium/vmomi';
import { aboutHost } from './about.ts';
import { ensureAdministrator } from './first-start.ts';
import { refs } from './inventory/refs.ts';
import { Life } from './testing/life.ts';

function serviceOver(store: Store): Service {
  return new Service({
    ...{ clock: systemClock, random: systemRandom, log: silentLogger, store, about: aboutHost('1') },
    ...{ instance: 'HostAgent', rootFolder: refs.rootFolder },
  });
}

void test('a host whose first start is cut short has an administrator with his rights all the same', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'viv-first-start-'));
  t.after(() => rm(folder, { recursive: true }));
  const credentialsFile = join(folder, 'credentials.json');
  await writeFile(credentialsFile, JSON.stringify({ userName: 'root', password: 'correct horse 1' }));
  for (let step = 1; ; step++) {
    const store = openMemoryStore();
    const life = new Life(step);
    const first = serviceOver(life.store(store));
    await life.run(() => ensureAdministrator(first, { credentialsFile })).catch(() => undefined);
    await ensureAdministrator(serviceOver(store), { credentialsFile });
    const again = serviceOver(store);
    assert.ok(await again.accounts.verify('root', 'correct horse 1'), `killed at step ${step}`);
    const roles = again.authorization.permissions(refs.rootFolder).map(({ principal, roleId }) => [principal, roleId]);
    assert.deepEqual(roles, [['root', -1]], `killed at step ${step}`);
    if (!life.isDead) break;
  }
});
