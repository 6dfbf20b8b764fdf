// One measured figure, as `viv bench --json` prints it.

export interface Figure {
  readonly name: string;
  /** The median of `runs`, unless the name says otherwise. */
  readonly value: number;
  readonly unit: string;
  /** The same thing done without us, measured in the same run; absent when there is nothing to hold it against. */
  readonly baseline?: number;
  /** value / baseline. */
  readonly ratio?: number;
  /** What we want, e.g. `<= 1.25 x`. */
  readonly aim: string;
  readonly met: boolean;
  readonly runs: readonly number[];
}

export interface Benchmark {
  readonly name: string;
  readonly about: string;
  run(report: (figure: Figure) => void): Promise<void>;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the share `q` of the values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  if (value === undefined) throw new Error('no values were measured');
  return value;
}

/** A figure beside the same thing without us: it is met when the ratio of the medians is at most `most`. */
export function ratioFigure(
  name: string,
  unit: string,
  ours: readonly number[],
  bare: readonly number[],
  most: number,
): Figure {
  const value = median(ours);
  const baseline = median(bare);
  const ratio = value / baseline;
  return { name, value, unit, baseline, ratio, aim: `<= ${most} x`, met: ratio <= most, runs: ours };
}

/** A figure that has to stay below a bound. */
export function boundedFigure(
  name: string,
  unit: string,
  runs: readonly number[],
  value: number,
  most: number,
): Figure {
  return { name, value, unit, aim: `<= ${most} ${unit}`, met: value <= most, runs };
}
