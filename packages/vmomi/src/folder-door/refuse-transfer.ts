// What a client is told whose file, or disk, does not get through.
import type { Logger } from '@vivarium/base';
import { MethodFault } from '@vivarium/vim';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { drainRequest } from './drain-request.ts';
import { httpStatus } from './http-status.ts';

/** A sender that went away before it had sent what it announced. */
export class TransferBroken extends Error {
  override readonly name = 'TransferBroken';
}

/** A fault is told with its status; anything else is a bug, and logged together with `about`. */
export function refuseTransfer(
  error: unknown,
  { request, reply, log, about }: { request: FastifyRequest; reply: FastifyReply; log: Logger; about: object },
): FastifyReply {
  if (error instanceof TransferBroken) {
    log.info({ ...about, err: error }, 'a transfer broke off');
    return reply.code(400).header('connection', 'close').send();
  }
  const fault = error instanceof MethodFault ? error : undefined;
  if (!fault) log.error({ ...about, err: error }, 'a transfer failed');
  drainRequest(request, reply);
  return reply
    .code(fault ? httpStatus(fault) : 500)
    .type('text/plain; charset=utf-8')
    .send(`${fault?.message ?? 'Internal error'}\n`);
}
