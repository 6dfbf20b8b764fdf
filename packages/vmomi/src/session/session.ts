// One client's login. Lives in memory only: sessions die with the daemon, as on ESXi.

export interface Session {
  /** The secret that the client presents: cookie or header. Never logged, never shown to others. */
  readonly id: string;
  /** The public name: UserSession.key. */
  readonly key: string;
  readonly isAnonymous: boolean;
  readonly userName: string;
  readonly fullName: string;
  /** Groups that the user was a member of at login. */
  readonly groups: readonly string[];
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly loginTimeMs: number;
  /** Both change during the session's life. */
  lastActiveTimeMs: number;
  callCount: number;
  locale: string;
  messageLocale: string;
  /** Aborted when the session ends (logout, termination, time-out): its filters, views and collectors go then. */
  readonly ended: AbortSignal;
  /** Runs `release` when the session ends. */
  onEnd(release: () => void): void;
}
