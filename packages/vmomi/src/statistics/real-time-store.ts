// The newest samples of everything that one daemon measures, in memory: rings over common times. A figure takes 4 bytes, or 8
// in entities with a figure beyond 2^31 (the memory of a very large host in KB). With 180 slots of 20 s, vSphere's hour, a
// metric costs 720 bytes: a VM with one disk, one adapter and one virtual CPU has some 65 and takes 47 KB.
import {
  isWithin,
  type MetricFilter,
  type MetricId,
  type MetricValue,
  MISSING,
  NO_SAMPLES,
  type Samples,
  type TimeRange,
} from './metric.ts';

/** An hour of 20 s samples. */
const SLOTS = 180;

interface Ring {
  metrics: MetricId[];
  /** The pass in which each metric was last seen. */
  seen: number[];
  /** Slots of the first metric, then those of the second, and so on. */
  data: Int32Array | Float64Array;
  lastPass: number;
}

export class RealTimeStore {
  readonly #slots: number;
  readonly #times: Float64Array;
  readonly #rings = new Map<string, Ring>();
  /** Passes so far; the newest lies in slot (pass - 1) % slots. */
  #pass = 0;
  /** Passes of the same stretch of time: after the clock went back the earlier ones do not count. */
  #filled = 0;

  constructor(slots = SLOTS) {
    this.#slots = slots;
    this.#times = new Float64Array(slots);
  }

  /** When the newest pass was. */
  get newestMs(): number | undefined {
    return this.#filled === 0 ? undefined : this.#times[this.#slot(this.#pass)];
  }

  /** Bytes that the figures take. */
  get bytes(): number {
    let bytes = this.#times.byteLength;
    for (const { data } of this.#rings.values()) bytes += data.byteLength;
    return bytes;
  }

  /** Begins a pass: what is recorded from now on is of this time. When time has gone back everything before is forgotten. */
  begin(timeMs: number): void {
    if (this.newestMs !== undefined && timeMs <= this.newestMs) {
      this.#rings.clear();
      this.#filled = 0;
    }
    this.#pass += 1;
    this.#filled = Math.min(this.#filled + 1, this.#slots);
    const slot = this.#slot(this.#pass);
    this.#times[slot] = timeMs;
    const oldest = this.#pass - this.#slots;
    for (const [entity, ring] of this.#rings) {
      if (ring.lastPass <= oldest) this.#rings.delete(entity);
      else for (let at = slot; at < ring.data.length; at += this.#slots) ring.data[at] = MISSING;
    }
    if (this.#pass % this.#slots === 0) for (const ring of this.#rings.values()) this.#compact(ring, oldest);
  }

  /** Adds to what is known of an entity in this pass. `entity` is any name that is one entity's alone. */
  record(entity: string, values: readonly MetricValue[]): void {
    let ring = this.#rings.get(entity);
    if (!ring) {
      ring = { metrics: [], seen: [], data: new Int32Array(0), lastPass: 0 };
      this.#rings.set(entity, ring);
    }
    ring.lastPass = this.#pass;
    const slot = this.#slot(this.#pass);
    const unknown = values.filter((value, index) => findMetric(ring, value, index) < 0);
    if (unknown.length > 0) this.#grow(ring, unknown);
    for (const [index, metric] of values.entries()) {
      const at = findMetric(ring, metric, index);
      if (ring.data instanceof Int32Array && metric.value > 2 ** 31 - 1) ring.data = new Float64Array(ring.data);
      ring.data[at * this.#slots + slot] = metric.value;
      ring.seen[at] = this.#pass;
    }
  }

  forget(entity: string): void {
    this.#rings.delete(entity);
  }

  entities(): string[] {
    return [...this.#rings.keys()];
  }

  /** What is known of an entity. */
  metrics(entity: string): readonly MetricId[] {
    return this.#rings.get(entity)?.metrics ?? [];
  }

  /** The samples of an entity from its first to its last in the range; the newest `limit` of them. */
  read(entity: string, filter: MetricFilter, range: TimeRange = {}, limit = this.#slots): Samples {
    const ring = this.#rings.get(entity);
    if (!ring) return NO_SAMPLES;
    const wanted = ring.metrics.flatMap((metric, at) => (filter(metric) ? [{ metric, at }] : []));
    const slots = this.#slotsOf(ring, range).slice(-limit);
    return {
      times: slots.map((slot) => this.#times[slot] ?? 0),
      series: wanted.map(({ metric: { counter, instance }, at }) => ({
        counter,
        instance,
        values: slots.map((slot) => ring.data[at * this.#slots + slot] ?? MISSING),
      })),
    };
  }

  /** Slots in the order of time, without those at either end in which the entity has no figure at all. */
  #slotsOf(ring: Ring, range: TimeRange): number[] {
    const slots: number[] = [];
    let length = 0;
    for (let back = this.#filled - 1; back >= 0; back--) {
      const slot = this.#slot(this.#pass - back);
      if (!isWithin(this.#times[slot] ?? 0, range)) continue;
      const isThere = this.#hasFigure(ring, slot);
      if (!isThere && length === 0) continue;
      slots.push(slot);
      if (isThere) length = slots.length;
    }
    return slots.slice(0, length);
  }

  #hasFigure({ data }: Ring, slot: number): boolean {
    for (let at = slot; at < data.length; at += this.#slots) if (data[at] !== MISSING) return true;
    return false;
  }

  #slot(pass: number): number {
    return (((pass - 1) % this.#slots) + this.#slots) % this.#slots;
  }

  #grow(ring: Ring, metrics: readonly MetricId[]): void {
    ring.metrics = [...ring.metrics, ...metrics.map(({ counter, instance }) => ({ counter, instance }))];
    ring.seen = [...ring.seen, ...metrics.map(() => 0)];
    const size = ring.metrics.length * this.#slots;
    const data = ring.data instanceof Int32Array ? new Int32Array(size) : new Float64Array(size);
    data.fill(MISSING);
    data.set(ring.data);
    ring.data = data;
  }

  /** Lets go of the metrics of devices that are gone. */
  #compact(ring: Ring, oldest: number): void {
    const kept = ring.metrics.flatMap((_, at) => ((ring.seen[at] ?? 0) > oldest ? [at] : []));
    if (kept.length === ring.metrics.length) return;
    const size = kept.length * this.#slots;
    const data = ring.data instanceof Int32Array ? new Int32Array(size) : new Float64Array(size);
    for (const [index, at] of kept.entries()) {
      data.set(ring.data.subarray(at * this.#slots, (at + 1) * this.#slots), index * this.#slots);
    }
    ring.metrics = ring.metrics.filter((_, at) => kept.includes(at));
    ring.seen = ring.seen.filter((_, at) => kept.includes(at));
    ring.data = data;
  }
}

/** Samplers name their metrics in the same order every time, so the guess is nearly always right. */
function findMetric({ metrics }: Ring, { counter, instance }: MetricId, guess: number): number {
  const guessed = metrics[guess];
  if (guessed && guessed.counter === counter && guessed.instance === instance) return guess;
  return metrics.findIndex((metric) => metric.counter === counter && metric.instance === instance);
}
