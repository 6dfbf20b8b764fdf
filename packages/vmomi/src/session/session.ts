// One client's login. Lives in memory only: sessions die with the daemon, as on ESXi.

export interface Session {
  /** The secret that the client presents: cookie or header. Never logged, never shown to others. */
  readonly id: string;
  /** The public name: UserSession.key. */
  readonly key: string;
  /** Of calls without a login. */
  readonly isAnonymous: boolean;
  readonly userName: string;
  readonly fullName: string;
  /** Groups that the user was a member of at login. */
  readonly groups: readonly string[];
  /** Logged in as an extension (LoginExtensionByCertificate). */
  readonly isExtension: boolean;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly loginTimeMs: number;
  /** These change during the session's life. */
  lastActiveTimeMs: number;
  callCount: number;
  locale: string;
  /** Aborted when the session ends (logout, termination, time-out): its filters, views and collectors go then. */
  readonly ended: AbortSignal;
  /** Runs `release` when the session ends, or at once when it has ended. The returned function takes it back. */
  onEnd(release: () => void): () => void;
}

export interface SessionIdentity {
  readonly userName: string;
  readonly fullName: string;
  readonly groups: readonly string[];
}

export interface SessionOrigin {
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly locale: string;
  readonly isExtension?: boolean;
}

export interface OpenSession {
  readonly session: Session;
  /** Ends the session; idempotent. */
  end(): void;
}

/** A new session. `id` and `key` must be unpredictable; `nowMs` is the login time. */
export function openSession(
  names: { readonly id: string; readonly key: string },
  { userName, fullName, groups }: SessionIdentity,
  { ipAddress, userAgent, locale, isExtension = false }: SessionOrigin,
  nowMs: number,
): OpenSession {
  const controller = new AbortController();
  const { signal } = controller;
  const session: Session = {
    id: names.id,
    key: names.key,
    isAnonymous: userName === '',
    userName,
    fullName,
    groups,
    isExtension,
    ipAddress,
    userAgent,
    locale,
    loginTimeMs: nowMs,
    lastActiveTimeMs: nowMs,
    callCount: 0,
    ended: signal,
    onEnd(release) {
      if (signal.aborted) release();
      else signal.addEventListener('abort', release, { once: true });
      return () => signal.removeEventListener('abort', release);
    },
  };
  return { session, end: () => controller.abort(new Error('the session has ended')) };
}

/** What calls without a login carry. */
export function anonymousSession(): Session {
  const identity = { userName: '', fullName: '', groups: [] };
  return openSession({ id: '', key: '' }, identity, { ipAddress: '', userAgent: '', locale: 'en' }, 0).session;
}
