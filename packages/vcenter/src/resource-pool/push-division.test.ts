import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, make } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { type TestCenter, testCenter } from '../testing/test-center.ts';

const allocation = (reservation: number, limit: number) =>
  make('ResourceAllocationInfo', {
    reservation,
    expandableReservation: true,
    limit,
    shares: make('SharesInfo', { level: 'normal', shares: 0 }),
  });
const config = (memoryMB: number, limitMB = -1) =>
  make('ResourceConfigSpec', { cpuAllocation: allocation(0, -1), memoryAllocation: allocation(memoryMB, limitMB) });

async function clusterOf(center: TestCenter, count: number) {
  const { cluster } = await center.cluster();
  const hosts: FakeHost[] = [];
  const vms: MoRef[] = [];
  for (let number = 1; number <= count; number += 1) {
    const host = new FakeHost(`esx${number}`);
    host.addVm({ name: `vm${number}`, powerState: 'poweredOn' });
    const ref = await center.addHost(cluster as MoRef, host);
    vms.push(...center.read<MoRef[]>(ref as MoRef, 'vm'));
    hosts.push(host);
  }
  const root = center.read<MoRef>(cluster as MoRef, 'resourcePool');
  const pool = (at: MoRef, name: string, spec: object) =>
    center.invoke<MoRef>(at, 'CreateResourcePool', { name, spec });
  const sumOf = (key: MoRef, of: 'reservation' | 'limit') =>
    hosts.reduce((sum, { pools }) => sum + (pools.named(key.value)?.config.memoryAllocation[of] ?? 0), 0);
  return { cluster: cluster as MoRef, root, hosts, vms, pool, sumOf };
}

void test('what a pool has is divided among the hosts of its running VMs, and their VMs are in it there', async (context) => {
  const center = await testCenter(context);
  const { root, hosts, vms, pool, sumOf } = await clusterOf(center, 3);
  const [one, two, three] = hosts as [FakeHost, FakeHost, FakeHost];
  const gold = await pool(root, 'gold', config(1000, 3000));
  assert.deepEqual([one.pools.all.size, two.pools.all.size], [0, 0], 'a pool without running VMs is on no host');
  await center.invoke(gold, 'MoveIntoResourcePool', { list: vms.slice(0, 2) });
  await center.eventually(() => one.pools.poolOf('1') === gold.value && two.pools.poolOf('1') === gold.value);
  assert.equal(sumOf(gold, 'limit'), 3000);
  assert.equal(sumOf(gold, 'reservation'), 1000);
  assert.equal(one.pools.named(gold.value)?.config.memoryAllocation.expandableReservation, true);
  assert.equal(three.pools.all.size, 0);
  await center.invoke(gold, 'UpdateConfig', { config: config(2000, 6000) });
  await center.eventually(() => sumOf(gold, 'limit') === 6000 && sumOf(gold, 'reservation') === 2000);
  await center.task(vms[0] as MoRef, 'PowerOffVM_Task');
  await center.eventually(() => one.pools.all.size === 0 && sumOf(gold, 'limit') === 6000);
  await center.task(gold, 'Destroy_Task');
  await center.eventually(() => two.pools.all.size === 0);
});

void test('pools within pools are made and removed on a host in order, and move with their VMs', async (context) => {
  const center = await testCenter(context);
  const { root, hosts, vms, pool } = await clusterOf(center, 1);
  const { pools } = hosts[0] as FakeHost;
  const outer = await pool(root, 'outer', config(500));
  const other = await pool(root, 'other', config(0));
  const inner = await pool(outer, 'inner', config(200));
  await center.invoke(inner, 'MoveIntoResourcePool', { list: vms });
  await center.eventually(() => pools.poolOf('1') === inner.value);
  const parentOf = (key: MoRef) => pools.all.get(pools.named(key.value)?.parent ?? '')?.name;
  assert.equal(parentOf(inner), outer.value);
  await center.invoke(other, 'MoveIntoResourcePool', { list: [inner] });
  await center.eventually(() => parentOf(inner) === other.value && pools.all.size === 2);
  await center.invoke(root, 'MoveIntoResourcePool', { list: vms });
  await center.eventually(() => pools.all.size === 0 && pools.placed.get('1') === 'ha-root-pool');
});

void test('a host that was away, and a vCenter that was, are brought up to date', async (context) => {
  const center = await testCenter(context);
  const { root, hosts, vms, pool } = await clusterOf(center, 1);
  const host = hosts[0] as FakeHost;
  const gold = await pool(root, 'gold', config(0, 4000));
  const lost = await pool(root, 'lost', config(0, 4000));
  await center.invoke(lost, 'MoveIntoResourcePool', { list: vms });
  await center.eventually(() => host.pools.poolOf('1') === lost.value);
  host.cut();
  await center.invoke(gold, 'MoveIntoResourcePool', { list: vms });
  await center.task(lost, 'Destroy_Task');
  const again = await center.restart();
  host.isReachable = true;
  await again.eventually(() => host.pools.poolOf('1') === gold.value && host.pools.all.size === 1);
  // Somebody removes the pool on the host behind vCenter's back.
  const [id] = host.pools.all.keys();
  host.pools.perform(id ?? '', 'Destroy_Task', {});
  await again.invoke(gold, 'UpdateConfig', { config: config(0, 5000) });
  await again.eventually(() => host.pools.named(gold.value)?.config.memoryAllocation.limit === 5000);
});

void test('pools that somebody has removed on a host are made there again, with what was in them', async (context) => {
  const center = await testCenter(context);
  const { root, hosts, vms, pool } = await clusterOf(center, 1);
  const host = hosts[0] as FakeHost;
  host.addVm({ name: 'other', powerState: 'poweredOn' });
  await center.eventually(() => center.read<MoRef[]>(root, 'vm').length === 2);
  const [, second] = center.read<MoRef[]>(root, 'vm');
  const outer = await pool(root, 'outer', config(500));
  const inner = await pool(outer, 'inner', config(200));
  const next = await pool(outer, 'next', config(100));
  await center.invoke(inner, 'MoveIntoResourcePool', { list: vms });
  await center.eventually(() => host.pools.poolOf('1') === inner.value);
  const [id] = [...host.pools.all].find(([, { name }]) => name === outer.value) ?? [];
  host.pools.perform(id ?? '', 'Destroy_Task', {});
  await center.invoke(next, 'MoveIntoResourcePool', { list: [second] });
  const parentOf = (key: MoRef) => host.pools.all.get(host.pools.named(key.value)?.parent ?? '')?.name;
  await center.eventually(() => host.pools.poolOf('2') === next.value);
  assert.deepEqual([parentOf(next), parentOf(inner), host.pools.poolOf('1')], [outer.value, outer.value, inner.value]);
});

void test('a host that does not answer for a moment has its part when it answers again', async (context) => {
  const center = await testCenter(context);
  const { root, hosts, vms, pool } = await clusterOf(center, 1);
  const host = hosts[0] as FakeHost;
  const gold = await pool(root, 'gold', config(0, 4000));
  host.isReachable = false;
  await center.invoke(gold, 'MoveIntoResourcePool', { list: vms });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(host.pools.all.size, 0);
  host.isReachable = true;
  await center.eventually(() => host.pools.poolOf('1') === gold.value);
});

void test('what a host refuses until another pool has given its part back is asked for again', async (context) => {
  const center = await testCenter(context);
  const { root, hosts, vms, pool } = await clusterOf(center, 1);
  const host = hosts[0] as FakeHost;
  host.addVm({ name: 'other', powerState: 'poweredOn' });
  await center.eventually(() => center.read<MoRef[]>(root, 'vm').length === 2);
  const [, second] = center.read<MoRef[]>(root, 'vm');
  const big = await pool(root, 'big', config(6000));
  const small = await pool(root, 'small', config(1000));
  await center.invoke(big, 'MoveIntoResourcePool', { list: vms });
  await center.invoke(small, 'MoveIntoResourcePool', { list: [second] });
  const reserved = (key: MoRef) => host.pools.named(key.value)?.config.memoryAllocation.reservation;
  await center.eventually(() => reserved(big) === 6000 && reserved(small) === 1000);
  await Promise.all([
    center.invoke(big, 'UpdateConfig', { config: config(1000) }),
    center.invoke(small, 'UpdateConfig', { config: config(6000) }),
  ]);
  await center.eventually(() => reserved(big) === 1000 && reserved(small) === 6000);
});
