// Keeps what a guest says of itself fresh, while its agent is there. QEMU announces the agent's coming and going, but not
// what changes inside the guest, so this asks: often until the guest has an address, then now and then.
import type { Clock, Timer } from '@vivarium/base';
import { type GuestFacts, isReachable } from './guest-facts.ts';
import type { GuestAgentDoor } from './vmm.ts';

const EAGER_MS = 1_500;
const CALM_MS = 30_000;
/** After this many eager questions without an address the guest is taken to have none. */
const EAGER_LIMIT = 120;

export class GuestWatch {
  readonly #clock: Clock;
  readonly #agent: GuestAgentDoor;
  readonly #heard: (facts: GuestFacts) => void;
  readonly #silent: () => void;
  #timer: Timer | undefined;
  #asked = 0;
  #isHurried = false;
  #stopped = false;

  /** `heard` with every answer, `silent` when the agent does not answer. */
  constructor(options: {
    clock: Clock;
    agent: GuestAgentDoor;
    heard: (facts: GuestFacts) => void;
    silent: () => void;
  }) {
    this.#clock = options.clock;
    this.#agent = options.agent;
    this.#heard = options.heard;
    this.#silent = options.silent;
    void this.#ask();
  }

  /** Asks soon: something changed in the guest. */
  hurry(): void {
    this.#asked = 0;
    this.#isHurried = true; // an answer that is under way may be older than the change
    if (this.#timer) this.#schedule(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #ask(): Promise<void> {
    this.#timer = undefined;
    this.#isHurried = false;
    this.#asked += 1;
    let hasAddress = false;
    try {
      const facts = await this.#agent.facts();
      if (this.#stopped) return;
      this.#heard(facts);
      hasAddress = facts.interfaces.some((entry) => entry.addresses.some(({ address }) => isReachable(address)));
    } catch {
      if (this.#stopped) return;
      this.#silent();
    }
    if (this.#stopped) return;
    const isCalm = (hasAddress || this.#asked > EAGER_LIMIT) && !this.#isHurried;
    this.#schedule(isCalm ? CALM_MS : EAGER_MS);
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(delayMs, () => void this.#ask());
  }
}
