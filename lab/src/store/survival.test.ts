// What the store does when etcd loses its quorum, is full, forgets, or answers get lost; and when a writer dies on the way.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CompareFailed, HistoryGone, openStore, type Store, StoreFull, StoreUnavailable } from '@vivarium/store';
import { labSeed, seededRandom } from '../testing/random.ts';
import { waitFor } from '../testing/wait-for.ts';
import { EtcdCluster } from './etcd-cluster.ts';
import { needsEtcd } from './use-etcd.ts';

/** Disposing of the stack closes it. */
async function openIn(stack: AsyncDisposableStack, url: string): Promise<Store> {
  const store = await openStore(url);
  stack.defer(() => store.close());
  return store;
}

const REPLACING = fileURLToPath(new URL('./fixtures/replacing.ts', import.meta.url));

void test('without a quorum writes are refused in bounded time and reads go on, stale; then everything goes on', {
  ...needsEtcd,
  timeout: 120_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await EtcdCluster.start());
  const store = await openIn(stack, `${cluster.url}?timeoutMs=2000`);
  await store.batch([{ put: 'a', value: 1 }]);
  await cluster.killMember(0);
  await store.batch([{ put: 'a', value: 2 }]);
  assert.equal(store.isStale, false);
  await cluster.killMember(1);
  const started = performance.now();
  const refused = await Promise.allSettled([
    store.batch([{ put: 'a', value: 3 }]),
    store.history.append('events', [{ key: 1, timeMs: 1, value: 1 }]),
    store.lock('leader'),
    store.sync(),
  ]);
  for (const each of refused) {
    assert.ok(each.status === 'rejected' && each.reason instanceof StoreUnavailable, JSON.stringify(each));
  }
  assert.ok(performance.now() - started < 20_000);
  await waitFor('reads are called stale', async () => store.isStale);
  assert.equal(store.get('a')?.value, 2);
  await cluster.startMember(0);
  await cluster.startMember(1);
  await cluster.healthy();
  await store.batch([{ put: 'b', value: 4 }]);
  assert.ok([2, 3].includes(Number(store.get('a')?.value)));
  await waitFor('reads are fresh again', async () => !store.isStale);
  const again = await openIn(stack, cluster.url);
  assert.equal(again.get('b')?.value, 4);
});

void test('where no member answers, opening is refused', needsEtcd, async () => {
  await using cluster = await EtcdCluster.start({ size: 1 });
  cluster.cutClients(0);
  await assert.rejects(openStore(`${cluster.url}?timeoutMs=1000`), StoreUnavailable);
});

void test('an etcd that is full refuses with StoreFull, loses nothing, and takes writes again when there is room', {
  ...needsEtcd,
  timeout: 180_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await EtcdCluster.start({ flags: ['--quota-backend-bytes', String(16 << 20)] }));
  const store = await openIn(stack, cluster.url);
  await store.batch([{ put: 'kept', value: 1 }]);
  let written = 0;
  const fill = async () => {
    for (; ; written++) await store.batch([{ put: `fill/${written}`, value: 'x'.repeat(100_000) }]);
  };
  await assert.rejects(fill(), StoreFull);
  assert.ok(written > 50);
  assert.equal(store.range('fill/').length, written);
  // What is deleted makes room, by itself.
  for (let number = 0; number < written; number++) await store.batch([{ delete: `fill/${number}` }]);
  await waitFor('there is room again', () =>
    store.batch([{ put: 'kept', value: 2 }]).then(
      () => true,
      (error: unknown) => {
        assert.ok(error instanceof StoreFull, String(error));
        return false;
      },
    ),
  );
  await store.batch([{ put: 'fill/0', value: 'x'.repeat(100_000) }]);
  assert.equal(store.get('kept')?.value, 2);
});

void test('a mirror that etcd has forgotten more than reads everything anew', {
  ...needsEtcd,
  timeout: 120_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await EtcdCluster.start());
  const [near, far] = [await openIn(stack, cluster.urlOf(0, 1)), await openIn(stack, cluster.urlOf(2))];
  await near.batch([
    { put: 'a', value: 1 },
    { put: 'gone', value: 1 },
  ]);
  await near.history.append('events', [{ key: 1, timeMs: 1, value: 1 }]);
  await far.sync();
  const watcher = far.watch('');
  cluster.cutClients(2);
  await near.batch([{ put: 'a', value: 2 }, { delete: 'gone' }, { put: 'new', value: 1 }]);
  await near.history.append('events', [{ key: 2, timeMs: 2, value: 2 }]);
  await cluster.compact();
  cluster.mendClients(2);
  await waitFor('the mirror is there again', async () => far.get('new') !== undefined);
  assert.equal(far.get('a')?.value, 2);
  assert.equal(far.get('gone'), undefined);
  assert.equal(far.history.lastKey('events'), 2);
  await assert.rejects(watcher.next(), HistoryGone);
  const changes = far.watch('');
  await near.batch([{ put: 'a', value: 3 }]);
  assert.equal((await changes.next()).value.value, 3);
});

void test('whatever breaks, a batch is committed once or not at all, and in its order', {
  ...needsEtcd,
  timeout: 300_000,
}, async (context) => {
  const random = seededRandom(labSeed());
  const next = (bound: number) => Math.floor(random() * bound);
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await EtcdCluster.start());
  const store = await openIn(stack, `${cluster.url}?timeoutMs=700`);
  let isDone = false;
  const breaking = (async () => {
    for (let round = 0; round < 25; round++) {
      const member = next(3);
      const kind = next(4);
      if (kind === 0) await cluster.killMember(member);
      else if (kind === 1) cluster.pauseMember(member);
      else cluster.cutClients(member);
      await new Promise((resolve) => setTimeout(resolve, 50 + next(700)));
      if (kind === 0) await cluster.startMember(member);
      cluster.resumeMember(member);
      cluster.mendClients(member);
      if (kind < 2) await cluster.healthy();
    }
    isDone = true;
  })();
  const outcomes = { committed: 0, unknown: 0, notApplied: 0 };
  const lanes = Array.from({ length: 8 }, (_, lane) => count(store, lane, outcomes, () => isDone));
  await breaking;
  await Promise.all(lanes);
  context.diagnostic(JSON.stringify(outcomes));
  assert.ok(outcomes.committed > 100);
});

/**
 * Counts by compare until it is to stop. After a batch whose outcome is unknown it may or may not be there, but nothing else;
 * after one that was not applied it must not be, and must not come later.
 */
async function count(
  store: Store,
  lane: number,
  outcomes: Record<'committed' | 'unknown' | 'notApplied', number>,
  isOver: () => boolean,
): Promise<void> {
  const key = `lane/${lane}`;
  let known = { value: 0, revision: 0 };
  let possible: number | undefined;
  while (!isOver()) {
    const found = store.get<number>(key) ?? { value: 0, revision: 0 };
    if (found.value !== known.value) {
      assert.equal(found.value, possible, `${key}: ${known.value} was acknowledged, ${found.value} is there`);
    }
    known = { value: found.value, revision: found.revision };
    const next = known.value + 1;
    try {
      const revision = await store.batch([{ put: key, value: next }], [{ key, revision: known.revision }]);
      assert.deepEqual(store.get(key), { key, value: next, revision });
      [known, possible] = [{ value: next, revision }, undefined];
      outcomes.committed += 1;
    } catch (error) {
      if (error instanceof CompareFailed) {
        // Only because an earlier one, of unknown outcome, is there after all.
        assert.notEqual(possible, undefined, `${key}: refused at ${known.value}, nobody else writes it`);
        await store.sync().catch(() => undefined);
        continue;
      }
      assert.ok(error instanceof StoreUnavailable, String(error));
      if (error.outcome === 'unknown') possible = next;
      outcomes[error.outcome] += 1;
    }
  }
}

void test('who is killed while replacing everything has replaced it or has not, and leaves nothing', {
  ...needsEtcd,
  timeout: 180_000,
}, async (context) => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await EtcdCluster.start());
  const store = await openIn(stack, cluster.url);
  const documents = 10_000;
  for (let begin = 0; begin < documents; begin += 1_000) {
    await store.batch(Array.from({ length: 1_000 }, (_, index) => ({ put: `k/${begin + index}`, value: 'first' })));
  }
  let before = 'first';
  for (let delayMs = 0, isDone = false; !isDone; delayMs = 2 * delayMs + 50) {
    const name = `after ${delayMs} ms`;
    isDone = await replaceAndKill(cluster.url, name, documents, delayMs);
    const again = await openIn(stack, cluster.url);
    const values = new Set(again.range<string>('k/').map(({ value }) => value.trim()));
    assert.equal(again.range('k/').length, documents);
    assert.ok(values.size === 1 && (values.has(before) || values.has(name)), [...values].join(', '));
    before = [...values][0] ?? '';
    await again.close();
  }
  context.diagnostic(`the last one: ${before}`);
  await waitFor('the mirror has the new contents', async () => store.get<string>('k/0')?.value.trim() === before);
  await store.replace((async function* () {})());
  // The documents of all the unfinished ones are gone: what is left is the pointer and this store's writer.
  assert.ok((await cluster.keys('vivarium/')).length <= 5, (await cluster.keys('vivarium/')).join('\n'));
});

async function replaceAndKill(url: string, name: string, count: number, delayMs: number): Promise<boolean> {
  const args = ['--disable-warning=ExperimentalWarning', REPLACING, url, name, String(count)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (!text.includes('replaces')) setTimeout(() => child.kill('SIGKILL'), delayMs);
    text += chunk;
  });
  await once(child, 'close');
  return text.includes('done');
}
