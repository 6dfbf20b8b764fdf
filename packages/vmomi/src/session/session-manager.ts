// The managed object SessionManager.
import { MethodFault, type MoRef, make, type UserSession } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { Service } from '../service.ts';
import type { Session, SessionOrigin } from './session.ts';
import type { ServicePurpose } from './session-registry.ts';

const MESSAGE = 'session/message';
const DEFAULT_LOCALE = 'en';
const LOCALE = /^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}$/;

export function addSessionManager(service: Service, ref: MoRef<'SessionManager'>): void {
  const { graph, sessions } = service;
  const active = (matches: (session: Session) => boolean) => sessions.list().find(matches);

  const manager = graph.add<'SessionManager'>(
    ref,
    { message: '', messageLocaleList: ['en'], supportedLocaleList: ['en'], defaultLocale: DEFAULT_LOCALE },
    {
      async Login({ userName, password, locale }, call) {
        requireNoLogin(call);
        const origin = originOf(call, locale);
        const principal = await sessions.verify(userName, password, origin, call.signal);
        requireSomePermission(service, principal, origin);
        return enter(call, sessions.open(principal, origin));
      },

      async LoginExtensionByCertificate({ extensionKey, locale }, call) {
        requireNoLogin(call);
        const [own, ...others] = call.clientCertificates?.() ?? [];
        if (!own) throw new MethodFault('NoClientCertificate');
        const origin = { ...originOf(call, locale), isExtension: true };
        const principal = await sessions.verifyCertificate(extensionKey, [own, ...others], origin, call.signal);
        requireSomePermission(service, principal, origin);
        return enter(call, sessions.open(principal, origin));
      },

      Logout(_args, call) {
        sessions.logout(call.session);
        call.switchSession?.(undefined);
      },

      SessionIsActive: ({ sessionID, userName }) =>
        active((session) => session.key === sessionID && session.userName === userName) !== undefined,

      TerminateSession({ sessionId }, call) {
        if (sessionId.includes(call.session.key))
          throw new MethodFault('InvalidArgument', { invalidProperty: 'sessionId' });
        const found = sessionId.map((key) => active((session) => session.key === key));
        const ended = found.filter((session) => session !== undefined);
        if (ended.length < found.length) throw new MethodFault('NotFound');
        for (const session of ended) {
          sessions.terminate(session);
          const { key, userName } = session;
          service.events.post(
            { _typeName: 'SessionTerminatedEvent', sessionId: key, terminatedUsername: userName },
            call,
          );
        }
      },

      AcquireCloneTicket: (_args, { session }) => sessions.cloneTickets.issue({ session }),

      async CloneSession({ cloneTicket }, call) {
        const original = sessions.cloneTickets.redeem(cloneTicket)?.session;
        if (!original) throw new MethodFault('InvalidLogin');
        return enter(call, sessions.open(original, originOf(call, original.locale)));
      },

      async AcquireGenericServiceTicket({ spec }, call) {
        if (call.session.isAnonymous)
          throw new MethodFault('NotAuthenticated', { object: ref, privilegeId: 'System.View' });
        const purpose = servicePurpose(spec);
        const others = await service.ticketsOfOthers?.(purpose, call);
        if (others) return others;
        return make('SessionManagerGenericServiceTicket', {
          id: sessions.serviceTickets.issue({ session: call.session, ...purpose }),
          ticketType: 'HttpServiceTicket',
        });
      },

      SetLocale({ locale }, { session }) {
        session.locale = checkedLocale(locale);
      },

      async UpdateServiceMessage({ message }, call) {
        const prevMessage = manager.get('message') ?? '';
        await service.store.batch([{ put: MESSAGE, value: message }]);
        manager.set('message', message);
        service.events.post({ _typeName: 'GlobalMessageChangedEvent', message, prevMessage }, call);
      },
    },
    {
      computed: {
        sessionList: () => sessions.list().map((session) => userSession(session)),
        currentSession: ({ session }) => (session.isAnonymous ? undefined : userSession(session)),
      },
    },
  );
  const kept = service.store.get<string>(MESSAGE)?.value;
  manager.set('message', kept ?? String(service.settings.get('Annotations.WelcomeMessage')));

  function enter(call: Call, session: Session): UserSession {
    call.switchSession?.(session);
    return userSession(session);
  }

  function userSession(session: Session): UserSession {
    return make('UserSession', {
      key: session.key,
      userName: session.userName,
      fullName: session.fullName,
      loginTime: new Date(session.loginTimeMs).toISOString(),
      lastActiveTime: new Date(session.lastActiveTimeMs).toISOString(),
      locale: session.locale,
      messageLocale: DEFAULT_LOCALE,
      extensionSession: session.isExtension,
      ipAddress: session.ipAddress,
      userAgent: session.userAgent,
      callCount: session.callCount,
    });
  }
}

/** vSphere refuses a second login on a session. */
function requireNoLogin({ session }: Call): void {
  if (!session.isAnonymous) throw new MethodFault('InvalidLogin', {}, 'This session is logged in already.');
}

/** Whoever may see nothing at all is not let in. Faults: NoPermission. */
function requireSomePermission(
  service: Service,
  principal: { userName: string; fullName: string; groups: readonly string[] },
  { ipAddress }: SessionOrigin,
): void {
  if (service.authorization.privilegesOf(principal, service.rootFolder).has('System.View')) return;
  service.events.post({ _typeName: 'NoAccessUserEvent', ipAddress, userName: principal.userName });
  service.log.warn({ userName: principal.userName, ipAddress }, 'a user without any permission was refused');
  throw new MethodFault('NoPermission', { object: service.rootFolder, privilegeId: 'System.View' });
}

function originOf(call: Call, locale = DEFAULT_LOCALE): SessionOrigin {
  return { ipAddress: call.remoteAddress, userAgent: call.userAgent ?? '', locale: checkedLocale(locale) };
}

function checkedLocale(locale: string): string {
  if (locale === '') return DEFAULT_LOCALE;
  if (!LOCALE.test(locale)) throw new MethodFault('InvalidLocale');
  return locale;
}

/** Fault: NotSupported for anything but an HTTP request. */
function servicePurpose(spec: { _typeName?: string }): ServicePurpose {
  if (spec._typeName !== 'SessionManagerHttpServiceRequestSpec') throw new MethodFault('NotSupported');
  const { method, url } = spec as { method?: string; url: string };
  if (!URL.canParse(url, 'https://host')) throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.url' });
  // Clients write verbs as httpGet, httpPut (enum HttpServiceRequestSpec.Method) or as GET, PUT.
  return { method: (method ?? 'GET').replace(/^http/i, '').toUpperCase(), url };
}
