// Line charts beside each other as one SVG. Pure. Drawn for light and dark pages: no background, colours that show on both.

export interface LineChart {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
}

export interface Line {
  readonly label: string;
  /** In the order of x. */
  readonly points: readonly Point[];
  /** What it is held against: drawn dashed and grey, without dots. */
  readonly isGuide?: boolean;
}

export type Point = readonly [x: number, y: number];

const WIDTH = 340;
const HEIGHT = 240;
const PAD = { left: 52, right: 14, top: 34, bottom: 40 };
const COLOURS = ['#2f81f7', '#d29922', '#3fb950', '#db61a2'];
const GREY = '#8b949e';
const MOST_TICKS = 5;

/** `xLabel`: what stands below each of them. All begin at 0. */
export function lineCharts(charts: readonly LineChart[], xLabel: string, columns = 2): string {
  const rows = Math.ceil(charts.length / columns);
  const width = WIDTH * Math.min(columns, charts.length);
  const panels = charts.map((chart, index) => {
    const x = (index % columns) * WIDTH;
    const y = Math.floor(index / columns) * HEIGHT;
    return `<g transform="translate(${x} ${y})">\n${panel(chart, xLabel)}\n</g>`;
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${rows * HEIGHT}" font-family="sans-serif" font-size="10">`,
    ...panels,
    '</svg>',
  ].join('\n')}\n`;
}

function panel({ title, unit, lines }: LineChart, xLabel: string): string {
  const points = lines.flatMap((line) => line.points);
  const xTicks = ticks(Math.max(...points.map(([x]) => x)));
  const yTicks = ticks(Math.max(...points.map(([, y]) => y)));
  const xOf = scale(xTicks.at(-1) ?? 1, PAD.left, WIDTH - PAD.right);
  const yOf = scale(yTicks.at(-1) ?? 1, HEIGHT - PAD.bottom, PAD.top);
  const floor = HEIGHT - PAD.bottom;
  return [
    text(PAD.left, 14, `${title} (${unit})`, { anchor: 'start', weight: 'bold' }),
    ...yTicks.flatMap((y) => [
      `<line x1="${PAD.left}" y1="${yOf(y)}" x2="${WIDTH - PAD.right}" y2="${yOf(y)}" stroke="${GREY}" stroke-opacity="0.25"/>`,
      text(PAD.left - 5, yOf(y) + 3, short(y), { anchor: 'end' }),
    ]),
    ...xTicks.map((x) => text(xOf(x), floor + 14, short(x), { anchor: 'middle' })),
    text((PAD.left + WIDTH - PAD.right) / 2, HEIGHT - 10, xLabel, { anchor: 'middle' }),
    `<line x1="${PAD.left}" y1="${floor}" x2="${WIDTH - PAD.right}" y2="${floor}" stroke="${GREY}"/>`,
    ...lines.flatMap((line, index) => drawLine(line, COLOURS[index % COLOURS.length] ?? GREY, xOf, yOf)),
    ...lines.map((line, index) => legend(line, COLOURS[index % COLOURS.length] ?? GREY, index)),
  ].join('\n');
}

function drawLine({ points, isGuide }: Line, colour: string, xOf: Scale, yOf: Scale): string[] {
  const path = points.map(([x, y]) => `${xOf(x)},${yOf(y)}`).join(' ');
  if (isGuide) return [`<polyline points="${path}" fill="none" stroke="${GREY}" stroke-dasharray="4 3"/>`];
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>`,
    ...points.map(([x, y]) => `<circle cx="${xOf(x)}" cy="${yOf(y)}" r="2.6" fill="${colour}"/>`),
  ];
}

function legend({ label, isGuide }: Line, colour: string, index: number): string {
  const y = PAD.top + 6 + index * 13;
  const [stroke, dash] = isGuide ? [GREY, ' stroke-dasharray="4 3"'] : [colour, ''];
  const mark = `<line x1="${PAD.left + 6}" y1="${y}" x2="${PAD.left + 22}" y2="${y}" stroke="${stroke}" stroke-width="1.8"${dash}/>`;
  return mark + text(PAD.left + 27, y + 3, label, { anchor: 'start' });
}

type Scale = (value: number) => number;

function scale(most: number, from: number, to: number): Scale {
  return (value) => Math.round((from + (value / most) * (to - from)) * 10) / 10;
}

/** From 0 to at least `most`, by 1, 2 or 5 times a power of ten. */
export function ticks(most: number): number[] {
  const least = Math.max(most, Number.MIN_VALUE) / MOST_TICKS;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one * MOST_TICKS >= most) ?? most;
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

function short(value: number): string {
  return value >= 1000 ? value.toLocaleString('en-US') : String(value);
}

function text(
  x: number,
  y: number,
  content: string,
  { anchor, weight = 'normal' }: { readonly anchor: 'start' | 'middle' | 'end'; readonly weight?: 'normal' | 'bold' },
): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<text x="${x}" y="${y}" fill="${GREY}" text-anchor="${anchor}" font-weight="${weight}">${escaped}</text>`;
}
