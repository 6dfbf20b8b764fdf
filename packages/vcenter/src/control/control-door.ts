// What the owner of the machine asks a running vpxd for, whose SQLite file nobody else can open: GET /backup.
import { rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { Clock, Logger } from '@vivarium/base';
import { backupStore, type Store } from '@vivarium/store';
import { controlSocket } from './control-socket.ts';

export interface ControlDoorOptions {
  /** Only its owner enters it. */
  readonly folder: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

export async function openControlDoor({ folder, store, clock, log }: ControlDoorOptions): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const socket = undo.use(await controlSocket(folder, true));
  await rm(socket.path, { force: true }); // of one that was killed
  let isBusy = false;
  const backup = async (response: ServerResponse) => {
    isBusy = true;
    try {
      response.writeHead(200, { 'content-type': 'application/gzip' });
      const { revision, documents, entries } = await backupStore(store, response, clock);
      log.info({ revision, documents, entries }, 'the state was backed up');
    } catch (error) {
      log.warn({ err: error }, 'a backup was not written to its end');
      response.destroy();
    } finally {
      isBusy = false;
    }
  };
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/backup') response.writeHead(404).end();
    else if (isBusy) response.writeHead(503).end();
    else void backup(response);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket.path, resolve));
  undo.defer(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return undo.move();
}
