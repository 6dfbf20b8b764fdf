// Which of the writes that wait become one transaction. Pure.
import type { Write } from '../encode-batch.ts';
import type { EncodedEntry } from '../encode-entries.ts';
import type { Guard } from '../engine.ts';
import type { Compare, Revision } from '../store.ts';
import type { Upkeep } from './chunked-history.ts';
import { MOST_BYTES, MOST_OPS_IN_PART, MOST_PARTS } from './plan-transaction.ts';

export type Work =
  | { readonly kind: 'batch'; readonly writes: readonly Write[]; readonly compares: readonly Compare[] }
  | { readonly kind: 'append'; readonly stream: string; readonly entries: readonly EncodedEntry[] }
  | Upkeeping;

export interface Upkeeping {
  readonly kind: 'upkeep';
  readonly stream: string;
  readonly upkeep: Upkeep;
  /** The chunk that a merge makes. */
  readonly merged: Buffer;
}

export interface Job {
  readonly work: Work;
  readonly guard: Guard;
  readonly deadline: number;
  readonly resolve: (revision: Revision) => void;
  readonly reject: (error: unknown) => void;
}

const MOST_ENTRIES_IN_CHUNK = 1_000;

/**
 * As many of the waiting jobs, in order, as can be one transaction: of one guard, and none that touches a key that an
 * earlier one writes (etcd looks at all compares before it writes anything, and writes no key twice). Appends to one
 * stream come together.
 */
export function gatherWork(waiting: readonly Job[]): Job[][] {
  const guard = waiting[0]?.guard;
  const parts: Job[][] = [];
  const written = new Set<string>();
  const streams = new Map<string, { readonly jobs: Job[]; entries: number }>();
  let bytes = 0;
  let taken = 0;
  for (const job of waiting) {
    const { work } = job;
    const size = workBytes(work);
    const isLarge = work.kind === 'batch' && work.writes.length > MOST_OPS_IN_PART;
    const append = work.kind === 'append' ? streams.get(work.stream) : undefined;
    if (job.guard !== guard || touches(work, written)) break;
    if (taken > 0 && (isLarge || bytes + size > MOST_BYTES)) break;
    if (append && work.kind === 'append') {
      if (append.entries + work.entries.length > MOST_ENTRIES_IN_CHUNK) break;
      append.entries += work.entries.length;
      append.jobs.push(job);
    } else {
      if (parts.length === MOST_PARTS) break;
      const jobs = [job];
      parts.push(jobs);
      if (work.kind === 'append') streams.set(work.stream, { jobs, entries: work.entries.length });
    }
    if (work.kind === 'batch') for (const { key } of work.writes) written.add(`d/${key}`);
    if (work.kind === 'upkeep') written.add(`h/${work.stream}`);
    bytes += size;
    taken += 1;
    if (isLarge) break;
  }
  return parts;
}

function touches(work: Work, written: ReadonlySet<string>): boolean {
  if (work.kind === 'append') return false;
  if (work.kind === 'upkeep') return written.has(`h/${work.stream}`);
  return [...work.writes, ...work.compares].some(({ key }) => written.has(`d/${key}`));
}

/** About what it adds to a request: keys, values, and what is around them. */
export function workBytes(work: Work): number {
  let bytes = 0;
  if (work.kind === 'batch') {
    for (const { key, json } of work.writes) bytes += 2 * Buffer.byteLength(key) + Buffer.byteLength(json ?? '') + 64;
    for (const { key } of work.compares) bytes += 2 * Buffer.byteLength(key) + 64;
  } else if (work.kind === 'append') {
    for (const { json } of work.entries) bytes += Buffer.byteLength(json) + 32;
  } else {
    bytes = 4_096 + (work.merged?.length ?? 0);
  }
  return bytes;
}
