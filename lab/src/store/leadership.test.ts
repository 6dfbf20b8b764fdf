// One leads, whatever happens to it and to etcd: no write of a leader that was deposed is ever there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaseLost, openStore, type Store, StoreUnavailable } from '@vivarium/store';
import { waitFor } from '../testing/wait-for.ts';
import { canCutPeers, EtcdCluster } from './etcd-cluster.ts';
import { LeaderProcess } from './leader-process.ts';
import { needsEtcd } from './use-etcd.ts';

const needsNamespaces = {
  skip: needsEtcd.skip || (canCutPeers() ? false : 'not run: no right to make mount namespaces'),
};

/** Every count up to the newest was made once, and each at the time of one leader. */
function checkCounts(store: Store, ...acknowledged: readonly number[]): void {
  const count = store.get<number>('count')?.value ?? 0;
  for (const number of acknowledged) assert.ok(count >= number, `${number} was acknowledged, ${count} is there`);
  const names: string[] = [];
  for (let number = 1; number <= count; number++)
    names.push(store.get<string>(`counted/${number}`)?.value ?? 'missing');
  assert.ok(!names.includes('missing'));
  assert.equal(store.get(`counted/${count + 1}`), undefined);
  const turns = names.filter((name, index) => name !== names[index - 1]);
  assert.equal(new Set(turns).size, turns.length, `leaders took turns: ${turns.join(' ')}`);
}

void test('a leader that is killed is followed by a standby, which has everything that was acknowledged', {
  ...needsEtcd,
  timeout: 120_000,
}, async (context) => {
  await using cluster = await EtcdCluster.start();
  await using first = new LeaderProcess(cluster.url, 'first');
  await first.counts();
  await using second = new LeaderProcess(cluster.url, 'second');
  await second.waits();
  await first.counts();
  const killed = performance.now();
  first.signal('SIGKILL');
  await first.ends();
  await second.counts();
  context.diagnostic(`the standby wrote ${Math.round(performance.now() - killed)} ms after the kill`);
  assert.ok(second.fence > first.fence);
  const acknowledged = [first.acknowledged, second.acknowledged];
  const store = await openStore(cluster.url);
  checkCounts(store, ...acknowledged);
  await store.close();
});

void test('a leader that was stopped and goes on commits nothing more once another leads', {
  ...needsEtcd,
  timeout: 120_000,
}, async () => {
  await using cluster = await EtcdCluster.start();
  await using first = new LeaderProcess(cluster.url, 'first');
  await first.counts();
  await using second = new LeaderProcess(cluster.url, 'second');
  await second.waits();
  first.signal('SIGSTOP');
  await second.counts();
  first.signal('SIGCONT');
  await first.ends();
  assert.equal(first.loss, 'LeaseLost');
  await second.counts();
  const acknowledged = [first.acknowledged, second.acknowledged];
  const store = await openStore(cluster.url);
  checkCounts(store, ...acknowledged);
  await store.close();
});

void test('a leader keeps its lease when a member of etcd dies, the leading one too', {
  ...needsEtcd,
  timeout: 180_000,
}, async () => {
  await using cluster = await EtcdCluster.start();
  await using leader = new LeaderProcess(cluster.url, 'first');
  await using standby = new LeaderProcess(cluster.url, 'second');
  const [leads, waits] = await waitFor('one of them leads', async () =>
    leader.fence > 0 ? [leader, standby] : standby.fence > 0 && [standby, leader],
  );
  await leads.counts();
  for (let round = 0; round < 3; round++) {
    const member = await cluster.leader();
    await cluster.killMember(member);
    await leads.counts();
    await leads.counts();
    await cluster.startMember(member);
    await cluster.healthy();
  }
  assert.equal(leads.loss, undefined);
  assert.equal(waits.fence, 0);
  leads.signal('SIGKILL');
  await waits.counts();
  const acknowledged = [leader.acknowledged, standby.acknowledged];
  const store = await openStore(cluster.url);
  checkCounts(store, ...acknowledged);
  await store.close();
});

void test('a leader on the small side of a partition is deposed, and nothing that it writes is ever there', {
  ...needsNamespaces,
  timeout: 180_000,
}, async (context) => {
  await using cluster = await EtcdCluster.start();
  for (const [round, isLeading] of [true, false].entries()) {
    const leading = await cluster.leader();
    const island = isLeading ? leading : (leading + 1) % 3;
    const mainland = [0, 1, 2].filter((index) => index !== island);
    await using stack = new AsyncDisposableStack();
    const open = async (...members: number[]) => {
      const store = await openStore(`${cluster.urlOf(...members)}/round-${round}`);
      stack.defer(() => store.close());
      return store;
    };
    const [a, b] = [await open(island), await open(...mainland)];
    const lease = await a.lock('leader', { holder: 'a' });
    const deposed = a.guard(lease);
    await deposed.batch([{ put: 'x', value: 'a, before' }]);
    const next = b.lock('leader', { holder: 'b' });
    cluster.cutPeers(island);
    const cutAt = performance.now();
    // It may be committed if the cut comes late; what is refused must not be there after another has the lock.
    const outcomes: PromiseSettledResult<number>[] = [];
    const writing = (async () => {
      while (outcomes.length < 3) {
        outcomes.push(...(await Promise.allSettled([deposed.batch([{ put: 'x', value: `a, ${outcomes.length}` }])])));
      }
    })();
    const taken = await next;
    context.diagnostic(`taken over ${Math.round(performance.now() - cutAt)} ms after the cut`);
    assert.ok(taken.fence > lease.fence);
    assert.equal(lease.isHeld, false);
    const revision = await b.guard(taken).batch([{ put: 'x', value: 'b' }]);
    await writing;
    assert.ok(
      outcomes.every((outcome) => outcome.status === 'fulfilled' || outcome.reason instanceof StoreUnavailable),
    );
    assert.equal(outcomes.at(-1)?.status, 'rejected');
    assert.ok(a.isStale);
    assert.equal(a.get('x')?.key, 'x');
    assert.equal(b.isStale, false);
    cluster.mendPeers(island);
    await waitFor('the deposed leader knows', async () => lease.signal.aborted);
    assert.ok(lease.signal.reason instanceof LeaseLost);
    await assert.rejects(deposed.batch([{ put: 'x', value: 'a, late' }]), LeaseLost);
    await a.sync();
    assert.deepEqual(a.get('x'), { key: 'x', value: 'b', revision });
    await waitFor('reads are fresh again', async () => !a.isStale);
    await cluster.healthy();
  }
});

void test('a leader whose own link to etcd is cut is deposed, and comes back as a follower', {
  ...needsEtcd,
  timeout: 120_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await EtcdCluster.start());
  const b = await openStore(cluster.urlOf(1, 2));
  stack.defer(() => b.close());
  const a = await openStore(cluster.urlOf(0));
  stack.defer(() => a.close());
  const lease = await a.lock('leader');
  await a.guard(lease).batch([{ put: 'x', value: 1 }]);
  cluster.cutClients(0);
  const taken = await b.lock('leader');
  assert.equal(lease.isHeld, false);
  await b.guard(taken).batch([{ put: 'x', value: 2 }]);
  await waitFor('its reads are called stale', async () => a.isStale);
  await assert.rejects(a.batch([{ put: 'y', value: 1 }]), StoreUnavailable);
  assert.equal(a.get('x')?.value, 1);
  cluster.mendClients(0);
  await assert.rejects(
    waitFor('the deposed leader knows', async () => {
      await a
        .guard(lease)
        .batch([{ put: 'x', value: 3 }])
        .catch((error: Error) => {
          if (!(error instanceof StoreUnavailable)) throw error;
        });
      return false;
    }),
    LeaseLost,
  );
  await a.sync();
  assert.equal(a.get('x')?.value, 2);
  assert.equal(a.lockHolder('leader')?.fence, taken.fence);
});
