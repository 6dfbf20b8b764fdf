// org.vivarium.sso.user: administration of the domain's users, and everybody's own password.
import { isFault, MethodFault } from '@vivarium/vim';
import type { Service } from '@vivarium/vmomi';
import { type Operation, operation } from '../rest/operation.ts';
import { listOf, secret } from '../rest/shape.ts';
import { requireSsoAdministrator } from './sso-access.ts';
import type { SsoDomain } from './sso-domain.ts';
import type { SsoUserDetails } from './sso-records.ts';
import { userCreateSpec, userId, userInfo, userSummary, userUpdateSpec } from './sso-shapes.ts';

const service = 'org.vivarium.sso.user';
const PATH = '/vivarium/sso/user';
const ONE = `${PATH}/{user}`;

export function ssoUserOperations(vmomi: Service, domain: SsoDomain): Operation[] {
  return [
    operation({
      service,
      name: 'list',
      summary: 'Lists the users of the domain.',
      result: listOf(userSummary),
      errors: ['unauthorized'],
      doors: { api: { method: 'GET', path: PATH } },
      run(_args, { call }) {
        requireSsoAdministrator(domain, call);
        return domain.listUsers().map(({ userName, fullName }) => ({
          user: domain.findUser(userName)?.name ?? userName,
          principal: userName,
          full_name: fullName,
        }));
      },
    }),
    operation({
      service,
      name: 'get',
      summary: 'Tells about a user of the domain.',
      params: { user: userId },
      result: userInfo,
      errors: ['not_found', 'unauthorized'],
      doors: { api: { method: 'GET', path: ONE } },
      run({ user }, { call }) {
        requireSsoAdministrator(domain, call);
        const about = domain.user(user);
        const principal = domain.find(user);
        return {
          principal: principal?.userName ?? about.name,
          first_name: about.firstName,
          last_name: about.lastName,
          email: about.email,
          description: about.description,
          disabled: about.isDisabled,
          password_changed: new Date(about.passwordChangedMs).toISOString(),
          groups: principal?.groups ?? [],
        };
      },
    }),
    operation({
      service,
      name: 'create',
      summary: 'Creates a user, a member of Users.',
      params: { spec: userCreateSpec },
      result: userId,
      errors: ['already_exists', 'invalid_argument', 'unauthorized'],
      doors: { api: { method: 'POST', path: PATH, body: 'spec' } },
      creates: true,
      async run({ spec: { name, password, ...about } }, { call }) {
        requireSsoAdministrator(domain, call);
        await domain.addUser(name, password, detailsOf(about));
        const made = domain.user(name).name;
        vmomi.log.info({ user: made, by: call.session.userName }, 'a user of the domain was created');
        return made;
      },
    }),
    operation({
      service,
      name: 'update',
      summary: 'Changes what is noted of a user, or whether the user may log in.',
      params: { user: userId, spec: userUpdateSpec },
      errors: ['invalid_argument', 'not_found', 'unauthorized'],
      doors: { api: { method: 'PATCH', path: ONE, body: 'spec' } },
      async run({ user, spec: { disabled, ...about } }, { call }) {
        requireSsoAdministrator(domain, call);
        await domain.updateUser(user, detailsOf(about), disabled);
      },
    }),
    operation({
      service,
      name: 'delete',
      summary: 'Deletes a user, with its sessions and permissions.',
      params: { user: userId },
      errors: ['invalid_argument', 'not_found', 'unauthorized'],
      doors: { api: { method: 'DELETE', path: ONE } },
      async run({ user }, { call }) {
        requireSsoAdministrator(domain, call);
        await domain.removeUser(user);
        vmomi.log.info({ user, by: call.session.userName }, 'a user of the domain was deleted');
      },
    }),
    operation({
      service,
      name: 'set_password',
      summary: 'Gives a user another password.',
      params: { user: userId, password: secret },
      errors: ['invalid_argument', 'not_found', 'unauthorized'],
      doors: { api: { method: 'POST', path: ONE, action: 'set-password' } },
      async run({ user, password }, { call }) {
        requireSsoAdministrator(domain, call);
        await domain.setPassword(user, password);
        vmomi.log.info({ user, by: call.session.userName }, 'a user was given another password');
      },
    }),
    operation({
      service,
      name: 'change_own_password',
      summary: "Changes the caller's own password.",
      params: { old_password: secret, new_password: secret },
      errors: ['invalid_argument', 'not_found'],
      doors: { api: { method: 'POST', path: PATH, action: 'change-own-password' } },
      async run({ old_password, new_password }, { call }) {
        const { userName } = call.session;
        const origin = { ipAddress: call.remoteAddress, userAgent: call.userAgent ?? '', locale: 'en' };
        // Through the sessions: guesses count towards the lock-out.
        await vmomi.sessions.verify(userName, old_password, origin, call.signal).catch((error: unknown) => {
          throw isFault(error, 'InvalidLogin')
            ? new MethodFault('InvalidArgument', { invalidProperty: 'old_password' })
            : error;
        });
        await domain.setPassword(userName, new_password);
      },
    }),
  ];
}

interface Written {
  readonly first_name?: string | undefined;
  readonly last_name?: string | undefined;
  readonly email?: string | undefined;
  readonly description?: string | undefined;
}

function detailsOf({ first_name, last_name, email, description }: Written): SsoUserDetails {
  const all = { firstName: first_name, lastName: last_name, email, description };
  return Object.fromEntries(Object.entries(all).filter(([, text]) => text !== undefined));
}
