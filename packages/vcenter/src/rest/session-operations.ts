// com.vmware.cis.session: the door to all others. A session of REST is one of SOAP: the same table, the same limits.
import { MethodFault, type UserSession } from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';
import { type Operation, operation } from './operation.ts';
import { secret, struct, text, time } from './shape.ts';
import { unauthenticated } from './vapi-error.ts';

const service = 'com.vmware.cis.session';
const REST = '/com/vmware/cis/session';
const API = '/session';

const sessionInfo = struct('com.vmware.cis.session.info', { user: text, created_time: time, last_accessed_time: time });

export function sessionOperations(vmomi: Service): Operation[] {
  const manager = vmomi.content.sessionManager;
  if (!manager) throw new Error('the service has no session manager');

  const get = async ({ call }: { call: Call }) => {
    const args = { prop: 'currentSession' };
    const current = (await vmomi.invoke({ this: manager, method: 'Fetch', args }, call)) as UserSession;
    return {
      user: accountOf(current.userName),
      created_time: current.loginTime,
      last_accessed_time: current.lastActiveTime,
    };
  };

  return [
    operation({
      service,
      name: 'create',
      summary: 'Opens a session for the user of the Basic authentication; answers its id.',
      result: secret,
      errors: ['unauthorized', 'service_unavailable'],
      doors: { rest: { method: 'POST', path: REST }, api: { method: 'POST', path: API } },
      creates: true,
      isOpen: true,
      async run(_args, { call, credentials }) {
        if (!credentials) throw unauthenticated();
        let id = '';
        const opening: Call = {
          ...call,
          session: vmomi.sessions.anonymous,
          switchSession(session) {
            id = session?.id ?? '';
            call.switchSession?.(session);
          },
        };
        await vmomi.invoke({ this: manager, method: 'Login', args: { ...credentials } }, opening);
        if (id === '') throw new MethodFault('SystemError', { reason: 'login opened no session' });
        return id;
      },
    }),
    operation({
      service,
      name: 'get',
      summary: 'Tells whose session this is.',
      result: sessionInfo,
      errors: ['service_unavailable'],
      doors: { rest: { method: 'GET', path: REST }, api: { method: 'GET', path: API } },
      run: (_args, caller) => get(caller),
    }),
    operation({
      service,
      name: 'get',
      summary: 'Tells whose session this is; the form that govmomi uses.',
      result: sessionInfo,
      errors: ['service_unavailable'],
      doors: { rest: { method: 'POST', path: REST, action: 'get' } },
      run: (_args, caller) => get(caller),
    }),
    operation({
      service,
      name: 'delete',
      summary: 'Ends the session.',
      errors: ['service_unavailable'],
      doors: { rest: { method: 'DELETE', path: REST }, api: { method: 'DELETE', path: API } },
      async run(_args, { call }) {
        await vmomi.invoke({ this: manager, method: 'Logout', args: {} }, call);
      },
    }),
  ];
}

/** `DOMAIN\name` as vAPI writes it: name@DOMAIN. */
function accountOf(userName: string): string {
  const [, domain, name] = /^([^\\]+)\\(.+)$/.exec(userName) ?? [];
  return name === undefined ? userName : `${name}@${domain}`;
}
