// One-time console tickets: who holds one may open one VM's screen, once, within its life. Kept in memory only.
import { type Clock, type Random, token } from '@vivarium/base';

const LIFE_MS = 120_000;
const LIMIT = 1_000;

export interface ConsoleTicket {
  readonly ticket: string;
  /** The VM whose screen it opens (moref value). */
  readonly vm: string;
}

export class TicketRegistry {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tickets = new Map<string, { vm: string; expires: number }>();

  constructor(options: { clock: Clock; random: Random }) {
    this.#clock = options.clock;
    this.#random = options.random;
  }

  issue(vm: string): ConsoleTicket {
    this.#sweep();
    const ticket = token(this.#random, 24);
    this.#tickets.set(ticket, { vm, expires: this.#clock.monotonic() + LIFE_MS });
    return { ticket, vm };
  }

  /** Uses the ticket up; `undefined` when it is unknown, used or too old. */
  redeem(ticket: string): ConsoleTicket | undefined {
    const entry = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    return entry && entry.expires > this.#clock.monotonic() ? { ticket, vm: entry.vm } : undefined;
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [ticket, entry] of this.#tickets) {
      if (entry.expires > now && this.#tickets.size < LIMIT) break; // insertion order is expiry order
      this.#tickets.delete(ticket);
    }
  }
}
