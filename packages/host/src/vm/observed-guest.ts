// What is seen of a running machine from outside, and what its guest says: load, memory, agent. Lives as long as the
// machine is held, and then leaves no timer behind.
import type { Clock } from '@vivarium/base';
import type { GuestFacts } from './guest-facts.ts';
import { GuestWatch } from './guest-watch.ts';
import { StatsWatch } from './stats-watch.ts';
import type { ToolsState, VmStats } from './vm-view.ts';
import type { Vmm } from './vmm.ts';

export interface ObservedGuestOptions {
  readonly clock: Clock;
  /** The host's clock: one core's worth of MHz. */
  readonly cpuMhz: number;
  readonly vmm: Vmm;
  /** What was known of the agent before. */
  readonly tools: ToolsState;
  readonly changed: (what: 'guest' | 'stats') => void;
}

export class ObservedGuest {
  readonly #options: ObservedGuestOptions;
  readonly #statsWatch: StatsWatch;
  #guestWatch: GuestWatch | undefined;
  #tools: ToolsState;
  #facts: GuestFacts | undefined;
  #stats: VmStats | undefined;

  constructor(options: ObservedGuestOptions) {
    const { clock, cpuMhz, vmm } = options;
    this.#options = options;
    this.#tools = options.tools;
    this.#statsWatch = new StatsWatch({
      clock,
      cpuMhz,
      usage: () => vmm.usage(),
      sampled: (stats) => {
        this.#stats = stats;
        options.changed('stats');
      },
    });
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
    this.#statsWatch.stop();
    this.#guestWatch?.stop();
    if (this.#tools === 'running') this.#tools = 'notRunning';
  }

  #watch(): GuestWatch {
    const { clock, vmm, changed } = this.#options;
    return new GuestWatch({
      clock,
      agent: vmm.agent,
      heard: (facts) => {
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
