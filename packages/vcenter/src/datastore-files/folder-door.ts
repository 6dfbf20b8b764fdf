// vCenter's /folder: files of datastores over HTTPS. Who may do what is decided here, by the user's privileges on the datastore;
// the bytes come from, and go to, a connected host that has it, streamed both ways.
import type { Readable } from 'node:stream';
import type { Logger } from '@vivarium/base';
import { isFault, MethodFault, type MoRef } from '@vivarium/vim';
import {
  drainRequest,
  FOLDER_NAMES_HEADER,
  FOLDER_PAGE_HEADER,
  formatFolderNames,
  httpStatus,
  listingPage,
  type Session,
} from '@vivarium/vmomi';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Center } from '../center.ts';
import { type FolderAnswer, type FolderRequest, HostUnreachable } from '../host-link/host-link.ts';
import type { ReferenceMap } from '../host-sync/reference-map.ts';
import { datacenterEntries, datastoreEntries } from './folder-listings.ts';
import { parseFolderTarget } from './folder-target.ts';
import { findDatacenter, hostWithAll } from './locate-file.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'];
/** Transfers at once, of all users together. */
const MOST_TRANSFERS = 256;
const LONGEST_REFUSAL = 16_384;
const FILES = 'Datastore.FileManagement';
const BROWSE = 'Datastore.Browse';

/** Of a request, what its host has to know; of the answer, what its client has to. */
const TO_HOST = [
  'range',
  'if-range',
  'if-none-match',
  'if-modified-since',
  'overwrite',
  'content-length',
  'content-type',
];
const TO_CLIENT = [
  'accept-ranges',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
  'x-content-type-options',
];

export type FolderCenter = Pick<Center, 'service' | 'inventory' | 'hosts' | 'shared' | 'index'> & {
  readonly log: Logger;
};

export function registerFolderDoor(app: FastifyInstance, center: FolderCenter): void {
  let transfers = 0;
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
      const session = await center.service.authenticate(request);
      if (!session || session.isAnonymous) {
        drainRequest(request, reply);
        return reply.code(401).header('www-authenticate', 'Basic realm="VMware HTTP server"').send();
      }
      return await handle(session, request, reply);
    } catch (error) {
      return refuse(center.log, error, request, reply);
    }
  }

  async function handle(session: Session, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const target = parseFolderTarget(request.raw.url ?? '');
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    if (!target || (target.kind !== 'place' && !isReading)) throw new MethodFault('FileNotFound', { file: '' });
    if (target.kind === 'datacenters') {
      return page(reply, { title: 'Datacenters', entries: datacenterEntries(center, session) });
    }
    const isSeen = (ref: MoRef | undefined) =>
      ref !== undefined && center.service.authorization.holds(session, center.service.graph.get(ref), 'System.View');
    const datacenter = findDatacenter(center, target.dcPath);
    const datastore =
      target.kind === 'place' && datacenter ? center.index.datastoreNamed(datacenter, target.datastore) : undefined;
    // What somebody may not see is not there, or its name could be guessed.
    if (!datacenter || !(isSeen(datacenter) || isSeen(datastore)))
      throw new MethodFault('FileNotFound', { file: target.dcPath ?? '' });
    if (target.kind === 'datastores') {
      const entries = datastoreEntries(center, session, datacenter);
      return page(reply, { title: `Datastores of ${target.dcPath}`, above: '/folder', entries });
    }
    if (!datastore || !isSeen(datastore)) throw new MethodFault('InvalidDatastore', { name: target.datastore });
    const names = formatFolderNames({ datacenter: target.dcPath ?? '', datastore: target.datastore });
    return relay({ session, datastore, path: target.path, names }, request, reply);
  }

  async function relay(
    { session, datastore, path, names }: Place,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { service, shared, hosts } = center;
    const object = service.graph.get(datastore);
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    const mayBrowse = isReading && service.authorization.holds(session, object, BROWSE);
    if (!mayBrowse) service.authorization.check(session, object, FILES);
    const host = hostWithAll({ shared, hosts }, [datastore]);
    if (!host) throw new MethodFault('HostNotConnected');
    if (transfers >= MOST_TRANSFERS) return reply.code(503).header('retry-after', '5').send();
    transfers += 1;
    const ended = new AbortController();
    reply.raw.once('close', () => {
      transfers -= 1;
      ended.abort();
    });
    const { link, mirror } = hosts.connected(host);
    const answer = await link.folder({
      method: (request.method === 'POST' ? 'PUT' : request.method) as FolderRequest['method'],
      datastore: mirror.refs.hostDatastoreName(datastore) ?? center.inventory.get(datastore).name,
      path,
      headers: { ...picked(request.headers, TO_HOST), [FOLDER_NAMES_HEADER]: names },
      signal: ended.signal,
      ...(isReading || request.method === 'DELETE' ? {} : { body: request.raw }),
    });
    // Whether it is a folder or a file is known only now; nothing of it has been shown yet.
    if (isReading && answer.status < 400) {
      try {
        service.authorization.check(session, object, answer.headers[FOLDER_PAGE_HEADER] ? BROWSE : FILES);
      } catch (error) {
        answer.body.destroy();
        throw error;
      }
    }
    return passBack(answer, mirror.refs, request, reply);
  }
}

interface Place {
  readonly session: Session;
  readonly datastore: MoRef<'Datastore'>;
  readonly path: string;
  readonly names: string;
}

async function passBack(
  { status, headers, body }: FolderAnswer,
  refs: Pick<ReferenceMap, 'textToCenter'>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  // The host does not know our session; that it does not let us in is no answer to our client.
  if (status === 401) {
    body.destroy();
    throw new HostUnreachable('the host does not let vCenter in');
  }
  if (status < 400) return reply.code(status).headers(picked(headers, TO_CLIENT)).send(body);
  drainRequest(request, reply);
  const type = picked(headers, ['content-type', 'content-range']);
  return reply
    .code(status)
    .headers(type)
    .send(refs.textToCenter(await shortText(body)));
}

/** What a host says about a refusal; more than a few lines are nothing that it would say. */
async function shortText(body: Readable): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += String(chunk);
    if (text.length > LONGEST_REFUSAL) break;
  }
  return text;
}

function page(reply: FastifyReply, listing: Parameters<typeof listingPage>[0]): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(listingPage(listing));
}

function picked(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

function refuse(log: Logger, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  drainRequest(request, reply);
  if (error instanceof HostUnreachable || isFault(error, 'HostNotConnected')) {
    log.warn({ err: error, url: request.url }, 'a file could not be passed on');
    return reply.code(503).type('text/plain; charset=utf-8').send('No host that has the datastore answers.\n');
  }
  if (error instanceof MethodFault) {
    return reply.code(httpStatus(error)).type('text/plain; charset=utf-8').send(`${error.message}\n`);
  }
  log.error({ err: error, url: request.url }, 'folder access failed');
  return reply.code(500).type('text/plain; charset=utf-8').send('Internal error\n');
}
