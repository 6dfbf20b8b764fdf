// Counts latencies in classes of a tenth of a millisecond: there are millions of them.

const CLASSES_PER_MS = 10;
const MOST_MS = 60_000;

export class LatencyCounts {
  readonly #classes = new Uint32Array(MOST_MS * CLASSES_PER_MS + 1);
  #count = 0;
  #most = 0;

  add(ms: number): void {
    const index = Math.min(Math.max(0, Math.ceil(ms * CLASSES_PER_MS)), this.#classes.length - 1);
    this.#classes[index] = (this.#classes[index] ?? 0) + 1;
    this.#count += 1;
    this.#most = Math.max(this.#most, ms);
  }

  summary(): { readonly delivered: number; readonly p50: number; readonly p99: number; readonly most: number } {
    return { delivered: this.#count, p50: this.#quantile(0.5), p99: this.#quantile(0.99), most: this.#most };
  }

  #quantile(q: number): number {
    let left = Math.ceil(q * this.#count);
    const index = this.#classes.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return index < 0 ? 0 : index / CLASSES_PER_MS;
  }
}
