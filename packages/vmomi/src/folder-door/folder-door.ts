// The HTTP door to datastores, /folder, on a host and on vCenter: GET and HEAD (with ranges), PUT (and POST, which means the
// same), DELETE, and pages that list what there is. Who asks and what the URL names is found out here; a FolderSource opens it.
import type { Readable } from 'node:stream';
import type { Logger } from '@vivarium/base';
import { MethodFault } from '@vivarium/vim';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuthenticationRequest } from '../http/authenticate.ts';
import type { Session } from '../session/session.ts';
import { drainRequest } from './drain-request.ts';
import { exchangeOver } from './exchange-over.ts';
import { type FolderPlace, type FolderTarget, parseFolderTarget } from './folder-target.ts';
import { type Listing, listingPage } from './listing-page.ts';
import { rawBodies } from './raw-bodies.ts';
import { refuseTransfer, TransferBroken } from './refuse-transfer.ts';

export interface FolderSource {
  /** Whose request it is; undefined = nobody's. */
  authenticate(request: AuthenticationRequest): Promise<Session | undefined>;
  /** The datacenters, or the datastores of one, as far as the user may see them. Fault: FileNotFound. */
  list(target: Exclude<FolderTarget, { kind: 'place' }>, session: Session): Listing;
  /** A file or folder, given or taken. Privileges are checked here. Faults: any, as httpStatus tells them; TransferBroken. */
  open(opening: FolderOpening): Promise<FolderReply>;
  readonly log: Logger;
}

export interface FolderOpening {
  readonly session: Session;
  readonly place: FolderPlace;
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What a PUT brings. */
  readonly body: Readable;
  /** Aborted when the exchange is over, well or not. */
  readonly signal: AbortSignal;
}

export interface FolderReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable | string | undefined;
}

const METHODS = { GET: 'GET', HEAD: 'HEAD', PUT: 'PUT', POST: 'PUT', DELETE: 'DELETE' } as const;

export function registerFolderDoor(app: FastifyInstance, source: FolderSource): void {
  rawBodies(app, (scope) => {
    for (const url of ['/folder', '/folder/*']) {
      scope.route({ method: Object.keys(METHODS), url, handler: (request, reply) => serve(request, reply) });
    }
  });

  async function serve(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    try {
      const session = await source.authenticate(request);
      if (!session || session.isAnonymous) {
        drainRequest(request, reply);
        return await reply.code(401).header('www-authenticate', 'Basic realm="VMware HTTP server"').send();
      }
      return await handle(session, request, reply);
    } catch (error) {
      return refuseTransfer(error, { request, reply, log: source.log, about: { url: request.url } });
    }
  }

  async function handle(session: Session, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const method = METHODS[request.method as keyof typeof METHODS];
    const target = parseFolderTarget(request.raw.url ?? '');
    if (!target) throw new MethodFault('FileNotFound', { file: '' });
    if (target.kind !== 'place') {
      if (method !== 'GET' && method !== 'HEAD') throw new MethodFault('NotAFile', { file: '' });
      return reply.type('text/html; charset=utf-8').send(listingPage(source.list(target, session)));
    }
    const signal = exchangeOver(reply.raw);
    if (signal.aborted) throw new TransferBroken('the client went away while it was found out who it is');
    const { kind: _, ...place } = target;
    const { headers, raw: body } = request;
    const answer = await source.open({ session, place, method, headers, body, signal });
    if (answer.status >= 400) drainRequest(request, reply);
    return reply
      .code(answer.status)
      .headers(answer.headers ?? {})
      .send(answer.body);
  }
}
