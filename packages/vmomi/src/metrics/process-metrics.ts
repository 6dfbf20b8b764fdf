// What the daemon's own process uses, under the names that Prometheus' client libraries have given these metrics.
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Family } from './exposition.ts';

/** How often the event loop's lag is looked at. Costs 0.06 % of a processor, from the first question on. */
const LAG_RESOLUTION_MS = 100;

export class ProcessMetrics {
  readonly #startSeconds: number;
  #lag: ReturnType<typeof monitorEventLoopDelay> | undefined;

  /** `nowMs`: the wall clock. */
  constructor(nowMs: number) {
    this.#startSeconds = Math.round(nowMs / 1000 - process.uptime());
  }

  *families(): Generator<Family> {
    const { user, system } = process.cpuUsage();
    const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
    yield gauge('process_start_time_seconds', 'Start of the process, in seconds since the epoch.', this.#startSeconds);
    yield counter('process_cpu_seconds_total', 'CPU time of the process.', (user + system) / 1e6);
    yield gauge('process_resident_memory_bytes', 'Resident memory of the process.', rss);
    yield gauge('process_open_fds', 'Open file descriptors.', readdirSync('/proc/self/fd').length);
    yield gauge('nodejs_heap_size_total_bytes', 'Size of the JavaScript heap.', heapTotal);
    yield gauge('nodejs_heap_size_used_bytes', 'Used part of the JavaScript heap.', heapUsed);
    yield gauge('nodejs_external_memory_bytes', 'Memory of buffers outside the heap.', external);
    yield* this.#lagFamilies();
  }

  stop(): void {
    this.#lag?.disable();
    this.#lag = undefined;
  }

  /** Since the last question; nothing the first time. */
  *#lagFamilies(): Generator<Family> {
    const lag = this.#lag;
    if (!lag) {
      this.#lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
      this.#lag.enable();
      return;
    }
    if (lag.count === 0) return;
    // What is recorded are the times between two looks.
    const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - LAG_RESOLUTION_MS) / 1000;
    const help = (what: string) => `Event loop lag since the last scrape: ${what}.`;
    yield gauge('nodejs_eventloop_lag_mean_seconds', help('mean'), seconds(lag.mean));
    yield gauge('nodejs_eventloop_lag_p50_seconds', help('median'), seconds(lag.percentile(50)));
    yield gauge('nodejs_eventloop_lag_p99_seconds', help('99th percentile'), seconds(lag.percentile(99)));
    yield gauge('nodejs_eventloop_lag_max_seconds', help('greatest'), seconds(lag.max));
    lag.reset();
  }
}

function gauge(name: string, help: string, value: number): Family {
  return { name, help, type: 'gauge', samples: [{ value }] };
}

function counter(name: string, help: string, value: number): Family {
  return { name, help, type: 'counter', samples: [{ value }] };
}
