// Sessions of one user see the same. Where something is kept for all of them at once (the objects of a filter, the list of a
// view), a stand-in looks: a session with their rights that nobody logs in to and nothing belongs to.
import { type OpenSession, openSession, type Session } from './session.ts';

export interface StandIn {
  readonly session: Session;
  /** To be called once. */
  release(): void;
}

export class StandIns {
  readonly #byUser = new Map<string, { readonly opened: OpenSession; uses: number }>();

  /** The one for this session's user. */
  acquire(session: Session): StandIn {
    const key = userKey(session);
    let known = this.#byUser.get(key);
    if (!known) {
      const origin = { ipAddress: '', userAgent: '', locale: 'en' };
      known = { opened: openSession({ id: '', key: '' }, session, origin, session.loginTimeMs), uses: 0 };
      this.#byUser.set(key, known);
    }
    const { opened } = known;
    const entry = known;
    entry.uses += 1;
    return {
      session: opened.session,
      release: () => {
        entry.uses -= 1;
        if (entry.uses > 0) return;
        this.#byUser.delete(key);
        opened.end();
      },
    };
  }
}

/** Equal for sessions that have the same rights everywhere: same user, same groups. */
export function userKey({ userName, groups }: Session): string {
  return JSON.stringify([userName, ...[...groups].sort()]);
}
