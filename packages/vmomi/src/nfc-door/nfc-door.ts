// Where clients send the disks of an import, on a host and on vCenter: POST or PUT /nfc/<lease>/<disk>. The lease's token is the
// authority, as on ESXi.
import type { Readable } from 'node:stream';
import type { Logger } from '@vivarium/base';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { drainRequest } from '../folder-door/drain-request.ts';
import { exchangeOver } from '../folder-door/exchange-over.ts';
import { rawBodies } from '../folder-door/raw-bodies.ts';
import { refuseTransfer } from '../folder-door/refuse-transfer.ts';

export interface NfcDoor {
  /** Who takes the disk that a URL names; undefined when nobody does, or no more. */
  find(lease: string, file: string): NfcReceiver | undefined;
  readonly log: Logger;
}

/** Takes a disk; the HTTP status that tells how that went. Rejects with faults, as httpStatus tells them, and TransferBroken. */
export type NfcReceiver = (disk: NfcDisk) => Promise<number>;

export interface NfcDisk {
  readonly body: Readable;
  /** What the sender announced, if it did. */
  readonly lengthBytes: number | undefined;
  /** Aborted when the exchange is over, well or not. */
  readonly signal: AbortSignal;
}

type NfcRequest = FastifyRequest<{ Params: { lease: string; file: string } }>;

export function registerNfcDoor(app: FastifyInstance, { find, log }: NfcDoor): void {
  rawBodies(app, (scope) => {
    scope.route<{ Params: { lease: string; file: string } }>({
      method: ['POST', 'PUT'],
      url: '/nfc/:lease/:file',
      handler: (request, reply) => take(request, reply),
    });
  });

  async function take(request: NfcRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { lease, file } = request.params;
    const receive = find(lease, file);
    const length = request.headers['content-length'];
    try {
      const status = receive
        ? await receive({
            body: request.raw,
            lengthBytes: length === undefined ? undefined : Number(length),
            signal: exchangeOver(reply.raw),
          })
        : 404;
      if (status >= 400) drainRequest(request, reply);
      return await reply.code(status).send();
    } catch (error) {
      return refuseTransfer(error, { request, reply, log, about: { disk: file } }); // the lease's token is a secret
    }
  }
}
