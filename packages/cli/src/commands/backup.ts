// viv backup: vCenter's state in one file, while it runs or not. The file is there when it is whole and was read back, or not at all.
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { syncDirectory, systemClock } from '@vivarium/base/node';
import { BackupDamaged } from '@vivarium/store';
import { backupRunning, backupStored, centerPaths, readCenterBackup } from '@vivarium/vcenter/state';
import { findCenterState, requireStore, toldToPeople } from '../center-state.ts';
import { UserError } from '../state.ts';

export interface BackupOptions {
  readonly stateDir: string;
  /** Another than the one that is kept. */
  readonly store?: string;
}

export async function backup(file: string, options: BackupOptions): Promise<void> {
  const state = await findCenterState(options.stateDir, options.store);
  const path = resolve(file);
  const unfinished = `${path}.unfinished`;
  await using undo = new AsyncDisposableStack();
  await rm(unfinished, { force: true });
  const handle = await open(unfinished, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw new UserError(`${unfinished} cannot be written (${cause.code})`, 'name a file in a folder that is yours');
  });
  undo.defer(() => rm(unfinished, { force: true }));
  undo.use(handle);
  const sink = createWriteStream(unfinished, { fd: handle.fd, autoClose: false });
  if (state.isRunning && !state.isShared) {
    await backupRunning(centerPaths(state.instance.stateDir).control, sink);
  } else {
    requireStore(state.url);
    await toldToPeople(backupStored(state.url, sink, systemClock));
  }
  await handle.sync();
  await using written = await readCenterBackup(createReadStream(unfinished)).catch((cause: unknown) => {
    if (!(cause instanceof BackupDamaged)) throw cause;
    throw new UserError(
      `what came of it is not whole: ${cause.message}`,
      'see that there is a vCenter’s state, and try again',
      {
        cause,
      },
    );
  });
  await rename(unfinished, path);
  await syncDirectory(dirname(path));
  const { documents, entries, createdAt } = written.summary;
  process.stdout.write(
    `${path}: ${documents} documents and ${entries} tasks and events of ${createdAt}; statistics are not in it.\n` +
      'It holds password hashes and the key of the certificate authority: keep it as you keep those.\n',
  );
}
