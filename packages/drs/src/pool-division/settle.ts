// Hysteresis of a division: parts that are near enough to what they should be stay as they are, and what does not add up then is
// mended at as few of them as possible, within the same tolerance. Pure.

export interface Part {
  /** What it is now; undefined for one that is new. */
  readonly old: number | undefined;
  /** What it should be; between `min` and `max`. */
  readonly target: number;
  readonly min: number;
  readonly max: number;
}

export interface Tolerance {
  /** Part of the target. */
  readonly relative: number;
  /** In the unit of the parts. */
  readonly absolute: number;
}

/** The new parts: they add up to what the targets add up to, and each is within the tolerance of its target, and within its bounds. */
export function settle(parts: readonly Part[], tolerance: Tolerance): number[] {
  const ranges = parts.map((part) => rangeOf(part, tolerance));
  const isKept = parts.map(({ old }, index) => old !== undefined && isIn(old, ranges[index]));
  const settled = parts.map(({ old, target }, index) => (isKept[index] ? (old ?? target) : target));
  let excess = settled.reduce((sum, value, index) => sum + value - (parts[index]?.target ?? 0), 0);
  const sign = Math.sign(excess);
  // The kept parts are too large together, or too small, by just that excess: they can always give it.
  const givers = settled
    .map((value, index) => ({ index, room: isKept[index] ? roomIn(ranges[index], value, sign) : 0 }))
    .filter(({ room }) => room > 0)
    .sort((a, b) => b.room - a.room || a.index - b.index);
  for (const { index, room } of givers) {
    if (excess === 0) break;
    const change = sign * Math.min(room, Math.abs(excess));
    settled[index] = (settled[index] ?? 0) - change;
    excess -= change;
  }
  return settled;
}

interface Range {
  readonly low: number;
  readonly high: number;
}

function isIn(value: number, range: Range | undefined): boolean {
  return range !== undefined && value >= range.low && value <= range.high;
}

function roomIn(range: Range | undefined, value: number, sign: number): number {
  if (!range) return 0;
  return sign > 0 ? value - range.low : range.high - value;
}

/** Where a part may stay. Whole numbers, around its target. */
function rangeOf({ target, min, max }: Part, { relative, absolute }: Tolerance): Range {
  const slack = Math.floor(Math.max(absolute, relative * target));
  return { low: Math.max(min, target - slack, 0), high: Math.min(max, target + slack) };
}
