import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, make, type VirtualMachineSummary } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, type TestCenter, testCenter } from '../testing/test-center.ts';

const allocation = (reservation: number, limit = -1, expandableReservation = true) =>
  make('ResourceAllocationInfo', {
    reservation,
    expandableReservation,
    limit,
    shares: make('SharesInfo', { level: 'normal', shares: 0 }),
  });
const config = (cpuMhz: number, memoryMB: number, isExpandable = true) =>
  make('ResourceConfigSpec', {
    cpuAllocation: allocation(cpuMhz, -1, isExpandable),
    memoryAllocation: allocation(memoryMB, -1, isExpandable),
  });

async function clusterOfOne(center: TestCenter) {
  const { cluster } = await center.cluster();
  const host = new FakeHost('esx1');
  const web = host.addVm({ name: 'web' });
  const ref = await center.addHost(cluster as MoRef, host);
  const [vm] = center.read<MoRef[]>(ref as MoRef, 'vm') as [MoRef];
  return { cluster: cluster as MoRef, root: center.read<MoRef>(cluster as MoRef, 'resourcePool'), host, web, vm };
}

void test('a root pool has what the hosts have, and pools below take their reservations from it', async (context) => {
  const center = await testCenter(context);
  const { root } = await clusterOfOne(center);
  // The fake host: 4 cores of 2,000 MHz, 8 GB.
  assert.equal(center.read(root, 'runtime.cpu.unreservedForPool'), 8000);
  const gold = await center.invoke<MoRef>(root, 'CreateResourcePool', { name: 'gold', spec: config(6000, 4096) });
  assert.deepEqual(center.read(root, 'resourcePool'), [gold]);
  assert.equal(center.read(root, 'runtime.cpu.unreservedForPool'), 2000);
  assert.equal(center.read(gold, 'runtime.memory.unreservedForPool'), 8192 * 2 ** 20 - 0);
  await assert.rejects(
    center.invoke(root, 'CreateResourcePool', { name: 'greedy', spec: config(2001, 0) }),
    fault('InsufficientCpuResourcesFault'),
  );
  await assert.rejects(
    center.invoke(root, 'CreateResourcePool', { name: 'gold', spec: config(0, 0) }),
    fault('DuplicateName'),
  );
  await assert.rejects(center.invoke(root, 'UpdateConfig', { name: 'x' }), fault('NotSupported'));
  await center.invoke(gold, 'UpdateConfig', { name: 'silver', config: config(1000, 1024) });
  assert.equal(center.read(gold, 'name'), 'silver');
  assert.equal(center.read(root, 'runtime.cpu.unreservedForPool'), 7000);
});

void test('VMs and pools move between pools, and go to the pool around when theirs is destroyed', async (context) => {
  const center = await testCenter(context);
  const { root, vm } = await clusterOfOne(center);
  const gold = await center.invoke<MoRef>(root, 'CreateResourcePool', { name: 'gold', spec: config(0, 0) });
  const inner = await center.invoke<MoRef>(gold, 'CreateResourcePool', { name: 'inner', spec: config(0, 0) });
  await center.invoke(inner, 'MoveIntoResourcePool', { list: [vm] });
  assert.deepEqual(center.read(inner, 'vm'), [vm]);
  assert.deepEqual(center.read(root, 'vm'), []);
  assert.deepEqual(center.read(vm, 'resourcePool'), inner);
  await assert.rejects(center.invoke(inner, 'MoveIntoResourcePool', { list: [gold] }), fault('InvalidArgument'));
  await center.task(gold, 'Destroy_Task');
  assert.deepEqual(center.read(root, 'resourcePool'), [inner]);
  await center.invoke(root, 'DestroyChildren');
  assert.deepEqual(center.read(root, 'vm'), [vm]);
  const again = await center.restart();
  assert.deepEqual(again.read(root, 'resourcePool'), []);
  assert.deepEqual(again.read(vm, 'resourcePool'), root);
});

void test('a cluster keeps rules, groups and overrides; what does not fit together is refused', async (context) => {
  const center = await testCenter(context);
  const { cluster, vm, host } = await clusterOfOne(center);
  host.addVm({ name: 'db' });
  await center.eventually(() => center.read<MoRef[]>(cluster, 'host').length === 1);
  const rule = make('ClusterAntiAffinityRuleSpec', {
    name: 'apart',
    enabled: true,
    vm: [vm as MoRef<'VirtualMachine'>],
  });
  const reconfigure = (spec: object) =>
    center.task(cluster, 'ReconfigureComputeResource_Task', {
      spec: { _typeName: 'ClusterConfigSpecEx', ...spec },
      modify: true,
    });
  await assert.rejects(
    reconfigure({ rulesSpec: [{ _typeName: 'ClusterRuleSpec', operation: 'add', info: rule }] }),
    fault('InvalidArgument'),
  );
  const group = make('ClusterVmGroup', { name: 'webs', vm: [vm as MoRef<'VirtualMachine'>] });
  await reconfigure({ groupSpec: [{ _typeName: 'ClusterGroupSpec', operation: 'add', info: group }] });
  await reconfigure({ drsConfig: make('ClusterDrsConfigInfo', { enabled: true }) });
  assert.equal(center.read(cluster, 'configurationEx.drsConfig.enabled'), true);
  assert.equal(center.read(cluster, 'configuration.drsConfig.enabled'), true);
  assert.equal(center.read<unknown[]>(cluster, 'configurationEx.group').length, 1);
  const again = await center.restart();
  assert.equal(again.read<unknown[]>(cluster, 'configurationEx.group').length, 1);
});

void test('a pool that is destroyed leaves its name, and pools that come out of it get names of their own', async (context) => {
  const center = await testCenter(context);
  const { root } = await clusterOfOne(center);
  const create = (parent: MoRef, name: string) =>
    center.invoke<MoRef>(parent, 'CreateResourcePool', { name, spec: config(0, 0) });
  const gold = await create(root, 'gold');
  await create(root, 'x');
  for (const name of ['gold', 'x', 'x (1)']) await create(gold, name);
  await center.task(gold, 'Destroy_Task');
  const names = center.read<MoRef[]>(root, 'resourcePool').map((ref) => center.read<string>(ref, 'name'));
  assert.deepEqual(names.toSorted(), ['gold', 'x', 'x (1)', 'x (1) (1)']);
});

void test('pools are at most eight deep, wherever they come from', async (context) => {
  const center = await testCenter(context);
  const { root } = await clusterOfOne(center);
  const chain = async (length: number, name: string) => {
    let at = root;
    for (let depth = 0; depth < length; depth++) {
      at = await center.invoke<MoRef>(at, 'CreateResourcePool', { name: `${name}${depth}`, spec: config(0, 0) });
    }
    return at;
  };
  const deep = await chain(7, 'a');
  await chain(2, 'b');
  const [, top] = center.read<MoRef[]>(root, 'resourcePool') as [MoRef, MoRef];
  const [leaf] = center.read<MoRef[]>(top, 'resourcePool') as [MoRef];
  await assert.rejects(
    center.invoke(deep, 'MoveIntoResourcePool', { list: [top] }),
    fault('InvalidResourcePoolStructureFault'),
  );
  await center.invoke(deep, 'MoveIntoResourcePool', { list: [leaf] });
});

void test('of two VMs that want all of a pool at once, one powers on, and what failed holds nothing', async (context) => {
  const center = await testCenter(context);
  const { root, host } = await clusterOfOne(center);
  const gold = await center.invoke<MoRef>(root, 'CreateResourcePool', { name: 'gold', spec: config(0, 1024, false) });
  for (const name of ['a', 'b']) host.addVm({ name, memoryReservation: 1024 });
  const named = (name: string) =>
    center.read<MoRef[]>(root, 'vm').find((ref) => center.read<string>(ref, 'name') === name) as MoRef;
  await center.eventually(() => named('b') !== undefined);
  const vms = [named('a'), named('b')];
  await center.invoke(gold, 'MoveIntoResourcePool', { list: vms });
  host.refuses = 'PowerOnVM_Task a';
  await assert.rejects(center.task(vms[0] as MoRef, 'PowerOnVM_Task'), fault('PlatformConfigFault'));
  host.refuses = undefined;
  const started = await Promise.allSettled(vms.map((vm) => center.task(vm, 'PowerOnVM_Task')));
  assert.deepEqual(started.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  const failed = started.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
  assert.ok(fault('InsufficientMemoryResourcesFault')(failed.reason));
  await center.eventually(() => center.read(gold, 'runtime.memory.reservationUsedForVm') === 2 ** 30);
});

void test('a pool shows what the VMs in it and in pools below use, and how large they are', async (context) => {
  const center = await testCenter(context);
  const { root, host, web, vm } = await clusterOfOne(center);
  const gold = await center.invoke<MoRef>(root, 'CreateResourcePool', { name: 'gold', spec: config(0, 0) });
  const figure = (pool: MoRef, name: string) =>
    center.read<number>(pool, name.startsWith('runtime') ? name : `summary.${name}`);
  assert.equal(figure(gold, 'quickStats.overallCpuUsage'), 0);
  await center.invoke(gold, 'MoveIntoResourcePool', { list: [vm] });
  const summary = center.read<VirtualMachineSummary>(vm, 'summary');
  const quickStats = make('VirtualMachineQuickStats', {
    ...{ overallCpuUsage: 100, overallCpuDemand: 120, guestMemoryUsage: 64, hostMemoryUsage: 80 },
    guestHeartbeatStatus: 'green',
  });
  const tell = (powerState: 'poweredOn' | 'poweredOff') => {
    const runtime = { ...summary.runtime, powerState };
    const value = { ...summary, runtime, config: { ...summary.config, memorySizeMB: 256 }, quickStats };
    host.tell({ kind: 'modify', ref: web.ref as MoRef, changes: [{ name: 'summary', value }] });
  };
  tell('poweredOn');
  await center.until(root, 'summary.quickStats.overallCpuUsage', 100);
  for (const pool of [gold, root]) {
    assert.equal(figure(pool, 'quickStats.overallCpuDemand'), 120);
    assert.equal(figure(pool, 'quickStats.guestMemoryUsage'), 64);
    assert.equal(figure(pool, 'quickStats.hostMemoryUsage'), 80);
    assert.equal(figure(pool, 'runtime.memory.overallUsage'), 80 * 2 ** 20);
    assert.equal(figure(pool, 'configuredMemoryMB'), 256);
  }
  tell('poweredOff');
  await center.until(gold, 'summary.quickStats.hostMemoryUsage', 0);
  assert.equal(figure(gold, 'configuredMemoryMB'), 256);
  await center.invoke(root, 'MoveIntoResourcePool', { list: [vm] });
  await center.until(gold, 'summary.configuredMemoryMB', 0);
  assert.equal(figure(root, 'configuredMemoryMB'), 256);
});

void test('a VM powers on when its overhead is unreserved too, and takes it with it into another pool', async (context) => {
  const center = await testCenter(context);
  const { root, host, web, vm } = await clusterOfOne(center);
  const pool = (name: string, memoryMB: number) =>
    center.invoke<MoRef>(root, 'CreateResourcePool', { name, spec: config(0, memoryMB, false) });
  const [narrow, wide] = [await pool('narrow', 1024), await pool('wide', 1124)];
  Object.assign(web, { memoryReservation: 1024, memoryOverhead: 100 * 2 ** 20 });
  host.changed(web);
  await center.until(vm, 'summary.config.memoryReservation', 1024);
  await center.invoke(narrow, 'MoveIntoResourcePool', { list: [vm] });
  await assert.rejects(center.task(vm, 'PowerOnVM_Task'), fault('InsufficientMemoryResourcesFault'));
  await center.invoke(wide, 'MoveIntoResourcePool', { list: [vm] });
  await center.task(vm, 'PowerOnVM_Task');
  await center.eventually(() => center.read(wide, 'runtime.memory.reservationUsedForVm') === 1124 * 2 ** 20);
  await assert.rejects(
    center.invoke(narrow, 'MoveIntoResourcePool', { list: [vm] }),
    fault('InsufficientMemoryResourcesFault'),
  );
});
