// The host's HTTPS service: the API, the /folder door and consoles on one port.
import type { Server } from 'node:https';
import type { Logger } from '@vivarium/base';
import { registerFolderDoor, registerNfcDoor, registerScreenRoute, type Service } from '@vivarium/vmomi';
import { fastify } from 'fastify';
import { openConsoleDoor } from './console/console-door.ts';
import type { ConsoleTickets } from './console/console-tickets.ts';
import type { StorageApi } from './datastore/storage-api.ts';
import { folderAccess } from './folder-access/folder-access.ts';
import type { Imports } from './nfc/imports.ts';
import { nfcReceivers } from './nfc/nfc-receiver.ts';
import type { HostCertificates } from './tls/host-certificates.ts';
import { followCertificates, httpsOptions } from './tls/https-options.ts';
import type { VirtualDisks } from './virtual-disk-manager/virtual-disks.ts';

/** A client that takes longer to send its headers is cut off. */
const HEADERS_TIMEOUT_MS = 30_000;

export interface WebOptions {
  readonly listen: { readonly address: string; readonly port: number };
  readonly certificates: HostCertificates;
  readonly service: Service;
  readonly storageApi: StorageApi;
  readonly imports: Imports;
  readonly disks: VirtualDisks;
  readonly tickets: ConsoleTickets;
  readonly vncSocket: (vm: string) => string | undefined;
  /** A VM's screen was opened (1) or closed (-1). */
  readonly countConsole: (vm: string, change: 1 | -1) => void;
  /** See ScreenDoor. */
  readonly screenshot: (vm: string, userName: string) => Promise<Uint8Array>;
  readonly log: Logger;
}

export interface Web {
  /** The port that is listened on. */
  readonly port: number;
  close(): Promise<void>;
}

/** Begins to serve; rejects when the address cannot be listened on. */
export async function openWeb(options: WebOptions): Promise<Web> {
  const { certificates, service, log } = options;
  const app = fastify({
    https: { ...httpsOptions(certificates), headersTimeout: HEADERS_TIMEOUT_MS },
    // Long polls take as long as they take: only silence between requests is limited.
    requestTimeout: 0,
    forceCloseConnections: true,
    logger: false,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  const stop = followCertificates(app.server as Server, certificates);
  service.register(app);
  const files = folderAccess({
    api: options.storageApi,
    authenticate: (request) => service.authenticate(request),
    openFlat: (place) => options.disks.openFlat(place),
    datacenter: 'ha-datacenter',
    random: service.random,
    log,
  });
  registerFolderDoor(app, files);
  registerNfcDoor(app, { find: nfcReceivers(options.imports, options.disks), log });
  registerScreenRoute(app, { service, screenshot: options.screenshot, log });
  app.get('/', (_request, reply) => {
    void reply.type('text/plain; charset=utf-8').send('Vivarium. The API is at /sdk; files are at /folder.\n');
  });
  const { tickets, vncSocket, countConsole: count } = options;
  const doors = openConsoleDoor(app.server, { tickets, vncSocket, count, log });
  await app.listen({ host: options.listen.address, port: options.listen.port });
  const address = app.server.address();
  return {
    port: typeof address === 'object' && address ? address.port : options.listen.port,
    async close() {
      stop();
      doors.close();
      await app.close();
    },
  };
}

// Routes have no JSON schemas. Named here, Fastify does not load the compilers for them: 2.5 MB of memory.
function noSchemas(): never {
  throw new Error('a route has a schema; let Fastify load its compilers');
}
