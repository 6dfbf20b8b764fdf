// GET /screen?id=<VM>: a picture of a VM's screen as PNG, as ESXi and vCenter hand it out. Checked as in the API: login, and the
// privilege that CreateScreenshot_Task needs.
import { type Logger, token } from '@vivarium/base';
import { MethodFault, moRef } from '@vivarium/vim';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { httpStatus } from '../folder-door/http-status.ts';
import type { Service } from '../service.ts';
import type { Session } from '../session/session.ts';

const PRIVILEGE = 'VirtualMachine.Interact.CreateScreenshot';

export interface ScreenDoor {
  readonly service: Pick<Service, 'authenticate' | 'authorization' | 'graph' | 'random'>;
  /** PNG of the VM's screen. Throws ManagedObjectNotFound, InvalidPowerState. */
  screenshot(vm: string, userName: string): Promise<Uint8Array>;
  readonly log: Logger;
}

export function registerScreenRoute(app: FastifyInstance, { service, screenshot, log }: ScreenDoor): void {
  const picture = (session: Session, id: string): Promise<Uint8Array> => {
    const vm = service.graph.get(moRef('VirtualMachine', id));
    service.authorization.check(session, vm, PRIVILEGE);
    return screenshot(id, session.userName);
  };

  const refuse = (error: unknown, reply: FastifyReply): FastifyReply => {
    if (error instanceof MethodFault)
      return reply.code(httpStatus(error)).type('text/plain').send(`${error.message}\n`);
    log.error({ err: error, incident: token(service.random, 4) }, 'a picture of a screen could not be made');
    return reply.code(500).send();
  };

  app.get<{ Querystring: { id?: string } }>('/screen', async (request, reply) => {
    try {
      const session = await service.authenticate(request);
      if (!session || session.isAnonymous) {
        return reply.code(401).header('www-authenticate', 'Basic realm="VMware HTTP server"').send();
      }
      const png = await picture(session, String(request.query.id ?? ''));
      return reply.type('image/png').header('cache-control', 'no-store').send(Buffer.from(png));
    } catch (error) {
      return refuse(error, reply);
    }
  });
}
