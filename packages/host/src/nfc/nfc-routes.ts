// Where clients send the disks of an import: POST or PUT /nfc/<lease>/<disk>. The lease's token is the authority, as on ESXi.
import { addAbortSignal } from 'node:stream';
import type { Logger } from '@vivarium/base';
import { MethodFault } from '@vivarium/vim';
import { drainRequest, httpStatus } from '@vivarium/vmomi';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TransferBroken } from '../folder-access/receive-file.ts';
import type { VirtualDisks } from '../virtual-disk-manager/virtual-disks.ts';
import type { Imports } from './imports.ts';
import { receiveDisk } from './receive-disk.ts';

type NfcRequest = FastifyRequest<{ Params: { lease: string; file: string } }>;

export interface NfcDoor {
  readonly imports: Imports;
  readonly disks: VirtualDisks;
  readonly log: Logger;
}

export function registerNfcRoutes(app: FastifyInstance, { imports, disks, log }: NfcDoor): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null)); // bodies are read from request.raw
    scope.route<{ Params: { lease: string; file: string } }>({
      method: ['POST', 'PUT'],
      url: '/nfc/:lease/:file',
      handler: (request, reply) => take(request, reply),
    });
    done();
  });

  async function take(request: NfcRequest, reply: FastifyReply): Promise<FastifyReply> {
    const lease = imports.find(request.params.lease);
    const disk = lease?.findDisk(request.params.file);
    if (!lease || !disk) {
      drainRequest(request, reply);
      return reply.code(404).send();
    }
    const length = request.headers['content-length'];
    try {
      const place = disks.context.datastores.locate(disk.path);
      await lease.transfer(() =>
        receiveDisk(disks.context, place, {
          body: addAbortSignal(lease.signal, request.raw),
          lengthBytes: length === undefined ? undefined : Number(length),
          onBytes: () => lease.touch(),
          onProgress: () => lease.touch(),
          signal: lease.signal,
        }),
      );
      return reply.code(200).send();
    } catch (error) {
      return refuse(error, request, reply);
    }
  }

  function refuse(error: unknown, request: NfcRequest, reply: FastifyReply): FastifyReply {
    if (error instanceof TransferBroken) {
      log.info({ err: error }, 'a disk transfer broke off');
      return reply.code(400).header('connection', 'close').send();
    }
    const fault = error instanceof MethodFault ? error : undefined;
    if (!fault) log.error({ err: error }, 'a disk transfer failed');
    drainRequest(request, reply);
    return reply
      .code(fault ? httpStatus(fault) : 500)
      .type('text/plain; charset=utf-8')
      .send(`${fault?.message ?? 'Internal error'}\n`);
  }
}
