// What durable writes cost, on SQLite and on a cluster of three etcd members of this machine (one disk, loopback): documents
// of 2 KB whose values change each time (an engine may skip one that does not). The bare thing is one append of 2 KB to a
// file with fdatasync.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '@vivarium/store';
import { EtcdCluster } from '../store/etcd-cluster.ts';
import { installEtcd } from '../store/install-etcd.ts';
import { LeaderProcess } from '../store/leader-process.ts';
import { type Benchmark, boundedFigure, type Figure, median, quantile, rateFigure, ratioFigure } from './figure.ts';
import { sampleEvent } from './sample-event.ts';

const ROUNDS = 5;
const SERIAL_PUTS = 150;
const LANES = 32;
const PUTS_IN_LANE = 40;
const BATCHES = 20;
const DOCUMENTS_IN_BATCH = 100;
const WATCHED = 300;
const EVENTS = 6_000;
const DOCUMENT_BYTES = 2_000;

interface Aims {
  readonly putRatio: number;
  readonly lanes: number;
  readonly batches: number;
  readonly watchMs: number;
  readonly events: number;
}

const AIMS: Readonly<Record<'sqlite' | 'etcd', Aims>> = {
  sqlite: { putRatio: 2, lanes: 10_000, batches: 20_000, watchMs: 20, events: 20_000 },
  etcd: { putRatio: 12, lanes: 2_000, batches: 4_000, watchMs: 50, events: 2_000 },
};

type Report = (figure: Figure) => void;

export const storeBenchmark: Benchmark = {
  name: 'store',
  about: 'durable writes, watching and history on SQLite and on three etcd members',
  async run(report) {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'viv-bench-'));
    stack.defer(() => rmSync(folder, { recursive: true }));
    const sqlite = await openStore(`sqlite://${join(folder, 'bench.db')}`);
    stack.defer(() => sqlite.close());
    await measure('sqlite', sqlite, folder, report);
    const { state, detail } = await installEtcd();
    if (state !== 'installed') throw new Error(`etcd cannot be fetched: ${detail}`);
    const cluster = stack.use(await EtcdCluster.start());
    const etcd = await openStore(cluster.url);
    stack.defer(() => etcd.close());
    await measure('etcd', etcd, folder, report);
    const { inUse } = await historyBytes();
    report(boundedFigure('store.etcd.event-bytes', 'bytes', [inUse], inUse, 500));
    const takeovers = await measureTakeover(cluster.url);
    report(boundedFigure('store.etcd.take-over', 'ms', takeovers, median(takeovers), 5_000));
  },
};

/** Values that differ in every write and are about as easy to compress as documents are. */
function documents(): (key: string) => { readonly put: string; readonly value: unknown } {
  let number = 0;
  return (key) => {
    number += 1;
    return { put: key, value: { number, text: `${number} `.repeat(DOCUMENT_BYTES).slice(0, DOCUMENT_BYTES) } };
  };
}

async function measure(engine: 'sqlite' | 'etcd', store: Store, folder: string, report: Report): Promise<void> {
  const aims = AIMS[engine];
  const document = documents();
  const serial: number[] = [];
  const bare: number[] = [];
  const lanes: number[] = [];
  const batches: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(bareAppends(join(folder, 'bare')) / SERIAL_PUTS);
    const one = await elapsed(async () => {
      for (let put = 0; put < SERIAL_PUTS; put++) await store.batch([document(`serial/${put}`)]);
    });
    serial.push(one / SERIAL_PUTS);
    const many = await elapsed(() =>
      inLanes(async (lane) => {
        for (let put = 0; put < PUTS_IN_LANE; put++) await store.batch([document(`lane/${lane}/${put}`)]);
      }),
    );
    lanes.push((LANES * PUTS_IN_LANE * 1_000) / many);
    const batched = await elapsed(async () => {
      for (let batch = 0; batch < BATCHES; batch++) {
        await store.batch(Array.from({ length: DOCUMENTS_IN_BATCH }, (_, index) => document(`batch/${index}`)));
      }
    });
    batches.push((BATCHES * DOCUMENTS_IN_BATCH * 1_000) / batched);
  }
  report(ratioFigure(`store.${engine}.put`, 'ms', serial, bare, aims.putRatio));
  report(rateFigure(`store.${engine}.put-32`, 'documents/s', lanes, aims.lanes));
  report(rateFigure(`store.${engine}.batch-100`, 'documents/s', batches, aims.batches));
  const watched = await measureWatch(store);
  report(boundedFigure(`store.${engine}.watch-p99`, 'ms', watched, quantile(watched, 0.99), aims.watchMs));
  const events: number[] = [];
  for (let round = 0; round < 3; round++) events.push(await measureEvents(store, `events-${round}`));
  report(rateFigure(`store.${engine}.append`, 'events/s', events, aims.events));
}

/** From the call of the write to its arrival at a watcher, one at a time. */
async function measureWatch(store: Store): Promise<number[]> {
  const document = documents();
  const changes = store.watch('watched/');
  const latencies: number[] = [];
  for (let put = 0; put < WATCHED; put++) {
    const started = performance.now();
    const written = store.batch([document('watched/one')]);
    await changes.next();
    latencies.push(performance.now() - started);
    await written;
  }
  await changes.return?.();
  return latencies;
}

/** Events a second that are appended one by one by many, as a busy vCenter does. */
async function measureEvents(store: Store, stream: string): Promise<number> {
  let key = 0;
  const took = await elapsed(() =>
    inLanes(async () => {
      for (let count = 0; count < EVENTS / LANES; count++) {
        key += 1;
        await store.history.append(stream, [sampleEvent(key)]);
      }
    }),
  );
  return (EVENTS * 1_000) / took;
}

/** Bytes of etcd's database that a kept event takes, old revisions apart. */
async function historyBytes(): Promise<{ readonly inUse: number }> {
  await using cluster = await EtcdCluster.start({ size: 1 });
  const store = await openStore(cluster.url);
  const before = (await cluster.databaseBytes(0)).inUse;
  await measureEvents(store, 'events');
  await store.close(); // the chunks are merged by now
  await cluster.compact();
  const after = (await cluster.databaseBytes(0)).inUse;
  return { inUse: Math.round((after - before) / EVENTS) };
}

/** From a leader's end without a word (its renewals stop) to the first write of a standby. */
async function measureTakeover(url: string): Promise<number[]> {
  const took: number[] = [];
  for (let round = 0; round < 3; round++) {
    await using first = new LeaderProcess(`${url}/take-over-${round}`, 'first');
    await first.counts();
    await using second = new LeaderProcess(`${url}/take-over-${round}`, 'second');
    await second.waits();
    const started = performance.now();
    first.signal('SIGKILL');
    await second.counts();
    took.push(performance.now() - started);
  }
  return took;
}

function bareAppends(path: string): number {
  const file = openSync(path, 'a');
  try {
    const started = performance.now();
    for (let append = 0; append < SERIAL_PUTS; append++) {
      writeSync(file, Buffer.alloc(DOCUMENT_BYTES, append));
      fdatasyncSync(file);
    }
    return performance.now() - started;
  } finally {
    closeSync(file);
  }
}

async function inLanes(work: (lane: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: LANES }, (_, lane) => work(lane)));
}

async function elapsed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
