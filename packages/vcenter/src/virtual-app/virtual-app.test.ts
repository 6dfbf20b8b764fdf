import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type MoRef, make, moRef, type VAppConfigInfo, type VirtualAppSummary } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, type TestCenter, testCenter } from '../testing/test-center.ts';
import { startSteps } from './start-order.ts';

const allocation = (reservation: number) =>
  make('ResourceAllocationInfo', {
    reservation,
    expandableReservation: true,
    limit: -1,
    shares: make('SharesInfo', { level: 'normal', shares: 0 }),
  });
const resources = (cpuMhz = 0, memoryMB = 0) =>
  make('ResourceConfigSpec', { cpuAllocation: allocation(cpuMhz), memoryAllocation: allocation(memoryMB) });

/** A standalone-like cluster of one host with DRS on. */
async function world(context: TestContext) {
  const center = await testCenter(context);
  const { datacenter, cluster } = await center.cluster();
  const spec = make('ClusterConfigSpecEx', { drsConfig: make('ClusterDrsConfigInfo', { enabled: true }) });
  await center.task(cluster as MoRef, 'ReconfigureComputeResource_Task', { spec, modify: true });
  const host = new FakeHost('esx1');
  const ref = await center.addHost(cluster as MoRef, host);
  const root = center.read<MoRef>(cluster as MoRef, 'resourcePool');
  const vmFolder = center.read<MoRef>(datacenter as MoRef, 'vmFolder');
  const create = (name: string, parent: MoRef = root, more: object = {}) =>
    center.invoke<MoRef<'VirtualApp'>>(parent, 'CreateVApp', {
      name,
      resSpec: resources(),
      configSpec: make('VAppConfigSpec', {}),
      ...more,
    }) as Promise<MoRef>;
  const vmIn = async (app: MoRef, name: string) => {
    const config = make('VirtualMachineConfigSpec', {
      name,
      files: make('VirtualMachineFileInfo', { vmPathName: '[datastore1]' }),
    });
    const made = await center.task<MoRef>(app, 'CreateChildVM_Task', { config });
    return moRef('VirtualMachine', made.value) as MoRef;
  };
  const setEntity = (app: MoRef, key: MoRef, change: object) =>
    center.invoke(app, 'UpdateVAppConfig', {
      spec: make('VAppConfigSpec', { entityConfig: [make('VAppEntityConfigInfo', { key, ...change } as never)] }),
    });
  return { center, cluster, host, hostRef: ref, root, vmFolder, create, vmIn, setEntity };
}

const configOf = (center: TestCenter, app: MoRef) => center.read<VAppConfigInfo>(app, 'vAppConfig');
const stateOf = (center: TestCenter, app: MoRef) => center.read<VirtualAppSummary>(app, 'summary').vAppState;
const powerCalls = ({ calls }: FakeHost) =>
  calls.flatMap(({ method, target }) => (/^(Power|Suspend|Shutdown)/.test(method) ? [`${method} ${target}`] : []));

void test('a vApp is a pool with VMs of its own, which lie in no folder', async (t) => {
  const { center, root, vmFolder, create, vmIn } = await world(t);
  const app = await create('shop');
  assert.match(app.value, /^resgroup-v\d+$/);
  assert.deepEqual(center.read(root, 'resourcePool'), [app]);
  assert.deepEqual(center.read(vmFolder, 'childEntity'), [app]);
  assert.deepEqual(center.read(app, 'parentFolder'), vmFolder);
  const vm = await vmIn(app, 'web');
  assert.deepEqual(center.read(app, 'vm'), [vm]);
  assert.deepEqual(center.read(vm, 'parentVApp'), app);
  assert.deepEqual(center.read(vm, 'resourcePool'), app);
  assert.equal(center.read(vm, 'parent'), undefined);
  assert.deepEqual(center.read(vmFolder, 'childEntity'), [app]);
  const [entity] = configOf(center, app).entityConfig ?? [];
  assert.deepEqual(
    [entity?.key?.value, entity?.startOrder, entity?.startAction, entity?.stopAction],
    [vm.value, 1, 'powerOn', 'powerOff'],
  );
  await assert.rejects(create('shop'), fault('DuplicateName'));
  await assert.rejects(vmIn(app, 'web'), fault('DuplicateName'));
  await assert.rejects(create('x', app, { vmFolder }), fault('InvalidArgument'));
  const search = center.service.content.searchIndex as MoRef;
  const byPath = (inventoryPath: string) => center.invoke<MoRef>(search, 'FindByInventoryPath', { inventoryPath });
  assert.equal((await byPath('DC0/vm/shop/web'))?.value, vm.value);
  const later = await center.restart();
  assert.deepEqual(later.read(vm, 'parentVApp'), app);
  assert.equal(configOf(later, app).entityConfig?.length, 1);
});

void test('a vApp takes its reservation from the pool around it, and its VMs are admitted', async (t) => {
  const { center, root, create, vmIn, host } = await world(t);
  const app = await create('shop', root, { resSpec: resources(6000, 1024) });
  assert.equal(center.read(root, 'runtime.cpu.unreservedForPool'), 2000);
  await assert.rejects(create('greedy', root, { resSpec: resources(2001, 0) }), fault('InsufficientCpuResourcesFault'));
  await center.invoke(app, 'UpdateConfig', { name: 'store', config: resources(1000, 0) });
  assert.equal(center.read(root, 'runtime.cpu.unreservedForPool'), 7000);
  assert.equal(center.read<VirtualAppSummary>(app, 'summary').vAppState, 'stopped');
  for (const at of ['config', 'summary.config'])
    assert.equal(center.read(app, `${at}.cpuAllocation.reservation`), 1000);
  const vm = await vmIn(app, 'web');
  await center.task(vm, 'PowerOnVM_Task');
  await center.eventually(() => host.pools.placed.size === 1);
});

void test('VMs start in their order and stop in the reverse, together where the order is the same', async (t) => {
  const { center, create, vmIn, setEntity, host } = await world(t);
  const app = await create('shop');
  const [db, web, mail] = [await vmIn(app, 'db'), await vmIn(app, 'web'), await vmIn(app, 'mail')];
  await setEntity(app, web, { startOrder: 5, startDelay: 0 });
  await setEntity(app, db, { startOrder: 9, startDelay: 0 });
  await setEntity(app, mail, { startOrder: 9, stopAction: 'suspend' });
  const keyOf = (vm: MoRef) => center.center.inventory.get<'VirtualMachine'>(vm as never).hostKey;
  const named = (lines: readonly string[]) => {
    const names = new Map(
      [db, web, mail].map((vm) => [`VirtualMachine:${keyOf(vm)}`, String(center.read(vm, 'name'))]),
    );
    return lines.map((line) => line.replace(/ (.*)$/, (_, target: string) => ` ${names.get(target)}`));
  };
  await center.task(app, 'PowerOnVApp_Task');
  const started = named(powerCalls(host));
  assert.equal(started[0], 'PowerOnVM_Task web');
  assert.deepEqual(started.slice(1).toSorted(), ['PowerOnVM_Task db', 'PowerOnVM_Task mail']);
  assert.equal(stateOf(center, app), 'started');
  await assert.rejects(center.task(app, 'PowerOnVApp_Task'), fault('InvalidPowerState'));
  await assert.rejects(center.task(app, 'Destroy_Task'), fault('InvalidPowerState'));
  await center.task(app, 'PowerOffVApp_Task', { force: false });
  const stopped = named(powerCalls(host)).slice(3);
  assert.deepEqual(stopped.slice(0, 2).toSorted(), ['PowerOffVM_Task db', 'SuspendVM_Task mail']);
  assert.equal(stopped[2], 'PowerOffVM_Task web');
  assert.deepEqual([stateOf(center, app), center.read(app, 'summary.suspended')], ['stopped', true]);
  await center.task(app, 'PowerOffVApp_Task', { force: true });
  assert.equal(center.read(mail, 'runtime.powerState'), 'poweredOff');
  await assert.rejects(center.task(app, 'PowerOffVApp_Task', { force: false }), fault('InvalidPowerState'));
});

void test("while a vApp starts its VMs are nobody else's, and the next waits until the guest is up", async (t) => {
  const { center, create, vmIn, setEntity, host } = await world(t);
  const app = await create('shop');
  const [db, web] = [await vmIn(app, 'db'), await vmIn(app, 'web')];
  await setEntity(app, db, { startDelay: 3600, waitingForGuest: true });
  const done = center.task(app, 'PowerOnVApp_Task');
  await center.until(db, 'runtime.powerState', 'poweredOn');
  assert.equal(stateOf(center, app), 'starting');
  for (const method of ['PowerOffVM_Task', 'ResetVM_Task']) {
    await assert.rejects(center.task(db, method), fault('TaskInProgress'));
  }
  await assert.rejects(center.task(app, 'PowerOffVApp_Task', { force: true }), fault('TaskInProgress'));
  assert.equal(center.read(web, 'runtime.powerState'), 'poweredOff');
  center.service.graph.get(db).set('guest', make('GuestInfo', { toolsRunningStatus: 'guestToolsRunning' } as never));
  await done;
  assert.equal(center.read(web, 'runtime.powerState'), 'poweredOn');
  assert.equal(stateOf(center, app), 'started');
  assert.equal(powerCalls(host).length, 2);
});

void test('what fails to start ends the start, and what runs by then runs on', async (t) => {
  const { center, create, vmIn, setEntity, host } = await world(t);
  const app = await create('shop');
  const [db, web, mail] = [await vmIn(app, 'db'), await vmIn(app, 'web'), await vmIn(app, 'mail')];
  for (const vm of [db, web]) await setEntity(app, vm, { startDelay: 0 });
  host.refuses = 'PowerOnVM_Task web';
  await assert.rejects(center.task(app, 'PowerOnVApp_Task'), fault('PlatformConfigFault'));
  assert.deepEqual(
    [db, web, mail].map((vm) => center.read(vm, 'runtime.powerState')),
    ['poweredOn', 'poweredOff', 'poweredOff'],
  );
  assert.equal(stateOf(center, app), 'started');
});

void test('VMs, pools and vApps come into a vApp and leave it', async (t) => {
  const { center, root, vmFolder, create, vmIn, host } = await world(t);
  const app = await create('shop');
  const inner = await create('inner', app);
  assert.equal(center.read(inner, 'parentFolder'), undefined);
  assert.deepEqual(center.read(inner, 'parentVApp'), app);
  const deep = await vmIn(inner, 'deep');
  assert.deepEqual(
    configOf(center, app).entityConfig?.map(({ key }) => key?.value),
    [inner.value],
  );
  const outside = host.addVm({ name: 'outside' });
  await center.eventually(() => center.read<MoRef[]>(root, 'vm').length === 1);
  const [vm] = center.read<[MoRef]>(root, 'vm');
  await center.invoke(app, 'MoveIntoResourcePool', { list: [vm] });
  assert.deepEqual([center.read(vm, 'parentVApp'), center.read(vm, 'parent')], [app, undefined]);
  assert.equal(configOf(center, app).entityConfig?.length, 2);
  const pool = await center.invoke<MoRef>(root, 'CreateResourcePool', { name: 'plain', spec: resources() });
  await center.invoke(pool, 'MoveIntoResourcePool', { list: [vm] });
  assert.deepEqual([center.read(vm, 'parentVApp'), center.read(vm, 'parent')], [undefined, vmFolder]);
  await center.invoke(app, 'MoveIntoResourcePool', { list: [pool] });
  assert.deepEqual([center.read(vm, 'parentVApp'), center.read(vm, 'resourcePool')], [app, pool]);
  await center.invoke(root, 'MoveIntoResourcePool', { list: [pool, inner] });
  assert.deepEqual(center.read(vm, 'parent'), vmFolder);
  assert.deepEqual([center.read(inner, 'parentFolder'), center.read(inner, 'parentVApp')], [vmFolder, undefined]);
  assert.deepEqual(configOf(center, app).entityConfig, []);
  assert.deepEqual(center.read(deep, 'parentVApp'), inner);
  host.removeVm(outside);
});

void test('a vApp is destroyed with its VMs, or unregistered without their files', async (t) => {
  const { center, root, vmFolder, create, vmIn, host } = await world(t);
  const [one, two] = [await create('one'), await create('two')];
  await vmIn(await create('inner', one), 'deep');
  await vmIn(one, 'web');
  await vmIn(two, 'kept');
  await center.task(one, 'Destroy_Task');
  assert.deepEqual(host.calls.filter(({ method }) => method === 'Destroy_Task').length, 2);
  await center.task(two, 'unregisterVApp_Task');
  assert.equal(host.calls.filter(({ method }) => method === 'UnregisterVM').length, 1);
  assert.deepEqual([center.read(root, 'resourcePool'), center.read(vmFolder, 'childEntity')], [[], []]);
  assert.equal(host.vms.size, 0);
});

void test('a cluster without DRS has no vApps', async (t) => {
  const { center, cluster, create } = await world(t);
  const spec = make('ClusterConfigSpecEx', { drsConfig: make('ClusterDrsConfigInfo', { enabled: false }) });
  await center.task(cluster as MoRef, 'ReconfigureComputeResource_Task', { spec, modify: true });
  await assert.rejects(create('shop'), fault('InvalidState'));
});

void test('a start order that makes no sense is refused', async (t) => {
  const { center, create, vmIn, setEntity } = await world(t);
  const app = await create('shop');
  const vm = await vmIn(app, 'web');
  for (const change of [{ startDelay: -1 }, { startAction: 'suspend' }, { stopAction: 'explode' }]) {
    await assert.rejects(setEntity(app, vm, change), fault('InvalidArgument'));
  }
  await assert.rejects(setEntity(app, moRef('VirtualMachine', 'vm-0') as MoRef, {}), fault('InvalidArgument'));
  const product = (operation: 'add' | 'edit' | 'remove', key: number, name = '') =>
    center.invoke(app, 'UpdateVAppConfig', {
      spec: make('VAppConfigSpec', {
        annotation: 'a shop',
        product: [
          operation === 'remove'
            ? make('VAppProductSpec', { operation, removeKey: { _typeName: 'int', _value: key } as never })
            : make('VAppProductSpec', { operation, info: make('VAppProductInfo', { key, name }) }),
        ],
      }),
    });
  await product('add', 1, 'Shop');
  await assert.rejects(product('add', 1, 'Shop'), fault('InvalidArgument'));
  await product('edit', 1, 'Store');
  assert.equal(center.read<VirtualAppSummary>(app, 'summary').product?.name, 'Store');
  assert.equal(configOf(center, app).annotation, 'a shop');
  await assert.rejects(product('remove', 2), fault('InvalidArgument'));
  await product('remove', 1);
  assert.deepEqual(configOf(center, app).product, []);
});

void test('members of one order start together, lower orders first', () => {
  const entity = (value: string, startOrder?: number) =>
    ({ key: { type: 'VirtualMachine', value }, startOrder }) as never;
  const steps = startSteps([entity('a', 3), entity('b', 1), entity('c', 3), entity('d')]);
  assert.deepEqual(
    steps.map((step) => step.map(({ key }) => key?.value)),
    [['d'], ['b'], ['a', 'c']],
  );
});
