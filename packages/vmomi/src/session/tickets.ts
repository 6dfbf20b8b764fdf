// One-time secrets that stand for something for a short while: for a session, for one request of it, for the screen of a VM.
// In memory only.
import { type Clock, type Random, token } from '@vivarium/base';

const TICKET_BYTES = 24;
/** Alive at once. Beyond it whoever holds most loses the oldest: nobody's tickets are pushed out by somebody else's. */
const MOST_TICKETS = 1000;

interface Ticket<T> {
  readonly subject: T;
  readonly owner: string;
  readonly expiresMs: number;
}

export interface TicketsOptions<T> {
  readonly clock: Clock;
  readonly random: Random;
  readonly lifeMs: number;
  /** On whose account a ticket is. */
  readonly ownerOf: (subject: T) => string;
  /** Default: as long as the ticket. */
  readonly isAlive?: (subject: T) => boolean;
}

export class Tickets<T> {
  readonly #options: TicketsOptions<T>;
  /** In order of issue, which is the order in which they expire. */
  readonly #tickets = new Map<string, Ticket<T>>();

  constructor(options: TicketsOptions<T>) {
    this.#options = options;
  }

  /** The ticket: 48 hexadecimal digits. */
  issue(subject: T): string {
    const { clock, random, lifeMs, ownerOf } = this.#options;
    const owner = ownerOf(subject);
    this.#dropExpired();
    if (this.#tickets.size >= MOST_TICKETS) this.#dropOneFor(owner);
    const id = token(random, TICKET_BYTES);
    this.#tickets.set(id, { subject, owner, expiresMs: clock.monotonic() + lifeMs });
    return id;
  }

  /** What the ticket stands for, once; undefined when it is unknown, used, too old, or does not suit. */
  redeem(id: string, suits: (subject: T) => boolean = () => true): T | undefined {
    this.#dropExpired();
    const ticket = this.#tickets.get(id);
    if (!ticket || this.#options.isAlive?.(ticket.subject) === false || !suits(ticket.subject)) return undefined;
    this.#tickets.delete(id);
    return ticket.subject;
  }

  #dropExpired(): void {
    const now = this.#options.clock.monotonic();
    for (const [id, { expiresMs }] of this.#tickets) {
      if (expiresMs > now) break;
      this.#tickets.delete(id);
    }
  }

  #dropOneFor(newcomer: string): void {
    const held = new Map<string, number>();
    for (const { owner } of this.#tickets.values()) held.set(owner, (held.get(owner) ?? 0) + 1);
    const most = Math.max(...held.values());
    const loses = (owner: string) => held.get(owner) === most && (owner === newcomer || held.get(newcomer) !== most);
    for (const [id, { owner }] of this.#tickets) {
      if (!loses(owner)) continue;
      this.#tickets.delete(id);
      return;
    }
  }
}
