// What is seen of a running machine from outside, and what its guest says: load, memory, agent. Lives as long as the
// machine is held, and then leaves no timer behind. Load and memory are measured by whoever samples the host (statistics/).
import type { Clock } from '@vivarium/base';
import type { GuestFacts } from './guest-facts.ts';
import { GuestWatch } from './guest-watch.ts';
import type { ToolsState, VmStats } from './vm-view.ts';
import type { Vmm } from './vmm.ts';

export interface ObservedGuestOptions {
  readonly clock: Clock;
  readonly vmm: Vmm;
  /** What was known of the agent before. */
  readonly tools: ToolsState;
  readonly changed: (what: 'guest' | 'stats') => void;
}

export class ObservedGuest {
  readonly #options: ObservedGuestOptions;
  #guestWatch: GuestWatch | undefined;
  #tools: ToolsState;
  #facts: GuestFacts | undefined;
  #stats: VmStats | undefined;
  #heartbeats = 0;

  constructor(options: ObservedGuestOptions) {
    const { vmm } = options;
    this.#options = options;
    this.#tools = options.tools;
    if (vmm.hasAgent) this.agentChanged(true);
  }

  get tools(): ToolsState {
    return this.#tools;
  }

  get facts(): GuestFacts | undefined {
    return this.#facts;
  }

  get stats(): VmStats | undefined {
    return this.#stats;
  }

  /** Answers of the guest's agent so far: its signs of life. */
  get heartbeats(): number {
    return this.#heartbeats;
  }

  /** The machine was measured. */
  noteStats(stats: VmStats): void {
    this.#stats = stats;
    this.#options.changed('stats');
  }

  /** The agent came, or went. */
  agentChanged(isConnected: boolean): void {
    this.#guestWatch?.stop();
    this.#guestWatch = isConnected ? this.#watch() : undefined;
    if (!isConnected) this.#silent();
  }

  /** Something changed in the guest: its agent is asked soon. */
  hurry(): void {
    this.#guestWatch?.hurry();
  }

  stop(): void {
    this.#guestWatch?.stop();
    if (this.#tools === 'running') this.#tools = 'notRunning';
  }

  #watch(): GuestWatch {
    const { clock, vmm, changed } = this.#options;
    return new GuestWatch({
      clock,
      agent: vmm.agent,
      heard: (facts) => {
        this.#heartbeats += 1;
        this.#tools = 'running';
        this.#facts = facts;
        changed('guest');
      },
      silent: () => this.#silent(),
    });
  }

  #silent(): void {
    if (this.#tools !== 'running') return;
    this.#tools = 'notRunning';
    this.#facts = undefined;
    this.#options.changed('guest');
  }
}
