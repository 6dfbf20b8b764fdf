// Adds up the figures of one entity in one interval. A figure is rounded once, at the end, and is never negative: counters that
// went back (a device was replaced, a process began anew) tell nothing.
import { type CounterName, counterKey, type MetricValue } from '@vivarium/vmomi';

export class Figures {
  readonly #values: MetricValue[] = [];

  /** `value` in the counter's unit; undefined is not measured and adds nothing. */
  add(name: CounterName, value: number | undefined, instance = ''): void {
    if (value === undefined || !Number.isFinite(value) || value < 0) return;
    this.#values.push({ counter: counterKey(name), instance, value: Math.round(value) });
  }

  get values(): readonly MetricValue[] {
    return this.#values;
  }
}

/** A share as vSphere writes percentages: in hundredths of a percent. */
export function percent(share: number): number {
  return share * 10_000;
}

/** The sum of what is known; undefined when nothing is. */
export function sumOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}
