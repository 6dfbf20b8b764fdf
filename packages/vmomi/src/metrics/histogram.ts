// Durations, counted by how long they were.
import type { Sample } from './exposition.ts';

/** Upper bounds in seconds, from a quick read to a long task. */
const BOUNDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600] as const;

export class Histogram {
  /** One for each bound, and one for what is beyond. */
  readonly #counts = new Float64Array(BOUNDS.length + 1);
  #sum = 0;

  add(seconds: number): void {
    const index = BOUNDS.findIndex((bound) => seconds <= bound);
    const place = index < 0 ? BOUNDS.length : index;
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#sum += seconds;
  }

  *samples(labels: Readonly<Record<string, string>>): Generator<Sample> {
    let below = 0;
    for (const [index, count] of this.#counts.entries()) {
      below += count;
      const le = index < BOUNDS.length ? String(BOUNDS[index]) : '+Inf';
      yield { suffix: '_bucket', labels: { ...labels, le }, value: below };
    }
    yield { suffix: '_sum', labels, value: this.#sum };
    yield { suffix: '_count', labels, value: below };
  }
}
