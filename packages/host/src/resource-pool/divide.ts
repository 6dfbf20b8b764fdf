// Divides an amount between those who want of it: by shares, nobody less than a minimum, nobody more than a maximum. Pure.

export interface Want {
  /** More than 0. */
  readonly shares: number;
  readonly min: number;
  readonly max: number;
}

export interface Division {
  /** What each one gets, in the order of the wants. Their sum is `amount`, unless the minima are more or the maxima less. */
  readonly parts: readonly number[];
  /** What one share is worth to those whom neither minimum nor maximum binds. */
  readonly perShare: number;
}

/**
 * Everybody gets `perShare` for each share, within his bounds: the larger `perShare` is, the more is given away, so the one
 * that gives away `amount` is found along the points where somebody meets a bound. O(n log n).
 */
export function divide(amount: number, wants: readonly Want[]): Division {
  const turns = wants
    .flatMap(({ shares, min, max }) => [
      { at: min / shares, slope: shares },
      { at: Math.max(min, max) / shares, slope: -shares },
    ])
    .filter(({ at }) => Number.isFinite(at))
    .sort((a, b) => a.at - b.at);
  let given = wants.reduce((sum, { min }) => sum + min, 0);
  let perShare = 0;
  let slope = 0;
  for (const turn of turns) {
    const next = given + slope * (turn.at - perShare);
    if (slope > 0 && next >= amount) break;
    if (given >= amount) break;
    given = next;
    perShare = turn.at;
    slope += turn.slope;
  }
  if (given < amount && slope > 0) perShare += (amount - given) / slope;
  return {
    perShare,
    parts: wants.map(({ shares, min, max }) => Math.max(min, Math.min(Math.max(min, max), perShare * shares))),
  };
}
