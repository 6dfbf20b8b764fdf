// The file with the statistics, and whether they are those of the state that is in the store.
import { existsSync, renameSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Logger } from '@vivarium/base';
import { writeDurable } from '@vivarium/base/node';
import { type BlockStore, openSqliteBlocks, type Store } from '@vivarium/store';

/** The document that says since which restored backup the state goes on; there is none where it was never restored. */
export const ERA = 'vcenter/era';

/** Statistics of before the state was restored are put aside, as `<path>.before-restore`: ids mean other objects there. */
export async function openStatistics(path: string, store: Pick<Store, 'get'>, log: Logger): Promise<BlockStore> {
  const era = store.get<string>(ERA)?.value ?? '';
  const known = await readFile(`${path}.era`, 'utf8').catch(() => '');
  if (era !== known) {
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${path}.before-restore${suffix}`);
    }
    await writeDurable(`${path}.era`, era);
    log.info({}, 'the state was restored: new statistics begin');
  }
  return openSqliteBlocks(path, {
    putAside: (error) => log.error({ err: error }, 'the statistics are damaged: making new ones'),
  });
}
