// Samples what a running machine uses, every 20 seconds as ESXi's real-time statistics do.
import type { Clock, Timer } from '@vivarium/base';
import type { VmStats } from './vm-view.ts';
import type { VmmUsage } from './vmm.ts';

const INTERVAL_MS = 20_000;

export class StatsWatch {
  readonly #options: StatsWatchOptions;
  #timer: Timer | undefined;
  #last: { usage: VmmUsage; atMs: number } | undefined;
  #stopped = false;

  constructor(options: StatsWatchOptions) {
    this.#options = options;
    void this.#sample();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #sample(): Promise<void> {
    const { clock, usage, cpuMhz, sampled } = this.#options;
    const now = await usage().catch(() => undefined);
    if (this.#stopped) return;
    if (now) {
      const atMs = clock.monotonic();
      if (this.#last) sampled(statsBetween(this.#last, { usage: now, atMs }, cpuMhz));
      this.#last = { usage: now, atMs };
    }
    this.#timer = clock.setTimer(INTERVAL_MS, () => void this.#sample());
  }
}

export interface StatsWatchOptions {
  readonly clock: Clock;
  readonly usage: () => Promise<VmmUsage | undefined>;
  /** The host's clock: one core's worth of MHz. */
  readonly cpuMhz: number;
  readonly sampled: (stats: VmStats) => void;
}

/** What was used between two samples. Pure. */
export function statsBetween(
  before: { usage: VmmUsage; atMs: number },
  after: { usage: VmmUsage; atMs: number },
  cpuMhz: number,
): VmStats {
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000);
  const cores = Math.max(0, (after.usage.cpuSeconds - before.usage.cpuSeconds) / seconds);
  return {
    cpuUsageMhz: Math.round(cores * cpuMhz),
    hostMemoryMB: Math.round(after.usage.residentBytes / 2 ** 20),
    balloonedMB: Math.round(after.usage.balloonedBytes / 2 ** 20),
  };
}
