// Prometheus' text format, version 0.0.4: families of samples as lines. Pure.

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface Sample {
  /** `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  /** With the base unit at its end: `vivarium_vm_memory_consumed_bytes`; counters end in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: Iterable<Sample>;
}

/** One line at a time, each with its end; a family without samples is left out. */
export function* exposition(families: Iterable<Family>): Generator<string> {
  for (const { name, help, type, samples } of families) {
    let isAnnounced = false;
    for (const sample of samples) {
      if (!isAnnounced) yield `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
      isAnnounced = true;
      yield `${name}${sample.suffix ?? ''}${formatLabels(sample.labels)} ${formatValue(sample.value)}\n`;
    }
  }
}

/** The same in pieces of about `size` characters: few writes, little memory. */
export function* inPieces(lines: Iterable<string>, size = 32_768): Generator<string> {
  let piece = '';
  for (const line of lines) {
    piece += line;
    if (piece.length < size) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
