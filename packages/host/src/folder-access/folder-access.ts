// The HTTP door to the datastores: /folder. GET and HEAD (with ranges), PUT (and POST, which means the same), DELETE, and
// pages that list folders. Everything is checked as in the API: login, privilege on the datastore, paths that stay inside.
import { type Logger, type Random, token } from '@vivarium/base';
import { isFault, MethodFault } from '@vivarium/vim';
import {
  type AuthenticationRequest,
  drainRequest,
  FOLDER_NAMES_HEADER,
  FOLDER_PAGE_HEADER,
  httpStatus,
  parseFolderNames,
  type Session,
} from '@vivarium/vmomi';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Datastore, type Location, locationText } from '../datastore/datastore.ts';
import { checkReadable } from '../datastore/file-use.ts';
import { checkPrivilege, holdsPrivilege, type StorageApi } from '../datastore/storage-api.ts';
import { deleteFile } from '../file-manager/file-operations.ts';
import type { FlatReading } from '../virtual-disk-manager/virtual-disks.ts';
import { folderPages } from './folder-pages.ts';
import { type FolderTarget, parseFolderUrl } from './folder-url.ts';
import { receiveFile, TransferBroken } from './receive-file.ts';
import { answerWithFile, type ByteSource, flatSource, openFileSource } from './send-file.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'];
export interface FolderAccess {
  readonly api: StorageApi;
  /** Whose request it is; undefined = nobody's. */
  authenticate(request: AuthenticationRequest): Promise<Session | undefined>;
  /** Thin disks as the flat files that their descriptors name; see VirtualDisks.openFlat. */
  openFlat?(place: Location): Promise<FlatReading | undefined>;
  /** Inventory path of the host's datacenter: `ha-datacenter`. */
  readonly datacenter: string;
  readonly random: Random;
  readonly log: Logger;
}

export function registerFolderAccess(app: FastifyInstance, access: FolderAccess): void {
  const pages = folderPages(access);
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null)); // bodies are read from request.raw
    for (const url of ['/folder', '/folder/*']) {
      scope.route({ method: METHODS, url, handler: (request, reply) => serve(request, reply) });
    }
    done();
  });

  async function serve(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    try {
      const session = await access.authenticate(request);
      if (!session || session.isAnonymous) return unauthorized(request, reply);
      const target = parseFolderUrl(request.raw.url ?? '', access.datacenter);
      return await handle(target, session, request, reply);
    } catch (error) {
      return refuse(error, request, reply);
    }
  }

  async function handle(target: FolderTarget, session: Session, request: FastifyRequest, reply: FastifyReply) {
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    const holds = (datastore: Datastore, privilege: string) =>
      holdsPrivilege(access.api, session, datastore, privilege);
    if (target.kind !== 'place') {
      if (!isReading) throw new MethodFault('NotAFile', { file: '' });
      return reply
        .type('text/html; charset=utf-8')
        .send(pages.top(target.kind, (datastore) => holds(datastore, 'Datastore.Browse')));
    }
    const place = access.api.datastores.locate(`[${target.datastore}] ${target.path}`);
    // What somebody may not see is not there, or its name could be guessed.
    if (!holds(place.datastore, 'System.View'))
      throw new MethodFault('InvalidDatastorePath', { datastorePath: `[${target.datastore}] ${target.path}` });
    const may = (privilege: string) => checkPrivilege(access.api, session, place.datastore, privilege);
    // Before the datastore is looked at: what is there is told only to those who may look.
    const mayBrowse = isReading && holds(place.datastore, 'Datastore.Browse');
    if (!mayBrowse) may('Datastore.FileManagement');
    if (isReading) {
      const names = parseFolderNames(request.headers[FOLDER_NAMES_HEADER]);
      const page = await pages.folder(place, () => may('Datastore.Browse'), names);
      if (page !== undefined) {
        return reply.type('text/html; charset=utf-8').header(FOLDER_PAGE_HEADER, 'true').send(page);
      }
    }
    may('Datastore.FileManagement');
    if (isReading) return sendFile(place, request, reply);
    if (request.method === 'DELETE') {
      await deleteFile({ random: access.random, use: access.api.use }, place);
      access.api.touched(place.datastore);
      return reply.code(204).send();
    }
    return takeFile(place, request, reply);
  }

  async function sendFile(place: Location, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    checkReadable(access.api.use, place.datastore.absolute(place.path), locationText(place));
    const answer = await answerWithFile(place, await openSource(place), request);
    return reply.code(answer.status).headers(answer.headers).send(answer.body);
  }

  // What is there comes first: a flat file that somebody put beside a thin disk is a file like any other.
  async function openSource(place: Location): Promise<ByteSource> {
    try {
      return await openFileSource(place);
    } catch (error) {
      const flat = isFault(error, 'FileNotFound') ? await access.openFlat?.(place) : undefined;
      if (!flat) throw error;
      return flatSource(flat);
    }
  }

  async function takeFile(place: Location, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const length = request.headers['content-length'];
    try {
      const isNew = await receiveFile(place, {
        random: access.random,
        use: access.api.use,
        body: request.raw,
        lengthBytes: length === undefined ? undefined : Number(length),
        mayReplace: !/^f/i.test(String(request.headers['overwrite'] ?? 't')),
      });
      return reply.code(isNew ? 201 : 200).send();
    } finally {
      access.api.touched(place.datastore);
    }
  }

  function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (error instanceof TransferBroken) {
      access.log.info({ url: request.url, err: error }, 'an upload broke off');
      return reply.code(400).header('connection', 'close').send();
    }
    const fault = error instanceof MethodFault ? error : undefined;
    if (!fault)
      access.log.error({ err: error, url: request.url, incident: token(access.random, 4) }, 'folder access failed');
    const status = fault ? httpStatus(fault) : 500;
    drainRequest(request, reply);
    return reply
      .code(status)
      .type('text/plain; charset=utf-8')
      .send(fault ? `${fault.message}\n` : 'Internal error\n');
  }
}

function unauthorized(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  drainRequest(request, reply);
  return reply.code(401).header('www-authenticate', 'Basic realm="VMware HTTP server"').send();
}
