// vCenter's statistics. Real-time samples stay on the hosts and are asked of them when somebody wants to see them, as vCenter
// does: 45,000 VMs cost no memory here. Five-minute figures are collected of every host, one request a host and period, shortly
// after each period is over; what their hosts and VMs add up to for clusters, pools and datastores is worked out with them; all
// goes into the archive, which rolls up. A host that was away hands in later what it kept (a day and a half).
import type { Clock, Logger, Timer } from '@vivarium/base';
import { isFault, type MoRef, moRefKey, type PerfInterval } from '@vivarium/vim';
import {
  type Archive,
  counterKey,
  type MetricId,
  metricFilter,
  NO_SAMPLES,
  Pacer,
  REAL_TIME_PERIOD_S,
  type Samples,
  type StatisticsProvider,
  type StatisticsQuery,
  type StatisticsSettings,
  type StatisticsSupport,
  type TimeRange,
} from '@vivarium/vmomi';
import { HostUnreachable } from '../host-link/host-link.ts';
import { collectHost, type HostFigures, metricsToAsk } from './collect-host.ts';
import { Collection } from './collection.ts';
import type { HostSource } from './host-source.ts';
import type { OperationCounts } from './operation-counts.ts';
import type { Topology } from './topology.ts';

/** Hosts roll up at the end of a period; then they are asked. */
const ASK_AFTER_MS = 20_000;
/** Hosts that are asked at the same time. */
const AT_ONCE = 16;
/** How far back a host can help out. */
const HOST_KEEPS_MS = 129_600_000;
/** Periods that are fetched of a host in one request when it was away. */
const PERIODS_AT_ONCE = 12;
const ANSWER_MS = 30_000;

const SUPPORT: Readonly<Record<string, StatisticsSupport>> = {
  VirtualMachine: { realTime: true, history: true },
  HostSystem: { realTime: true, history: true },
  ClusterComputeResource: { realTime: false, history: true },
  ResourcePool: { realTime: false, history: true },
  VirtualApp: { realTime: false, history: true },
  Datacenter: { realTime: false, history: true },
  Datastore: { realTime: false, history: true },
};

export interface StatisticsFeedOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly archive: Archive;
  readonly settings: StatisticsSettings;
  readonly topology: Topology;
  readonly operations: OperationCounts;
}

export class StatisticsFeed implements StatisticsProvider {
  readonly settings: StatisticsSettings;
  readonly #options: StatisticsFeedOptions;
  /** End of the newest period that a host has handed in. */
  readonly #collected = new Map<string, number>();
  /** In one round: until when a host that had nothing was asked. */
  readonly #asked = new Map<string, number>();
  readonly #ending = new AbortController();
  /** A round over thousands of hosts is seconds of work. */
  readonly #pacer: Pacer;
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(options: StatisticsFeedOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.#pacer = new Pacer(options.clock);
  }

  /** Begins to collect. */
  start(): void {
    this.#round = this.#options.archive.catchUp().catch((error: unknown) => this.#complain(error));
    this.#schedule();
  }

  /** Ends; resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#ending.abort();
    await this.#round;
    await this.#options.archive.settled();
  }

  intervals(): readonly PerfInterval[] {
    return this.settings.intervals();
  }

  support(entity: MoRef): StatisticsSupport | undefined {
    return SUPPORT[entity.type];
  }

  async available(entity: MoRef, periodS: number | undefined, range: TimeRange): Promise<readonly MetricId[]> {
    const found = new Map<string, MetricId>();
    const add = (metrics: readonly MetricId[]) => {
      for (const metric of metrics) found.set(`${metric.counter}:${metric.instance}`, metric);
    };
    if (periodS === undefined || periodS === REAL_TIME_PERIOD_S) {
      const source = this.#sourceOf(entity);
      add(source ? await unlessAway(source.available(entity, REAL_TIME_PERIOD_S, range), []) : []);
    }
    for (const { samplingPeriod } of this.settings.intervals()) {
      if (periodS !== undefined && periodS !== samplingPeriod) continue;
      add(this.#options.archive.metrics(moRefKey(entity), samplingPeriod, range));
    }
    return [...found.values()];
  }

  async query(queries: readonly StatisticsQuery[]): Promise<readonly Samples[]> {
    const { archive, clock } = this.#options;
    const answers: Samples[] = [];
    // A day of ten thousand VMs is a minute's work: others are served meanwhile.
    const pacer = new Pacer(clock);
    for (const { entity, periodS, metrics, range } of queries) {
      if (periodS !== REAL_TIME_PERIOD_S) await pacer.pause();
      answers.push(
        periodS === REAL_TIME_PERIOD_S
          ? NO_SAMPLES
          : archive.read(moRefKey(entity), periodS, metricFilter(metrics), range),
      );
    }
    const realTime = queries.flatMap((query, index) => {
      const source = query.periodS === REAL_TIME_PERIOD_S ? this.#sourceOf(query.entity) : undefined;
      return source ? [{ query, index, source }] : [];
    });
    await Promise.all(
      Array.from(
        Map.groupBy(realTime, ({ source }) => source),
        async ([source, asked]) => {
          const said = await unlessAway(source.query(asked.map(({ query }) => query)), []);
          for (const [position, { index }] of asked.entries()) answers[index] = said[position] ?? NO_SAMPLES;
        },
      ),
    );
    return answers;
  }

  /** Collects every period up to the one that ended at `untilMs` (a multiple of the base interval). */
  async collect(untilMs: number): Promise<void> {
    this.#asked.clear();
    for (let isFirst = true; ; isFirst = false) {
      const isBehind = await this.#collectOnce(untilMs, isFirst);
      if (!isBehind || this.#ending.signal.aborted) return;
    }
  }

  /** A host has left the inventory. */
  forget({ value }: MoRef<'HostSystem'>): void {
    this.#collected.delete(value);
    this.#asked.delete(value);
  }

  get #periodS(): number {
    return this.settings.intervals()[0]?.samplingPeriod ?? 300;
  }

  #schedule(): void {
    const { clock } = this.#options;
    const periodMs = this.#periodS * 1000;
    const sincePeriod = (clock.now() - ASK_AFTER_MS) % periodMs;
    this.#timer = clock.setTimer(periodMs - sincePeriod, () => {
      const untilMs = Math.floor((clock.now() - ASK_AFTER_MS / 2) / periodMs) * periodMs;
      this.#round = this.#round
        .then(() => this.collect(untilMs))
        .catch((error: unknown) => this.#complain(error))
        .finally(() => {
          if (!this.#ending.signal.aborted) this.#schedule();
        });
    });
  }

  /** Tells whether some host is still behind. */
  async #collectOnce(untilMs: number, isFirst: boolean): Promise<boolean> {
    const { topology, archive, operations } = this.#options;
    const [base] = this.settings.archiveLevels();
    if (!base?.isEnabled) return false;
    const metrics = metricsToAsk(this.settings);
    const collection = new Collection({
      archive,
      topology,
      operations,
      pacer: this.#pacer,
      periodS: base.periodS,
      newestMs: isFirst ? untilMs : undefined,
    });
    let isBehind = false;
    const waiting = [...topology.hosts()];
    const ask = async () => {
      for (let host = waiting.pop(); host && !this.#ending.signal.aborted; host = waiting.pop()) {
        await this.#pacer.pause();
        const handedIn = await this.#ask(host, untilMs, metrics);
        isBehind ||= handedIn.isBehind;
        for (const [timeMs, figures] of handedIn.periods) await collection.add(timeMs, figures);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
    await collection.finish();
    return isBehind;
  }

  async #ask(host: MoRef<'HostSystem'>, untilMs: number, metrics: readonly MetricId[]) {
    const nothing = { isBehind: false, periods: [] as (readonly [number, HostFigures])[] };
    const { topology, log, clock } = this.#options;
    const source = topology.source(host);
    if (!source) return nothing;
    const periodMs = this.#periodS * 1000;
    const slow = new AbortController();
    const timer = clock.setTimer(ANSWER_MS, () => slow.abort(new Error('it took too long')));
    const signal = AbortSignal.any([this.#ending.signal, slow.signal]);
    try {
      const afterMs = await this.#since(host, source, untilMs, signal);
      const endMs = Math.min(untilMs, afterMs + PERIODS_AT_ONCE * periodMs);
      if (endMs <= afterMs) return nothing;
      const range = { afterMs, untilMs: endMs };
      const periods = await collectHost({
        host,
        vms: topology.vmsOn(host),
        source,
        periodS: this.#periodS,
        range,
        metrics,
        signal,
      });
      // A host whose clock is behind ours has not finished the newest periods yet: it is asked again.
      for (const [timeMs] of periods)
        this.#collected.set(host.value, Math.max(timeMs, this.#collected.get(host.value) ?? 0));
      this.#asked.set(host.value, endMs);
      return { isBehind: endMs < untilMs, periods };
    } catch (error) {
      if (!this.#ending.signal.aborted)
        log.warn({ host: host.value, err: error }, 'a host did not hand in its statistics');
      return nothing;
    } finally {
      timer.cancel();
    }
  }

  /** From when on a host is asked: what it has handed in, or what it has. */
  async #since(host: MoRef<'HostSystem'>, source: HostSource, untilMs: number, signal: AbortSignal): Promise<number> {
    const oldest = untilMs - HOST_KEEPS_MS;
    // What was handed in while our clock was ahead says nothing of the time since.
    if ((this.#collected.get(host.value) ?? 0) > untilMs) this.#collected.delete(host.value);
    const known =
      this.#asked.get(host.value) ??
      this.#collected.get(host.value) ??
      this.#options.archive.newestOf(moRefKey(host), this.#periodS, oldest);
    if (known !== undefined) return Math.max(known, oldest);
    const query: StatisticsQuery = {
      entity: host as MoRef,
      periodS: this.#periodS,
      metrics: [{ counter: counterKey('sys.uptime.latest'), instance: '' }],
      range: { afterMs: oldest, untilMs },
    };
    const [samples = NO_SAMPLES] = await source.query([query], signal);
    const [first = untilMs] = samples.times;
    return first - this.#periodS * 1000;
  }

  #sourceOf(entity: MoRef): HostSource | undefined {
    const host = this.#options.topology.hostOf(entity);
    return host && this.#options.topology.source(host);
  }

  #complain(error: unknown): void {
    this.#options.log.warn({ err: error }, 'statistics could not be collected');
  }
}

/** What cannot be asked of a host that is away is not known. */
async function unlessAway<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof HostUnreachable || isFault(error, 'HostNotConnected')) return otherwise;
    throw error;
  }
}
