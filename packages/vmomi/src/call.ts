import type { X509Certificate } from 'node:crypto';
import type { ApiVersion } from '@vivarium/vim';
import type { Service } from './service.ts';
import type { Session } from './session/session.ts';

/** What a handler knows of the request that it serves. */
export interface Call {
  /** Never absent: calls without a login carry the anonymous session (`isAnonymous`). */
  readonly session: Session;
  /** What the client named as its version. */
  readonly version: ApiVersion;
  /** Aborted when the client goes away or the daemon stops. */
  readonly signal: AbortSignal;
  /**
   * Runs `run` when the client goes away before it has its answer, at once when it has gone; the returned function takes it back, and must
   * be called. For who waits often: a signal for each wait would be felt. Absent: it cannot go away.
   */
  readonly onGone?: (run: () => void) => () => void;
  readonly service: Service;
  readonly remoteAddress: string;
  /** The address of ours that the client reached: what URLs in answers may name. */
  readonly localAddress?: string;
  readonly userAgent?: string;
  /** What the client has shown in the TLS handshake, its own first; not checked. Absent: none can be shown on this way. */
  readonly clientCertificates?: () => readonly X509Certificate[];
  /** Login, Logout and their kin: which session the client has from now on. The transport tells the client. */
  readonly switchSession?: (session: Session | undefined) => void;
}
