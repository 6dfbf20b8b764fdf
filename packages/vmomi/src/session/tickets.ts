// One-time secrets that stand for a session for a short while: clone tickets and service tickets.
import { type Clock, type Random, token } from '@vivarium/base';
import type { Session } from './session.ts';

const TICKET_BYTES = 32;
/** Tickets alive at once; beyond it the oldest go. */
const MOST_TICKETS = 1000;

interface Ticket<T> {
  readonly session: Session;
  readonly purpose: T;
  readonly expiresMs: number;
}

export class Tickets<T> {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lifeMs: number;
  readonly #tickets = new Map<string, Ticket<T>>();

  constructor(clock: Clock, random: Random, lifeMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#lifeMs = lifeMs;
  }

  issue(session: Session, purpose: T): string {
    this.#dropExpired();
    const id = token(this.#random, TICKET_BYTES);
    this.#tickets.set(id, { session, purpose, expiresMs: this.#clock.monotonic() + this.#lifeMs });
    return id;
  }

  /** Spends the ticket when it is valid, its session lives and its purpose suits. */
  redeem(id: string, suits: (purpose: T) => boolean = () => true): Session | undefined {
    this.#dropExpired();
    const ticket = this.#tickets.get(id);
    if (!ticket || ticket.session.ended.aborted || !suits(ticket.purpose)) return undefined;
    this.#tickets.delete(id);
    return ticket.session;
  }

  #dropExpired(): void {
    const now = this.#clock.monotonic();
    for (const [id, { expiresMs }] of this.#tickets) {
      if (expiresMs <= now || this.#tickets.size >= MOST_TICKETS) this.#tickets.delete(id);
      else break; // in order of issue, so the rest is younger
    }
  }
}
