// What the domain means for the service: its administrators may do everything, and who is gone keeps nothing.
import type { Service } from '@vivarium/vmomi';
import { ADMINISTRATORS, type LostPrincipal, type SsoDomain } from './sso-domain.ts';

/**
 * Grants the group Administrators everything if nobody has it. From then on a user or group that leaves the domain loses
 * its permissions, so that a later one of the same name does not inherit them, and its sessions end; those of a
 * disabled user end too.
 */
export async function joinDomain(service: Service, domain: SsoDomain): Promise<void> {
  const group = domain.findGroup(ADMINISTRATORS);
  if (group) await service.authorization.ensureAdmin(group.groupName, true);
  await forgetTheGone(service, domain);
  domain.onLoss(async (lost) => {
    if (!lost.isGroup) endSessions(service, lost.principal);
    if (lost.why === 'removed') await revokeAll(service, lost);
  });
}

/** Principals whose removal was the last that an earlier run of the daemon did. */
async function forgetTheGone(service: Service, domain: SsoDomain): Promise<void> {
  const isOurs = (principal: string) => domain.domains.some((name) => principal.startsWith(`${name}\\`));
  const isGone = ({ principal, isGroup }: Principal) =>
    isOurs(principal) && !(isGroup ? domain.findGroup(principal) : domain.find(principal));
  for (const grant of service.authorization.allPermissions().filter(isGone)) await revokeAll(service, grant);
}

function endSessions(service: Service, userName: string): void {
  for (const session of service.sessions.list()) {
    if (session.userName === userName) service.sessions.terminate(session);
  }
}

type Principal = Pick<LostPrincipal, 'principal' | 'isGroup'>;

async function revokeAll({ authorization, log }: Service, { principal, isGroup }: Principal): Promise<void> {
  const held = authorization.allPermissions().filter((one) => one.principal === principal && one.isGroup === isGroup);
  for (const { entity } of held) {
    try {
      await authorization.revoke(entity, principal, isGroup);
    } catch (error) {
      // The last administrator of everything, or a store that is full: the next start tries again.
      log.warn({ principal, entity: entity.value, error }, 'a permission of a removed principal is left');
    }
  }
}
