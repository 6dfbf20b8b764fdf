// vCenter's state as a whole, for those who do not run it: saved into a file, and put back.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type Clock, type Random, uuid } from '@vivarium/base';
import {
  BackupDamaged,
  type BackupSummary,
  backupStore,
  type Item,
  openMemoryStore,
  openStore,
  restoreStore,
  SchemaTooNew,
  type Store,
} from '@vivarium/store';
import { controlSocket } from './control/control-socket.ts';
import { LEADER } from './leadership/take-lead.ts';
import { INSTANCE_UUID, migrations } from './schema.ts';
import { ERA } from './statistics/open-statistics.ts';

export { centerPaths, storeUrl } from './options.ts';

/** Of a vpxd that runs and has its store to itself. `folder`: its control folder. Rejects with Error when it gives none. */
export async function backupRunning(folder: string, sink: NodeJS.WritableStream): Promise<void> {
  await using socket = await controlSocket(folder);
  const call = request({ socketPath: socket.path, path: '/backup', agent: false });
  call.end();
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  if (answer.statusCode !== 200) {
    answer.resume();
    throw new Error(answer.statusCode === 503 ? 'another backup is being made' : `vpxd answered ${answer.statusCode}`);
  }
  await pipeline(answer, sink);
}

/** Of a store that can be opened: etcd, whoever leads, or an SQLite file whose vpxd does not run. Rejects as openStore and backupStore do. */
export async function backupStored(url: string, sink: NodeJS.WritableStream, clock: Clock): Promise<void> {
  const store = await openStore(url);
  try {
    await backupStore(store, sink, clock);
  } finally {
    await store.close();
  }
}

/** A backup that was read whole, and is a vCenter's. */
export interface CenterBackup extends AsyncDisposable {
  readonly summary: BackupSummary;
  readonly store: Store;
}

/** Rejects with BackupDamaged, also when it is another daemon's, and SchemaTooNew when a newer program wrote it. */
export async function readCenterBackup(source: AsyncIterable<Uint8Array>): Promise<CenterBackup> {
  await using undo = new AsyncDisposableStack();
  const store = openMemoryStore();
  undo.defer(() => store.close());
  const summary = await restoreStore(store, source);
  if (!store.get(INSTANCE_UUID)) throw new BackupDamaged('this is no backup of a vCenter');
  const version = store.get<{ readonly version: number }>('schema')?.value.version ?? 0;
  if (version > migrations.length) throw new SchemaTooNew(version, migrations.length);
  const stack = undo.move();
  return { summary, store, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/**
 * Puts it in the place of everything in the store at `url`: all or nothing. Rejects with LockHeld or StoreLocked when a vpxd has
 * the store, or as Store.replace does.
 */
export async function restoreCenter(backup: CenterBackup, url: string, random: Random): Promise<void> {
  const store = await openStore(url);
  try {
    const lease = await store.lock(LEADER, { wait: false, holder: { restores: true } });
    await using snapshot = await backup.store.snapshot();
    await store.guard(lease).replace(withEra(snapshot.items(), uuid(random)));
  } finally {
    await store.close();
  }
}

/** Ids that were given after the backup will be given again: figures that were collected under them are another's. */
async function* withEra(items: AsyncIterable<Item>, era: string): AsyncGenerator<Item> {
  yield { kind: 'document', key: ERA, json: JSON.stringify(era) };
  for await (const item of items) {
    if (item.kind !== 'document' || item.key !== ERA) yield item;
  }
}
