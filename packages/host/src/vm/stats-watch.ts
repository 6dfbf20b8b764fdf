// Samples what a running machine uses, every 20 seconds as ESXi's real-time statistics do.
import type { Clock, Timer } from '@vivarium/base';
import type { VmStats } from './vm-view.ts';
import type { VmmUsage } from './vmm.ts';

const INTERVAL_MS = 20_000;

export interface StatsWatchOptions {
  readonly clock: Clock;
  readonly usage: () => Promise<VmmUsage | undefined>;
  /** The host's clock: one core's worth of MHz. */
  readonly cpuMhz: number;
  readonly sampled: (stats: VmStats) => void;
}

export interface UsageSample {
  readonly usage: VmmUsage;
  /** On the monotonic clock. */
  readonly atMs: number;
}

export class StatsWatch {
  readonly #options: StatsWatchOptions;
  #timer: Timer | undefined;
  #last: UsageSample | undefined;
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
      const sample = { usage: now, atMs: clock.monotonic() };
      sampled(statsBetween(this.#last ?? sample, sample, cpuMhz));
      this.#last = sample;
    }
    this.#timer = clock.setTimer(INTERVAL_MS, () => void this.#sample());
  }
}

/** What was used between two samples; of one sample alone (given twice) the memory is known, the load is not. Pure. */
export function statsBetween(before: UsageSample, after: UsageSample, cpuMhz: number): VmStats {
  const seconds = (after.atMs - before.atMs) / 1000;
  const cpuSeconds = Math.max(0, after.usage.cpuSeconds - before.usage.cpuSeconds);
  return {
    cpuUsageMhz: seconds > 0 ? Math.round((cpuSeconds / seconds) * cpuMhz) : 0,
    hostMemoryMB: Math.round(after.usage.residentBytes / 2 ** 20),
    balloonedMB: Math.round(after.usage.balloonedBytes / 2 ** 20),
  };
}
