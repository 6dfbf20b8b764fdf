// One measured figure, as `viv bench --json` prints it.

export interface Figure {
  readonly name: string;
  /** The median of `runs`, unless the name says otherwise. */
  readonly value: number;
  readonly unit: string;
  /** The same thing done without us, measured in the same run: the median; absent when there is nothing to hold it against. */
  readonly baseline?: number;
  /** Median of the rounds' ratios: each round measures both sides one after the other, so that they share its load. */
  readonly ratio?: number;
  /** What we want, e.g. `<= 1.25 x`. */
  readonly aim: string;
  /** Undefined: there was nothing to hold it against. */
  readonly met: boolean | undefined;
  readonly runs: readonly number[];
}

export interface Benchmark {
  readonly name: string;
  readonly about: string;
  run(report: (figure: Figure) => void, options: BenchmarkOptions): Promise<void>;
}

export interface BenchmarkOptions {
  /** Says how far it is. */
  readonly say: (text: string) => void;
  /** A folder for drawings of the figures, as SVG; undefined: nothing is drawn. */
  readonly plots: string | undefined;
  /** How many virtual machines the simulators have, for a quick look; undefined: as many as the figures are about. */
  readonly vms: number | undefined;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  if (middle.length === 0) throw new Error('no values were measured');
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

/** The smallest of the values that at least the share `q` of them does not exceed. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  if (value === undefined) throw new Error('no values were measured');
  return value;
}

/** A figure beside the same thing without us, round by round. */
export function ratioFigure(
  name: string,
  unit: string,
  ours: readonly number[],
  bare: readonly number[],
  most: number,
): Figure {
  const ratio = median(ours.map((value, round) => value / (bare[round] ?? Number.NaN)));
  const aim = `<= ${most} x`;
  return { name, value: median(ours), unit, baseline: median(bare), ratio, aim, met: ratio <= most, runs: ours };
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

/** A figure that has to stay above a bound. */
export function rateFigure(name: string, unit: string, runs: readonly number[], least: number): Figure {
  const value = median(runs);
  return { name, value, unit, aim: `>= ${least} ${unit}`, met: value >= least, runs };
}

/** A figure beside that of another program; `bare`: why that was not run. */
export function besideFigure(
  name: string,
  unit: string,
  ours: readonly number[],
  bare: readonly number[] | string,
  most: number,
): Figure {
  if (typeof bare !== 'string') return ratioFigure(name, unit, ours, bare, most);
  return { name, value: median(ours), unit, aim: `<= ${most} x; not run: ${bare}`, met: undefined, runs: ours };
}
