// Who may administer the domain: the members of its group Administrators, whatever they may do in the inventory.
import type { Call } from '@vivarium/vmomi';
import { message, VapiError } from '../rest/vapi-error.ts';
import { ADMINISTRATORS, type SsoDomain } from './sso-domain.ts';

/** Asked of the domain, not of the session: who has left the group may no more. Error: unauthorized. */
export function requireSsoAdministrator(domain: SsoDomain, { session }: Pick<Call, 'session'>): void {
  const administrators = domain.findGroup(ADMINISTRATORS)?.groupName;
  // An extension is no user of the domain, even if it is named as one.
  const groups = (session.isExtension ? undefined : domain.find(session.userName))?.groups ?? [];
  if (administrators !== undefined && groups.includes(administrators)) return;
  const text = `Only members of the group ${ADMINISTRATORS} of ${domain.name} may do this.`;
  throw new VapiError('unauthorized', message('org.vivarium.sso.not_an_administrator', text));
}
