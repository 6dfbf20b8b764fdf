// Where clients send the disks of an import: POST or PUT /nfc/<lease>/<disk>. The lease's token is the authority; the bytes go on
// to the host that has the VM, streamed.
import type { Logger } from '@vivarium/base';
import { drainRequest } from '@vivarium/vmomi';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Imports } from './imports.ts';

type NfcRequest = FastifyRequest<{ Params: { lease: string; file: string } }>;

export function registerNfcDoor(
  app: FastifyInstance,
  { imports, log }: { readonly imports: Imports; readonly log: Logger },
): void {
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
    const { lease, file } = request.params;
    const target = imports.find(lease)?.targetOf(file);
    if (!target) {
      drainRequest(request, reply);
      return reply.code(404).send();
    }
    const ended = new AbortController();
    reply.raw.once('close', () => ended.abort());
    const length = request.headers['content-length'];
    try {
      const { status, body } = await target.link.nfc({
        lease: target.lease,
        file,
        headers: length === undefined ? {} : { 'content-length': length },
        body: request.raw,
        signal: AbortSignal.any([target.signal, ended.signal]),
      });
      body.resume();
      if (status >= 400) drainRequest(request, reply);
      return await reply.code(status).send();
    } catch (error) {
      log.info({ err: error }, 'a disk transfer broke off');
      drainRequest(request, reply);
      return reply.code(502).send();
    }
  }
}
