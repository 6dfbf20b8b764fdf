// viv restore: puts a backup in the place of vCenter's state, all or nothing. No vCenter may run with it meanwhile.
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemRandom } from '@vivarium/base/node';
import { parseStoreUrl } from '@vivarium/store';
import { readCenterBackup, restoreCenter } from '@vivarium/vcenter/state';
import { findCenterState, toldToPeople } from '../center-state.ts';
import { keepLayout } from '../layout.ts';
import { UserError } from '../state.ts';

export interface RestoreOptions {
  readonly stateDir: string;
  /** Another than the one that is kept: it is kept from now on. */
  readonly store?: string;
}

export async function restore(file: string, { stateDir, store }: RestoreOptions): Promise<void> {
  const { layout, url, isRunning } = await findCenterState(stateDir, store);
  if (isRunning) throw new UserError('vCenter is running', `stop it first: ./viv down --state-dir ${stateDir}`);
  await using source = await openBackup(file);
  await using backup = await toldToPeople(readCenterBackup(source.createReadStream({ autoClose: false })));
  const address = parseStoreUrl(url);
  if (address.engine === 'sqlite') await mkdir(dirname(address.path), { recursive: true, mode: 0o711 });
  await toldToPeople(restoreCenter(backup, url, systemRandom));
  if (store !== undefined && layout?.vcenter) {
    await keepLayout(stateDir, { ...layout, vcenter: { ...layout.vcenter, store } });
  }
  const { documents, entries, createdAt } = backup.summary;
  const isKept = store === undefined || layout?.vcenter !== undefined;
  process.stdout.write(
    `restored ${documents} documents and ${entries} tasks and events of ${createdAt}\n` +
      `start vCenter with: ./viv up${isKept ? '' : ` --store '${store}'`}\n`,
  );
}

async function openBackup(file: string): Promise<FileHandle> {
  const mend = 'give a file that viv backup has made';
  const handle = await open(file).catch((cause: NodeJS.ErrnoException) => {
    const what = cause.code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read (${cause.code})`;
    throw new UserError(what, mend, { cause });
  });
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new UserError(`${file} is no file`, mend);
}
