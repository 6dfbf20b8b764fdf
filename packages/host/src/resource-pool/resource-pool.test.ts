// Resource pools as clients see them, through the dispatch; control groups and machines are simulated.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Event,
  type MoRef,
  make,
  moRef,
  type ResourceAllocationInfo,
  type ResourceConfigSpec,
  type ResourcePoolResourceUsage,
} from '@vivarium/vim';
import { refs } from '../inventory/refs.ts';
import { fault } from '../testing/faults.ts';
import { type PublishedHost, publishedHost } from '../testing/published-host.ts';
import { vmSpec } from '../testing/test-host.ts';
import { turns } from '../testing/virtual-clock.ts';

type PoolRef = MoRef<'ResourcePool'>;
type VmRef = MoRef<'VirtualMachine'>;
type Given = Partial<Pick<ResourceAllocationInfo, 'reservation' | 'limit' | 'expandableReservation'>> & {
  readonly shares?: number;
};

const ROOT = refs.resourcePool;
const MB = 2 ** 20;

const allocation = ({ shares, ...given }: Given = {}) =>
  make('ResourceAllocationInfo', {
    ...{ reservation: 0, limit: -1, expandableReservation: true },
    shares: make('SharesInfo', shares === undefined ? { level: 'normal', shares: 0 } : { level: 'custom', shares }),
    ...given,
  });

const poolSpec = (cpu: Given = {}, memory: Given = {}) =>
  make('ResourceConfigSpec', { cpuAllocation: allocation(cpu), memoryAllocation: allocation(memory) });

const changeOf = (cpu: Partial<ResourceAllocationInfo>, memory: Partial<ResourceAllocationInfo> = {}) =>
  make('ResourceConfigSpec', {
    cpuAllocation: make('ResourceAllocationInfo', cpu),
    memoryAllocation: make('ResourceAllocationInfo', memory),
  });

const createPool = (world: PublishedHost, parent: PoolRef, name: string, cpu?: Given, memory?: Given) =>
  world.invoke<PoolRef>(parent, 'CreateResourcePool', { name, spec: poolSpec(cpu, memory) });

async function createVm(world: PublishedHost, name: string, pool: PoolRef = ROOT, spec: object = {}): Promise<VmRef> {
  const config = { ...vmSpec(name), ...spec };
  const { value } = await world.run<VmRef>(refs.vmFolder, 'CreateVM_Task', { config, pool });
  return moRef('VirtualMachine', value);
}

const powerOn = (world: PublishedHost, vm: VmRef) => world.run(vm, 'PowerOnVM_Task');
const reserving = (cpu: number, memory = 0) => ({
  cpuAllocation: make('ResourceAllocationInfo', { reservation: cpu }),
  memoryAllocation: make('ResourceAllocationInfo', { reservation: memory }),
});

const values = (list: readonly MoRef[] | undefined) => list?.map(({ value }) => value);
const children = (world: PublishedHost, pool: PoolRef) => values(world.property(pool, 'resourcePool'));
const vmsIn = (world: PublishedHost, pool: PoolRef) => values(world.property(pool, 'vm'));
const usage = (world: PublishedHost, pool: PoolRef, resource: 'cpu' | 'memory') =>
  world.property<ResourcePoolResourceUsage>(pool, `runtime.${resource}`);
const eventsOf = (world: PublishedHost, type: string) =>
  world.host.events.filter(({ _typeName }) => _typeName === type) as unknown as Event[];

/** Names of the control groups around a VM's, from the top. */
function groupPath(world: PublishedHost, name: string): string {
  const group = world.host.groups.get(name);
  assert.ok(group, name);
  return group.parent === undefined ? name : `${groupPath(world, group.parent)}/${name}`;
}

void test('a pool is made, and shown wherever pools are', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a', { reservation: 1000, shares: 7 });
  const b = await createPool(world, a, 'b/c');
  assert.deepEqual(children(world, ROOT), [a.value]);
  assert.deepEqual(children(world, a), [b.value]);
  assert.deepEqual(world.property(b, 'parent'), a);
  assert.deepEqual(world.property(b, 'owner'), refs.computeResource);
  assert.equal(world.property(b, 'name'), 'b%2fc');
  assert.equal(world.property(b, 'summary.name'), 'b%2fc');
  assert.equal(world.property(a, 'config.cpuAllocation.reservation'), 1000);
  assert.deepEqual(
    world.property(a, 'config.cpuAllocation.shares'),
    make('SharesInfo', { level: 'custom', shares: 7 }),
  );
  assert.equal(world.property(a, 'config.memoryAllocation.shares.shares'), 163_840);
  assert.equal(world.property(a, 'summary.config.cpuAllocation.reservation'), 1000);
  assert.equal(world.property(a, 'runtime.overallStatus'), 'green');
});

void test('a pool that cannot be is refused', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a');
  await assert.rejects(createPool(world, ROOT, 'a'), fault('DuplicateName', { name: 'a', object: a }));
  await assert.rejects(createPool(world, ROOT, ' '), fault('InvalidName'));
  await createPool(world, a, 'a'); // another place
  const incomplete = changeOf({ reservation: 1 });
  await assert.rejects(
    world.invoke(ROOT, 'CreateResourcePool', { name: 'b', spec: incomplete }),
    fault('InvalidArgument', { invalidProperty: 'spec.cpuAllocation' }),
  );
  await assert.rejects(
    createPool(world, ROOT, 'b', { reservation: 16_001 }),
    fault('InsufficientCpuResourcesFault', { unreserved: 16_000, requested: 16_001 }),
  );
  await assert.rejects(
    createPool(world, ROOT, 'b', {}, { reservation: 65_537 }),
    fault('InsufficientMemoryResourcesFault', { unreserved: 65_536 * MB, requested: 65_537 * MB }),
  );
  let deep = a;
  for (let level = 2; level <= 8; level++) deep = await createPool(world, deep, `level ${level}`);
  await assert.rejects(createPool(world, deep, 'level 9'), fault('InvalidResourcePoolStructureFault'));
  await assert.rejects(createPool(world, moRef('ResourcePool', 'pool99'), 'b'), fault('ManagedObjectNotFound'));
});

void test('the root pool stays as it is', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a');
  await assert.rejects(world.invoke(ROOT, 'UpdateConfig', { name: 'mine' }), fault('NotSupported'));
  await assert.rejects(world.invoke(ROOT, 'UpdateConfig', { config: changeOf({ limit: 1 }) }), fault('NotSupported'));
  await assert.rejects(world.run(ROOT, 'Rename_Task', { newName: 'mine' }), fault('NotSupported'));
  await assert.rejects(world.run(ROOT, 'Destroy_Task'), fault('NotSupported'));
  await assert.rejects(world.invoke(a, 'MoveIntoResourcePool', { list: [ROOT] }), fault('NotSupported'));
});

void test('a VM lives in the pool in which it is made or registered, and leaves it when it goes', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a');
  const vm = await createVm(world, 'web', a);
  assert.deepEqual(world.property(vm, 'resourcePool'), a);
  assert.deepEqual([vmsIn(world, a), vmsIn(world, ROOT)], [[vm.value], []]);
  assert.equal(world.property(a, 'summary.configuredMemoryMB'), 0, 'until somebody asks');
  await world.invoke(a, 'RefreshRuntime');
  assert.equal(world.property(a, 'summary.configuredMemoryMB'), 128);
  await world.invoke(vm, 'UnregisterVM');
  assert.deepEqual(vmsIn(world, a), []);
  const path = '[datastore1] web/web.vmx';
  const again = await world.run<VmRef>(refs.vmFolder, 'RegisterVM_Task', { path, asTemplate: false, pool: a });
  assert.deepEqual(vmsIn(world, a), [again.value]);
  await world.run(again, 'Destroy_Task');
  assert.deepEqual(vmsIn(world, a), []);
  assert.deepEqual(world.host.store.range('pool-vm/'), []);
});

void test('what moves is in its new pool, for everybody and for the machine', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a');
  const b = await createPool(world, ROOT, 'b');
  const vm = await createVm(world, 'web', a);
  await powerOn(world, vm);
  assert.equal(groupPath(world, `vm-${vm.value}`), `${a.value}/vm-${vm.value}`);
  await world.invoke(b, 'MoveIntoResourcePool', { list: [a] });
  assert.deepEqual([children(world, ROOT), children(world, b)], [[b.value], [a.value]]);
  assert.deepEqual(world.property(a, 'parent'), b);
  assert.equal(groupPath(world, `vm-${vm.value}`), `${b.value}/${a.value}/vm-${vm.value}`);
  await world.invoke(ROOT, 'MoveIntoResourcePool', { list: [vm, a] });
  assert.deepEqual(world.property(vm, 'resourcePool'), ROOT);
  assert.deepEqual([vmsIn(world, a), vmsIn(world, ROOT)], [[], [vm.value]]);
  assert.equal(groupPath(world, `vm-${vm.value}`), `vm-${vm.value}`);
  const [moved] = eventsOf(world, 'VmResourcePoolMovedEvent') as unknown as { oldParent: { name: string } }[];
  assert.equal(moved?.oldParent.name, 'a');
});

void test('what must not move stays, and what came before it in the list has moved', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a');
  const inner = await createPool(world, a, 'inner');
  const b = await createPool(world, ROOT, 'b');
  const namesake = await createPool(world, b, 'inner');
  const vm = await createVm(world, 'web', a);
  await assert.rejects(
    world.invoke(inner, 'MoveIntoResourcePool', { list: [a] }),
    fault('InvalidArgument', { invalidProperty: 'list' }),
  );
  await assert.rejects(
    world.invoke(b, 'MoveIntoResourcePool', { list: [vm, inner] }),
    fault('DuplicateName', { name: 'inner', object: namesake }),
  );
  assert.deepEqual(world.property(vm, 'resourcePool'), b);
  assert.deepEqual(world.property(inner, 'parent'), a);
  await assert.rejects(
    world.invoke(b, 'MoveIntoResourcePool', { list: [refs.host] }),
    fault('InvalidArgument', { invalidProperty: 'list' }),
  );
});

void test('what is in a pool comes into its parent when the pool goes', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a');
  const b = await createPool(world, a, 'b');
  const c = await createPool(world, b, 'c');
  const one = await createVm(world, 'one', b);
  const two = await createVm(world, 'two', c);
  await powerOn(world, one);
  await createPool(world, a, 'c');
  await assert.rejects(world.run(b, 'Destroy_Task'), fault('DuplicateName', { name: 'c' }));
  await world.run(c, 'Rename_Task', { newName: 'd' });
  await world.run(b, 'Destroy_Task');
  assert.deepEqual(world.property(c, 'parent'), a);
  assert.deepEqual(world.property(one, 'resourcePool'), a);
  assert.deepEqual(world.property(two, 'resourcePool'), c);
  assert.equal(groupPath(world, `vm-${one.value}`), `${a.value}/vm-${one.value}`);
  await assert.rejects(world.invoke(b, 'RefreshRuntime'), fault('ManagedObjectNotFound'));
  await world.invoke(ROOT, 'DestroyChildren');
  assert.deepEqual(children(world, ROOT), []);
  assert.deepEqual(vmsIn(world, ROOT), [one.value, two.value]);
  assert.deepEqual(world.host.store.range('pool/'), []);
  assert.equal(eventsOf(world, 'ResourcePoolDestroyedEvent').length, 4);
});

void test('a pool is renamed and changed, as far as what is in it allows', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a', { reservation: 4000, expandableReservation: false });
  await createPool(world, ROOT, 'b');
  await assert.rejects(world.invoke(a, 'UpdateConfig', { name: 'b' }), fault('DuplicateName'));
  await world.invoke(a, 'UpdateConfig', { name: 'c', config: changeOf({ limit: 5000 }) });
  assert.equal(world.property(a, 'name'), 'c');
  assert.equal(world.property(a, 'config.cpuAllocation.limit'), 5000);
  assert.equal(world.property(a, 'config.cpuAllocation.reservation'), 4000);
  await createPool(world, a, 'inner', { reservation: 3000 });
  await assert.rejects(
    world.invoke(a, 'UpdateConfig', { config: changeOf({ reservation: 2999 }) }),
    fault('InsufficientCpuResourcesFault', { unreserved: 2999, requested: 3000 }),
  );
  await assert.rejects(
    world.invoke(a, 'UpdateConfig', { config: changeOf({ limit: 3999 }) }),
    fault('InvalidArgument', { invalidProperty: 'spec.cpuAllocation.limit' }),
  );
  const changeVersion = world.property<string>(a, 'config.changeVersion');
  await world.invoke(a, 'UpdateConfig', { config: { ...changeOf({ limit: -1 }), changeVersion } });
  await assert.rejects(
    world.invoke(a, 'UpdateConfig', { config: { ...changeOf({ limit: 4500 }), changeVersion } }),
    fault('ConcurrentAccess'),
  );
});

void test('children are changed in the order of the list, up to the first that is refused', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a');
  const b = await createPool(world, ROOT, 'b');
  const vm = await createVm(world, 'web');
  const other = await createVm(world, 'other', a);
  const of = (entity: MoRef, config: ResourceConfigSpec): ResourceConfigSpec => ({
    ...config,
    entity: entity as never,
  });
  const spec = [
    of(a, changeOf({ reservation: 9000 })),
    of(vm, changeOf({ limit: 700 })),
    of(b, changeOf({ reservation: 7001 })),
    of(a, changeOf({ reservation: 1 })),
  ];
  await assert.rejects(
    world.invoke(ROOT, 'UpdateChildResourceConfiguration', { spec }),
    fault('InsufficientCpuResourcesFault', { unreserved: 7000, requested: 7001 }),
  );
  assert.equal(world.property(a, 'config.cpuAllocation.reservation'), 9000);
  assert.equal(world.property(vm, 'config.cpuAllocation.limit'), 700);
  assert.equal(world.property(b, 'config.cpuAllocation.reservation'), 0);
  // Within one list what is given back is there for those that follow.
  const swap = [of(a, changeOf({ reservation: 1000 })), of(b, changeOf({ reservation: 15_000 }))];
  await world.invoke(ROOT, 'UpdateChildResourceConfiguration', { spec: swap });
  assert.equal(world.property(b, 'config.cpuAllocation.reservation'), 15_000);
  for (const stranger of [other, ROOT]) {
    await assert.rejects(
      world.invoke(ROOT, 'UpdateChildResourceConfiguration', { spec: [of(stranger, changeOf({}))] }),
      fault('InvalidArgument', { invalidProperty: 'spec.entity' }),
    );
  }
  const configurations = world.service.graph.get(ROOT).read('childConfiguration', {} as never) as ResourceConfigSpec[];
  assert.deepEqual(
    configurations.map(({ entity, cpuAllocation }) => [entity?.value, cpuAllocation.reservation, cpuAllocation.limit]),
    [
      [a.value, 1000, -1],
      [b.value, 15_000, -1],
      [vm.value, 0, 700],
    ],
  );
});

void test('a VM is powered on as long as its pool has enough, and says how much is missing', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a', { reservation: 3000, expandableReservation: false });
  const one = await createVm(world, 'one', a, reserving(2000));
  const two = await createVm(world, 'two', a, reserving(1500));
  await powerOn(world, one);
  assert.deepEqual([usage(world, a, 'cpu').reservationUsed, usage(world, a, 'cpu').unreservedForVm], [2000, 1000]);
  const refused = fault('InsufficientCpuResourcesFault', { unreserved: 1000, requested: 1500 });
  await assert.rejects(powerOn(world, two), refused);
  assert.equal(world.property(two, 'runtime.powerState'), 'poweredOff');
  assert.equal(eventsOf(world, 'VmFailedToPowerOnEvent').length, 1);
  await assert.rejects(
    world.run(one, 'ReconfigVM_Task', { spec: reserving(3001) }),
    fault('InsufficientCpuResourcesFault'),
  );
  assert.equal(world.property(one, 'config.cpuAllocation.reservation'), 2000);
  await world.run(one, 'ReconfigVM_Task', { spec: reserving(1500) });
  await powerOn(world, two);
  await assert.rejects(
    world.invoke(ROOT, 'MoveIntoResourcePool', { list: [two] }).then(() => powerOn(world, two)),
    fault('InvalidPowerState'),
  );
  const root = usage(world, ROOT, 'cpu');
  assert.deepEqual([root.reservationUsed, root.reservationUsedForVm, root.unreservedForPool], [4500, 3000, 11_500]);
  await world.run(one, 'PowerOffVM_Task');
  await world.run(two, 'PowerOffVM_Task');
  assert.equal(usage(world, ROOT, 'cpu').reservationUsed, 3000);
});

void test('a machine that ends by itself gives back what it had reserved; so does one that does not start', async (t) => {
  const world = await publishedHost(t);
  const vm = await createVm(world, 'web', ROOT, reserving(2000, 64));
  await powerOn(world, vm);
  assert.equal(usage(world, ROOT, 'cpu').reservationUsedForVm, 2000);
  const overhead = world.property<number>(vm, 'runtime.memoryOverhead');
  assert.equal(usage(world, ROOT, 'memory').reservationUsedForVm, 64 * MB + overhead);
  await world.host.vmms.machine(vm.value).dies();
  assert.equal(usage(world, ROOT, 'memory').reservationUsedForVm, 0);
  world.host.vmms.fail('continue', new Error('no'));
  await assert.rejects(powerOn(world, vm));
  assert.equal(usage(world, ROOT, 'cpu').reservationUsedForVm, 0);
  assert.deepEqual([...world.host.groups.keys()], []);
});

void test('a running VM does not move where there is not enough for it', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a', { reservation: 1000, expandableReservation: false });
  const vm = await createVm(world, 'web', ROOT, reserving(1500));
  await world.invoke(a, 'MoveIntoResourcePool', { list: [vm] }); // it is off
  await assert.rejects(powerOn(world, vm), fault('InsufficientCpuResourcesFault'));
  await world.invoke(ROOT, 'MoveIntoResourcePool', { list: [vm] });
  await powerOn(world, vm);
  await assert.rejects(
    world.invoke(a, 'MoveIntoResourcePool', { list: [vm] }),
    fault('InsufficientCpuResourcesFault', { unreserved: 1000, requested: 1500 }),
  );
  assert.deepEqual(world.property(vm, 'resourcePool'), ROOT);
});

void test('shares, limits and guarantees reach the control groups, also of a VM that runs', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a', { limit: 3000, shares: 1000 });
  const vm = await createVm(world, 'web', a, reserving(0, 100));
  await powerOn(world, vm);
  const limits = (name: string) => world.host.groups.get(name)?.limits;
  assert.deepEqual([limits(a.value)?.cpuShares, limits(a.value)?.cpuLimit], [1024, 1.5]);
  assert.deepEqual([limits(`vm-${vm.value}`)?.cpuShares, limits(`vm-${vm.value}`)?.cpuLimit], [1024, undefined]);
  const overhead = world.property<number>(vm, 'runtime.memoryOverhead');
  assert.equal(limits(`vm-${vm.value}`)?.guaranteedBytes, 100 * MB + overhead);
  assert.equal(world.property(vm, 'runtime.maxCpuUsage'), 2000);
  const spec = {
    cpuAllocation: make('ResourceAllocationInfo', { limit: 500, shares: allocation({ shares: 3000 }).shares }),
  };
  await world.run(vm, 'ReconfigVM_Task', { spec });
  assert.deepEqual([limits(`vm-${vm.value}`)?.cpuShares, limits(`vm-${vm.value}`)?.cpuLimit], [3072, 0.25]);
  assert.equal(world.property(vm, 'runtime.maxCpuUsage'), 500);
  await world.invoke(a, 'UpdateConfig', { config: changeOf({ limit: 400 }) });
  assert.deepEqual([limits(a.value)?.cpuLimit, limits(`vm-${vm.value}`)?.cpuLimit], [0.2, undefined]);
  assert.equal(world.property(vm, 'runtime.maxCpuUsage'), 400);
});

void test('a limit of memory is what the balloon leaves to the guest; a change reaches it while it runs', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a');
  const vm = await createVm(world, 'web', a, {
    memoryMB: 1024,
    memoryAllocation: make('ResourceAllocationInfo', { limit: 512 }),
  });
  await powerOn(world, vm);
  const { machine } = { machine: world.host.vmms.machine(vm.value) };
  assert.equal(machine.memoryTargetMB, 512);
  assert.equal(world.property(vm, 'runtime.maxMemoryUsage'), 512);
  await world.run(vm, 'ReconfigVM_Task', { spec: { memoryAllocation: make('ResourceAllocationInfo', { limit: -1 }) } });
  await turns();
  assert.equal(machine.memoryTargetMB, 1024);
  const overheadMB = world.property<number>(vm, 'runtime.memoryOverhead') / MB;
  await world.invoke(a, 'UpdateConfig', { config: changeOf({}, { limit: 700 + overheadMB }) });
  await turns();
  assert.equal(machine.memoryTargetMB, 700);
  await world.invoke(ROOT, 'MoveIntoResourcePool', { list: [vm] });
  await turns();
  assert.equal(machine.memoryTargetMB, 1024);
});

void test('what the VMs of a pool use is summed up, pools inside it included', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a');
  const b = await createPool(world, a, 'b');
  const vm = await createVm(world, 'web', b);
  await powerOn(world, vm);
  await turns();
  world.host.vmms.machine(vm.value).cpuSeconds = 10;
  await world.host.clock.advance(20_000);
  await world.invoke(b, 'RefreshRuntime');
  for (const pool of [ROOT, a, b]) {
    assert.equal(usage(world, pool, 'cpu').overallUsage, 1000);
    assert.equal(usage(world, pool, 'memory').overallUsage, 64 * MB);
    assert.equal(world.property(pool, 'summary.quickStats.overallCpuUsage'), 1000);
    assert.equal(world.property(pool, 'summary.configuredMemoryMB'), 128);
  }
});

void test('everything is found again by the next hostd, and by the machine', async (t) => {
  const world = await publishedHost(t);
  const a = await createPool(world, ROOT, 'a', { reservation: 3000, limit: 8000 });
  const b = await createPool(world, a, 'b');
  const gone = await createPool(world, ROOT, 'gone');
  await world.run(gone, 'Destroy_Task');
  const vm = await createVm(world, 'web', b, reserving(2000));
  const off = await createVm(world, 'off', a);
  await powerOn(world, vm);
  const paths = [
    'name',
    'parent',
    'resourcePool',
    'vm',
    'config',
    'runtime.cpu.reservationUsed',
    'runtime.cpu.maxUsage',
  ];
  const look = (of: PublishedHost) => [ROOT, a, b].map((pool) => paths.map((path) => of.property(pool, path)));
  const before = look(world);
  const groups = [...world.host.groups];
  world.host.groups.clear();
  const next = await world.restart();
  assert.deepEqual(look(next), before);
  assert.deepEqual(next.property(off, 'resourcePool'), a);
  assert.deepEqual([...next.host.groups], groups);
  const c = await createPool(next, ROOT, 'c');
  assert.ok(![a.value, b.value, gone.value].includes(c.value), 'ids are not used again');
});
