// Replaces everything in etcd: the new contents are written as a generation of their own, which does not count until one
// transaction moves the pointer to it. A process that dies on the way leaves an unfinished generation; the next one that
// replaces removes it.
import { type Random, token } from '@vivarium/base';
import type { EncodedEntry } from '../encode-entries.ts';
import type { Guard } from '../engine.ts';
import { LeaseLost, StoreError, StoreFull } from '../errors.ts';
import type { Item, Revision } from '../store.ts';
import { MERGED_ENTRIES } from './chunked-history.ts';
import { type EtcdClient, methods } from './etcd-client.ts';
import { EtcdLease } from './etcd-lease.ts';
import { encodeDeflatedChunk } from './history-chunk.ts';
import { type Current, type Keyspace, parseGenerations } from './keyspace.ts';
import type { Compare, RequestOp } from './messages.ts';
import { createdIs, modIs } from './plan-transaction.ts';

/** Of one transaction while it is written. */
const MOST_PUTS = 100;
const MOST_BYTES = 512 << 10;

export interface ReplaceOptions {
  readonly client: EtcdClient;
  readonly keyspace: Keyspace;
  readonly random: Random;
  readonly current: Current;
  readonly guard: Guard;
  readonly timeoutMs: number;
}

/** Resolves with the revision at which the new contents count. */
export async function replaceContents(
  items: AsyncIterable<Item>,
  keepHistory: boolean,
  options: ReplaceOptions,
): Promise<Revision> {
  const { client, keyspace, current, guard, timeoutMs } = options;
  const guards = guard instanceof EtcdLease ? [createdIs(guard.key, guard.fence)] : [];
  const generation = token(options.random, 6);
  await removeUnfinished(client, keyspace, current, guards, timeoutMs);
  const staging = keyspace.staging(generation);
  const begun = await change(client, guards, [{ put: { key: staging, value: Buffer.from('1') } }], timeoutMs);
  const conditions = [...guards, createdIs(staging, begun)];
  try {
    await stage(items, keepHistory, generation, conditions, options);
  } catch (error) {
    await removeGeneration(client, keyspace, generation, conditions, timeoutMs).catch(() => undefined);
    throw error;
  }
  const next = { documents: generation, history: keepHistory ? current.history : generation };
  const revision = await movePointer(next, conditions, staging, options);
  const old = [keyspace.range('d', current.documents), ...(keepHistory ? [] : [keyspace.range('h', current.history)])];
  // They count no longer: if this fails, the next one that replaces removes them.
  for (const range of old) await change(client, [], [{ deleteRange: range }], timeoutMs).catch(() => undefined);
  return revision;
}

async function stage(
  items: AsyncIterable<Item>,
  keepHistory: boolean,
  generation: string,
  conditions: readonly Compare[],
  { client, keyspace, timeoutMs }: ReplaceOptions,
): Promise<void> {
  let puts = new Map<string, RequestOp>();
  let bytes = 0;
  const flush = async () => {
    if (puts.size > 0) await change(client, conditions, [...puts.values()], timeoutMs);
    puts = new Map();
    bytes = 0;
  };
  const put = async (key: Buffer, value: Buffer) => {
    const name = key.toString('utf8');
    if (puts.size >= MOST_PUTS || bytes + key.length + value.length > MOST_BYTES) await flush();
    puts.set(name, { put: { key, value } });
    bytes += key.length + value.length;
  };
  let stream = '';
  let number = 0;
  let entries: EncodedEntry[] = [];
  let entryBytes = 0;
  const flushEntries = async () => {
    number += 1;
    if (entries.length > 0) await put(keyspace.chunk(generation, stream, number), await encodeDeflatedChunk(entries));
    [entries, entryBytes] = [[], 0];
  };
  for await (const item of items) {
    if (item.kind === 'document') await put(keyspace.document(generation, item.key), Buffer.from(item.json));
    else if (!keepHistory) {
      const size = Buffer.byteLength(item.json);
      // What does not get smaller when it is deflated has to fit, too.
      const isFull = entries.length >= MERGED_ENTRIES || (entries.length > 0 && entryBytes + size > MOST_BYTES);
      if (item.stream !== stream || isFull) await flushEntries();
      if (item.stream !== stream) [stream, number] = [item.stream, 1];
      entryBytes += size;
      entries.push({ key: item.key, timeMs: item.timeMs, json: item.json });
    }
  }
  await flushEntries();
  await flush();
}

async function movePointer(
  next: { readonly documents: string; readonly history: string },
  conditions: readonly Compare[],
  staging: Buffer,
  { client, keyspace, current, timeoutMs }: ReplaceOptions,
): Promise<Revision> {
  const request = {
    compare: [...conditions, modIs(keyspace.current, current.revision)],
    success: [
      { put: { key: keyspace.current, value: Buffer.from(JSON.stringify(next)) } },
      { deleteRange: { key: staging } },
    ],
    failure: [],
  };
  let failure: StoreFull | undefined;
  const answer = await client.call(methods.txn, request, timeoutMs).catch((error: unknown) => {
    // The transaction that fills etcd is applied, and answered by this all the same.
    if (!(error instanceof StoreFull)) throw error;
    failure = error;
  });
  if (answer?.succeeded) return answer.header?.revision ?? 0;
  // An earlier try may have been applied, and its answer lost.
  const there = (await client.call(methods.range, { key: keyspace.current }, timeoutMs)).kvs[0];
  if (there && parseGenerations(there.value).documents === next.documents) return there.modRevision;
  if (failure) throw failure;
  if ((there?.modRevision ?? 0) !== current.revision) throw new StoreError('somebody else has replaced everything');
  throw new LeaseLost('the lease is over: somebody else may have the lock');
}

/** What dead processes left. One that is still writing finds its staging key gone. */
async function removeUnfinished(
  client: EtcdClient,
  keyspace: Keyspace,
  current: Current,
  guards: readonly Compare[],
  timeoutMs: number,
): Promise<void> {
  const found = new Set<string>();
  for (const part of ['d', 'h', 's'] as const) {
    const { key: begin, rangeEnd } = keyspace.range(part);
    for (let key = begin; ; ) {
      const page = await client.call(methods.range, { key, rangeEnd, limit: 1, keysOnly: true }, timeoutMs);
      const first = page.kvs[0]?.key;
      if (!first) break;
      const generation = first.subarray(begin.length).toString('utf8').split('/')[0] ?? '';
      found.add(generation);
      key = part === 's' ? Buffer.concat([first, Buffer.of(0)]) : keyspace.range(part, generation).rangeEnd;
    }
  }
  for (const generation of found) {
    if (generation === current.documents || generation === current.history) continue;
    await removeGeneration(client, keyspace, generation, guards, timeoutMs);
  }
}

async function removeGeneration(
  client: EtcdClient,
  keyspace: Keyspace,
  generation: string,
  conditions: readonly Compare[],
  timeoutMs: number,
): Promise<void> {
  const ops = [
    { deleteRange: { key: keyspace.staging(generation) } },
    { deleteRange: keyspace.range('d', generation) },
    { deleteRange: keyspace.range('h', generation) },
  ];
  await change(client, conditions, ops, timeoutMs);
}

/** Such that it may be made twice. Resolves with its revision. */
async function change(
  client: EtcdClient,
  compare: readonly Compare[],
  success: readonly RequestOp[],
  timeoutMs: number,
): Promise<Revision> {
  const answer = await client.call(methods.txn, { compare, success, failure: [] }, timeoutMs);
  if (!answer.succeeded) throw new LeaseLost('the lease is over, or somebody else replaces everything');
  return answer.header?.revision ?? 0;
}
