// Several vpxd over one etcd: one leads, whatever happens, and the next has what clients were told that is done.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MoRef } from '@vivarium/vim';
import { waitFor } from '../testing/wait-for.ts';
import { EtcdCluster } from './etcd-cluster.ts';
import { makeThings, requireThings } from './things.ts';
import { needsEtcd } from './use-etcd.ts';
import { VpxdProcess } from './vpxd-process.ts';

/** Logged in as soon as it lets us in. */
async function reconnect(vpxd: VpxdProcess, account: Parameters<VpxdProcess['connect']>[0]) {
  return waitFor('the vCenter to let us in', () => vpxd.connect(account).catch(() => undefined));
}

void test('a leader that is killed is followed by the one that stands by, which has everything', {
  ...needsEtcd,
  timeout: 180_000,
}, async (context) => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await EtcdCluster.start());
  const first = stack.use(await VpxdProcess.start(cluster.url));
  await first.is('leader');
  const account = await first.account();
  const second = stack.use(await VpxdProcess.start(cluster.url));
  await second.is('standby');
  const refused = await second.ask('/sdk', 'POST');
  assert.equal(refused?.status, 503);
  assert.match(refused.body, /^503 Service Unavailable: this vCenter stands by, and the one at https:\/\/127\.0\.0\.1/);
  const rest = await second.ask('/api/vcenter/folder');
  assert.equal(rest?.status, 503);
  assert.equal((JSON.parse(rest.body) as { error_type: string }).error_type, 'SERVICE_UNAVAILABLE');
  using former = await first.connect(account);
  for (const name of ['a', 'b', 'c']) await makeThings(former, name);
  const { rootFolder } = await former.content();
  // Several clients at work in the moment of the kill: what each of them was told that is done has to be there.
  const done: string[] = [];
  const working = ['x', 'y', 'z'].map(async (lane) => {
    for (let number = 0; ; number++) {
      const name = `${lane}-${number}`;
      const isDone = await former.call(rootFolder, 'CreateFolder', { name }).then(
        () => true,
        () => false,
      );
      if (!isDone) return;
      done.push(name);
    }
  });
  await waitFor('some folders', async () => done.length >= 20);
  const killed = performance.now();
  await first.kill();
  using client = await reconnect(second, account);
  const tookMs = Math.round(performance.now() - killed);
  context.diagnostic(`the one that stood by let a client in ${tookMs} ms after the kill (aim: 5000)`);
  await Promise.all(working);
  for (const name of ['a', 'b', 'c']) await requireThings(client, name);
  const { searchIndex } = await client.content();
  assert.ok(searchIndex);
  for (const name of done) assert.ok(await client.call(searchIndex, 'FindChild', { entity: rootFolder, name }), name);

  await cluster.killMember(await cluster.leader());
  let tries = 0;
  await waitFor('writes to go on without a member of etcd', async () => {
    tries += 1;
    try {
      using again = await second.connect(account);
      await again.call(rootFolder, 'CreateDatacenter', { name: `with two members ${tries}` });
      return true;
    } catch {
      return false;
    }
  });

  // The one that was killed comes back, stands by, and leads when the other stops: at once, not when a lease has run out.
  await first.start();
  await first.is('standby');
  second.signal('SIGTERM');
  await first.is('leader');
  using last = await first.connect(account);
  for (const name of ['a', 'b', 'c']) await requireThings(last, name);
  await second.ends();
});

void test('a leader that is cut off from etcd answers nothing once another may lead, and stands by afterwards', {
  ...needsEtcd,
  timeout: 180_000,
}, async (context) => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await EtcdCluster.start());
  const first = stack.use(await VpxdProcess.start(`${cluster.urlOf(0)}?timeoutMs=2000`));
  await first.is('leader');
  const account = await first.account();
  const second = stack.use(await VpxdProcess.start(cluster.urlOf(1, 2)));
  await second.is('standby');
  const written: { name: string; atMs: number }[] = [];
  const answered: number[] = [];
  let isOver = false;
  using client = await first.connect(account);
  const { rootFolder } = await client.content();
  const writing = (async () => {
    for (let number = 0; !isOver; number++) {
      const name = `folder-${number}`;
      const done = await client.call(rootFolder, 'CreateFolder', { name }).then(
        () => true,
        () => false,
      );
      if (done) written.push({ name, atMs: performance.now() });
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const reading = (async () => {
    while (!isOver) {
      const answer = await first.ask('/sdk/vimServiceVersions.xml');
      if (answer?.status === 200) answered.push(performance.now());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await waitFor('a few folders', async () => written.length >= 5);
  const cutAt = performance.now();
  cluster.cutClients(0);
  using next = await reconnect(second, account);
  const ledAt = performance.now();
  const ready = await next.call(rootFolder, 'CreateFolder', { name: 'of the second' });
  assert.ok(ready);
  await first.is('standby');
  const refused = await first.ask('/sdk', 'POST');
  assert.equal(refused?.status, 503);
  assert.match(refused.body, /cannot reach its state/);
  isOver = true;
  await Promise.all([writing, reading]);
  const lastAnswer = Math.max(...answered);
  context.diagnostic(
    `after the cut: the last answer of the first ${Math.round(lastAnswer - cutAt)} ms, the second led ${Math.round(ledAt - cutAt)} ms`,
  );
  assert.ok(lastAnswer < ledAt, 'nothing is answered by one that another has followed');
  assert.ok(written.every(({ atMs }) => atMs < ledAt));
  const { searchIndex } = await next.content();
  assert.ok(searchIndex);
  for (const { name } of written) {
    assert.ok(await next.call(searchIndex, 'FindChild', { entity: rootFolder as MoRef<'Folder'>, name }), name);
  }
  cluster.mendClients(0);
  await waitFor('the first to know who leads', async () =>
    /stands by, and the one at/.test((await first.ask('/'))?.body ?? ''),
  );
  await second.kill();
  using back = await reconnect(first, account);
  const index = (await back.content()).searchIndex;
  assert.ok(index && (await back.call(index, 'FindChild', { entity: rootFolder, name: 'of the second' })));
});

void test('a leader that was stopped and goes on answers nothing any more', {
  ...needsEtcd,
  timeout: 120_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await EtcdCluster.start({ size: 1 }));
  const first = stack.use(await VpxdProcess.start(cluster.url));
  await first.is('leader');
  const account = await first.account();
  const second = stack.use(await VpxdProcess.start(cluster.url));
  await second.is('standby');
  first.signal('SIGSTOP');
  using next = await reconnect(second, account);
  first.signal('SIGCONT');
  const answer = await first.ask('/sdk/vimServiceVersions.xml');
  assert.notEqual(answer?.status, 200);
  await first.is('standby');
  const { rootFolder } = await next.content();
  await next.call(rootFolder, 'CreateFolder', { name: 'goes on' });
});
