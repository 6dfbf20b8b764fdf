// Who is logged in. Sessions are made here, found here and end here; they are in memory only, as on ESXi.
import type { X509Certificate } from 'node:crypto';
import { type Clock, delay, type Logger, type Random, type Timer, token, uuid } from '@vivarium/base';
import { MethodFault } from '@vivarium/vim';
import type { Principal, UserDirectory } from '../account/user-directory.ts';
import { CERTIFICATE, type CertificateLogin, certificateSubject } from './certificate-login.ts';
import { LockOut } from './lock-out.ts';
import { anonymousSession, type OpenSession, openSession, type Session, type SessionOrigin } from './session.ts';
import { Tickets } from './tickets.ts';

export interface SessionPolicy {
  /** Seconds without a call after which a session ends; 0 = never. */
  readonly idleTimeoutSeconds: number;
  readonly mostSessions: number;
  readonly lockFailures: number;
  readonly unlockAfterSeconds: number;
}

/** What the registry tells the daemon (which posts events of it). */
export interface SessionListener {
  loggedIn(session: Session): void;
  loggedOut(session: Session, why: 'logout' | 'terminated' | 'timeout'): void;
  loginFailed(userName: string, origin: SessionOrigin, locked: boolean): void;
}

export interface ServicePurpose {
  readonly method: string;
  readonly url: string;
}

interface ForSession {
  readonly session: Session;
}

const SESSION_ID_BYTES = 24;
const SWEEP_MS = 30_000;
const FAILURE_DELAY_MS = 1000;
/** Characters. */
const MOST_NAME_KEPT = 256;
const CLONE_TICKET_MS = 30_000;
const SERVICE_TICKET_MS = 120_000;
const OF_SESSIONS = {
  ownerOf: ({ session }: ForSession) => session.userName,
  isAlive: ({ session }: ForSession) => !session.ended.aborted,
};

export class SessionRegistry {
  readonly anonymous = anonymousSession();
  readonly cloneTickets: Tickets<ForSession>;
  readonly serviceTickets: Tickets<ForSession & ServicePurpose>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #users: UserDirectory;
  readonly #certificateLogin: CertificateLogin | undefined;
  readonly #policy: () => SessionPolicy;
  readonly #listener: SessionListener;
  readonly #lockOut: LockOut;
  readonly #open = new Map<string, OpenSession>();
  readonly #busy = new Map<Session, number>();
  /** When a session was active last, by the clock that does not jump. */
  readonly #activeAt = new WeakMap<Session, number>();
  #sweep: Timer;

  constructor(options: {
    clock: Clock;
    random: Random;
    log: Logger;
    users: UserDirectory;
    certificateLogin?: CertificateLogin | undefined;
    policy: () => SessionPolicy;
    listener: SessionListener;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log;
    this.#users = options.users;
    this.#certificateLogin = options.certificateLogin;
    this.#policy = options.policy;
    this.#listener = options.listener;
    this.#lockOut = new LockOut(options.clock, () => {
      const { lockFailures: failures, unlockAfterSeconds } = options.policy();
      return options.users.lockOutPolicy?.() ?? { failures, unlockAfterSeconds };
    });
    const { clock, random } = options;
    this.cloneTickets = new Tickets({ clock, random, ...OF_SESSIONS, lifeMs: CLONE_TICKET_MS });
    this.serviceTickets = new Tickets<ForSession & ServicePurpose>({
      clock,
      random,
      ...OF_SESSIONS,
      lifeMs: SERVICE_TICKET_MS,
    });
    this.#sweep = this.#scheduleSweep();
  }

  /** Checks the password and opens a session. Fault: InvalidLogin, always after the same delay, whatever was wrong. */
  async login(userName: string, password: string, origin: SessionOrigin, signal?: AbortSignal): Promise<Session> {
    return this.open(await this.verify(userName, password, origin, signal), origin);
  }

  /** Checks a password with the lock-out applied. Fault: InvalidLogin. */
  verify(userName: string, password: string, origin: SessionOrigin, signal?: AbortSignal): Promise<Principal> {
    const account = this.#users.accountName?.(userName) ?? userName;
    return this.#admit(
      { userName: kept(userName), account: kept(account) },
      () => this.#users.verify(userName, password),
      origin,
      signal,
    );
  }

  /** `chain` is what the client has shown, not empty. Faults: InvalidLogin, as for passwords; NotSupported. */
  verifyCertificate(
    extensionKey: string,
    chain: readonly [X509Certificate, ...X509Certificate[]],
    origin: SessionOrigin,
    signal?: AbortSignal,
  ): Promise<Principal> {
    const login = this.#certificateLogin;
    if (!login) throw new MethodFault('NotSupported');
    const subject = certificateSubject(chain[0]);
    const who = { userName: subject, account: subject };
    return this.#admit(who, () => Promise.resolve(login(extensionKey, chain)), origin, signal);
  }

  /** Whom one trusts has changed: certificates that were refused may be tried again. */
  forgiveCertificates(): void {
    this.#lockOut.forgive(CERTIFICATE);
  }

  /** `account`: what failures are counted by. */
  async #admit(
    { userName, account }: { readonly userName: string; readonly account: string },
    verify: () => Promise<Principal | undefined>,
    origin: SessionOrigin,
    signal?: AbortSignal,
  ): Promise<Principal> {
    const wasLocked = this.#lockOut.isLocked(account);
    const principal = wasLocked ? undefined : await verify();
    // Asked again: attempts that ran meanwhile may have locked the account, and a lock holds for right passwords too.
    if (principal && !this.#lockOut.isLocked(account)) {
      this.#lockOut.noteSuccess(account);
      return principal;
    }
    const locked = !wasLocked && this.#lockOut.noteFailure(account);
    this.#log.warn({ userName, ipAddress: origin.ipAddress, locked: wasLocked || locked }, 'login failed');
    this.#listener.loginFailed(userName, origin, locked);
    await delay(this.#clock, FAILURE_DELAY_MS, signal);
    throw new MethodFault('InvalidLogin');
  }

  /** A session for somebody whose identity is established already. Fault: LimitExceeded. */
  open(principal: Principal, origin: SessionOrigin): Session {
    const { mostSessions } = this.#policy();
    if (this.#open.size >= mostSessions) {
      this.#endIdle();
      if (this.#open.size >= mostSessions) throw new MethodFault('LimitExceeded', { limit: mostSessions });
    }
    const names = { id: token(this.#random, SESSION_ID_BYTES), key: uuid(this.#random) };
    const opened = openSession(names, principal, origin, this.#clock.now());
    this.#open.set(names.id, opened);
    this.#noteActive(opened.session);
    this.#listener.loggedIn(opened.session);
    return opened.session;
  }

  /** A session for one request alone (HTTP Basic): not listed, not found again, without events. */
  passing(principal: Principal, origin: SessionOrigin): Session {
    return openSession({ id: '', key: uuid(this.#random) }, principal, origin, this.#clock.now()).session;
  }

  /** The live session with this secret. Does not count as activity. */
  find(id: string): Session | undefined {
    const session = this.#open.get(id)?.session;
    if (session && this.#isIdle(session)) {
      this.#end(session, 'timeout');
      return undefined;
    }
    return session;
  }

  /** As `find`, for a request that is not a call of the API: the session is in use by it. */
  use(id: string): Session | undefined {
    const session = this.find(id);
    if (session) this.#noteActive(session);
    return session;
  }

  list(): Session[] {
    this.#endIdle();
    return Array.from(this.#open.values(), ({ session }) => session);
  }

  /** Runs one call of a session: it is not idle while the call lasts. */
  async during<T>(session: Session, call: () => Promise<T>): Promise<T> {
    if (session.isAnonymous) return call();
    this.#busy.set(session, (this.#busy.get(session) ?? 0) + 1);
    session.callCount += 1;
    this.#noteActive(session);
    try {
      return await call();
    } finally {
      this.#noteActive(session);
      const others = (this.#busy.get(session) ?? 1) - 1;
      if (others > 0) this.#busy.set(session, others);
      else this.#busy.delete(session);
    }
  }

  logout(session: Session): void {
    this.#end(session, 'logout');
  }

  terminate(session: Session): void {
    this.#end(session, 'terminated');
  }

  /** Ends all sessions: the daemon stops. */
  close(): void {
    this.#sweep.cancel();
    for (const { end } of this.#open.values()) end();
    this.#open.clear();
  }

  #end(session: Session, why: 'logout' | 'terminated' | 'timeout'): void {
    const opened = this.#open.get(session.id);
    if (!opened) return;
    this.#open.delete(session.id);
    opened.end();
    this.#listener.loggedOut(session, why);
  }

  #isIdle(session: Session): boolean {
    const { idleTimeoutSeconds } = this.#policy();
    if (idleTimeoutSeconds <= 0 || this.#busy.has(session)) return false;
    const activeAt = this.#activeAt.get(session) ?? Number.NEGATIVE_INFINITY;
    return this.#clock.monotonic() - activeAt >= idleTimeoutSeconds * 1000;
  }

  #noteActive(session: Session): void {
    session.lastActiveTimeMs = this.#clock.now();
    this.#activeAt.set(session, this.#clock.monotonic());
  }

  #endIdle(): void {
    for (const { session } of [...this.#open.values()]) if (this.#isIdle(session)) this.#end(session, 'timeout');
  }

  #scheduleSweep(): Timer {
    return this.#clock.setTimer(SWEEP_MS, () => {
      this.#endIdle();
      this.#sweep = this.#scheduleSweep();
    });
  }
}

/** What is remembered of a name that anybody may have sent: not too much, and not the request that it came in. */
function kept(name: string): string {
  return Buffer.from(name.slice(0, MOST_NAME_KEPT)).toString();
}
