// How an amount is divided among takers: fairly by weight, what they need before what they could use. Whole numbers. Pure.

export interface Taker {
  /** What it gets in any case. */
  readonly min: number;
  /** Up to here before anybody gets more. */
  readonly want: number;
  /** Never more. */
  readonly max: number;
  /** Its share against the others'; above 0. */
  readonly weight: number;
}

/**
 * The parts, in the takers' order. They add up to `amount`, or to the sum of `max` where that is less. Where `amount` does not cover the sum of
 * `min`, the parts are in proportion to `min`. More `amount` never makes a part smaller, but for rounding by one.
 */
export function divide(amount: number, takers: readonly Taker[]): number[] {
  const min = takers.map((taker) => Math.min(taker.min, taker.max));
  const needed = sum(min);
  if (needed > amount) {
    return roundTo(
      amount,
      min.map((part) => (part * amount) / needed),
      min,
    );
  }
  const max = takers.map((taker) => taker.max);
  const want = takers.map((taker, index) => Math.min(Math.max(taker.want, min[index] ?? 0), taker.max));
  const total = Math.min(amount, sum(max));
  const weights = takers.map(({ weight }) => weight);
  const satisfied = fill(Math.min(total, sum(want)), min, want, weights);
  return roundTo(total, fill(total, satisfied, max, weights), max);
}

/** Raises `parts` in proportion to `weights`, none above `upper`, until they add up to `total`. */
function fill(total: number, parts: readonly number[], upper: readonly number[], weights: readonly number[]): number[] {
  const filled = [...parts];
  let left = total - sum(parts);
  // Who is full after the smallest rise leaves the rest to the others.
  const rising = parts
    .map((part, index) => ({ index, room: (upper[index] ?? 0) - part, weight: weights[index] ?? 0 }))
    .filter(({ room }) => room > 0)
    .sort((a, b) => a.room / a.weight - b.room / b.weight || a.index - b.index);
  let weight = rising.reduce((total_, item) => total_ + item.weight, 0);
  for (const item of rising) {
    if (left <= 0) break;
    const rise = Math.min(item.room, (left * item.weight) / weight);
    filled[item.index] = (filled[item.index] ?? 0) + rise;
    left -= rise;
    weight -= item.weight;
  }
  return filled;
}

/** Whole numbers that add up to `total`: the largest remainders are rounded up, none above `upper`. */
function roundTo(total: number, parts: readonly number[], upper: readonly number[]): number[] {
  // A part that is whole but for the last bit of the arithmetic is that whole number.
  const whole = parts.map((part) => Math.floor(part + 1e-6));
  let left = Math.round(total - sum(whole));
  const order = parts
    .map((part, index) => ({ index, remainder: part - (whole[index] ?? 0) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of order) {
    if (left <= 0) break;
    if ((whole[index] ?? 0) + 1 > (upper[index] ?? 0)) continue;
    whole[index] = (whole[index] ?? 0) + 1;
    left -= 1;
  }
  return whole;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
