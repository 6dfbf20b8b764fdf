import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MoRef, VirtualMachineFileLayoutEx } from '@vivarium/vim';
import { refs } from '../inventory/refs.ts';
import { fault } from '../testing/faults.ts';
import { type PublishedHost, publishedHost } from '../testing/published-host.ts';
import { diskChange, vmSpec } from '../testing/test-host.ts';
import { turns, until } from '../testing/virtual-clock.ts';

type VmRef = MoRef<'VirtualMachine'>;

const create = ({ run }: PublishedHost, name?: string) =>
  run<VmRef>(refs.vmFolder, 'CreateVM_Task', { config: vmSpec(name), pool: refs.resourcePool });

void test('CreateVM returns the VM, which is listed wherever VMs are', async (t) => {
  const world = await publishedHost(t);
  const vm = await create(world);
  assert.equal(vm._typeName, 'ManagedObjectReference');
  const ref = { type: 'VirtualMachine', value: vm.value };
  for (const [owner, property] of [
    [refs.vmFolder, 'childEntity'],
    [refs.host, 'vm'],
    [refs.resourcePool, 'vm'],
  ] as const) {
    assert.deepEqual(
      world.property<MoRef[]>(owner, property).map(({ type, value }) => ({ type, value })),
      [ref],
    );
  }
  await world.run(vm, 'Destroy_Task');
  assert.deepEqual(world.property(refs.vmFolder, 'childEntity'), []);
  assert.deepEqual(world.property(refs.host, 'vm'), []);
  await assert.rejects(world.invoke(vm, 'PowerOnVM_Task'), fault('ManagedObjectNotFound'));
});

void test('the properties of a new VM are there when its task is done', async (t) => {
  const world = await publishedHost(t);
  const vm = await create(world);
  const get = (path: string) => world.property(vm, path);
  assert.equal(get('name'), 'web');
  assert.equal(get('config.files.vmPathName'), '[datastore1] web/web.vmx');
  assert.equal(get('runtime.powerState'), 'poweredOff');
  assert.equal(get('runtime.connectionState'), 'connected');
  assert.equal(get('runtime.cleanPowerOff'), true);
  assert.equal(get('overallStatus'), 'green');
  assert.equal(get('summary.config.numVirtualDisks'), 1);
  assert.equal(get('summary.config.numEthernetCards'), 1);
  assert.equal(get('summary.config.vmPathName'), '[datastore1] web/web.vmx');
  assert.equal(get('summary.config.guestFullName'), 'Debian GNU/Linux 12 (64-bit)');
  assert.deepEqual(
    (get('network') as MoRef[]).map(({ value }) => value),
    ['HaNetwork-VM Network'],
  );
  assert.equal((get('datastore') as MoRef[]).length, 1);
  const { file, disk } = get('layoutEx') as VirtualMachineFileLayoutEx;
  assert.deepEqual(
    file?.map(({ key, name, type }) => [key, name, type]),
    [
      [0, '[datastore1] web/web.vmx', 'config'],
      [1, '[datastore1] web/web.vmdk', 'diskDescriptor'],
      [2, '[datastore1] web/web.qcow2', 'diskExtent'],
    ],
  );
  assert.ok(file?.every(({ size, accessible }) => size > 0 && accessible));
  assert.deepEqual(
    disk?.map(({ key, chain }) => [key, chain?.[0]?.fileKey]),
    [[2000, [1, 2]]],
  );
  const committed = file?.reduce((sum, { size }) => sum + size, 0);
  assert.equal(get('summary.storage.committed'), committed);
  assert.equal(get('summary.storage.uncommitted'), 16 * 2 ** 20 - (file?.[2]?.size ?? 0));
  assert.deepEqual(get('layout.configFile'), ['web.vmx']);
});

void test('a power cycle shows in runtime, guest, summary and the connections of devices', async (t) => {
  const world = await publishedHost(t);
  const { host } = world;
  const vm = await create(world);
  const get = (path: string) => world.property(vm, path);
  await world.run(vm, 'PowerOnVM_Task');
  assert.equal(get('runtime.powerState'), 'poweredOn');
  assert.equal(get('summary.runtime.powerState'), 'poweredOn');
  assert.equal(get('runtime.bootTime'), '2026-11-22T00:00:00.000Z');
  assert.equal(get('runtime.cleanPowerOff'), undefined);
  assert.equal(get('config.hardware.device[4000].connectable.connected'), true);
  const machine = host.vmms.machine(vm.value);
  machine.agentComes({
    hostName: 'web',
    interfaces: [
      { mac: String(get('config.hardware.device[4000].macAddress')), addresses: [{ address: '10.0.0.7', prefix: 24 }] },
    ],
  });
  await turns();
  assert.equal(get('guest.ipAddress'), '10.0.0.7');
  assert.equal(get('summary.guest.ipAddress'), '10.0.0.7');
  assert.equal(get('guest.toolsRunningStatus'), 'guestToolsRunning');
  assert.equal(get('guestHeartbeatStatus'), 'green');
  machine.cpuSeconds = 10;
  await host.clock.advance(20_000);
  assert.equal(get('summary.quickStats.overallCpuUsage'), 1000);
  assert.equal(get('summary.quickStats.hostMemoryUsage'), 64);
  assert.equal(get('summary.quickStats.uptimeSeconds'), 20);
  await machine.dies();
  assert.equal(get('runtime.powerState'), 'poweredOff');
  assert.equal(get('runtime.cleanPowerOff'), false);
  assert.equal(get('runtime.bootTime'), undefined);
  assert.equal(get('guest.ipAddress'), undefined);
  assert.equal(get('summary.quickStats.overallCpuUsage'), 0);
  assert.equal(get('config.hardware.device[4000].connectable.connected'), false);
});

void test('a suspended VM shows since when; a question shows until it is answered', async (t) => {
  const world = await publishedHost(t);
  const vm = await create(world);
  const get = (path: string) => world.property(vm, path);
  await world.run(vm, 'PowerOnVM_Task');
  await world.run(vm, 'SuspendVM_Task');
  assert.equal(get('runtime.powerState'), 'suspended');
  assert.ok(get('runtime.suspendTime'));
  await world.host.clock.advance(1_000);
  const types = () => (get('layoutEx') as VirtualMachineFileLayoutEx).file?.map(({ type }) => type);
  await until('the suspend state is in layoutEx', () => types()?.includes('suspend') ?? false);
  await world.run(vm, 'PowerOnVM_Task');
  assert.equal(get('runtime.suspendTime'), undefined);
  const machine = world.host.vmms.machine(vm.value);
  machine.isFull = true;
  machine.writes();
  assert.equal(get('overallStatus'), 'red');
  assert.equal(get('summary.overallStatus'), 'red');
  machine.isFull = false;
  await world.invoke(vm, 'AnswerVM', { questionId: String(get('runtime.question.id')), answerChoice: '0' });
  assert.equal(get('runtime.question'), undefined);
  assert.equal(get('overallStatus'), 'green');
});

void test('a reconfiguration shows before its task is done, its files included', async (t) => {
  const world = await publishedHost(t);
  const vm = await create(world);
  await world.run(vm, 'ReconfigVM_Task', {
    spec: { name: 'renamed', memoryMB: 512, deviceChange: [diskChange(-1, 1000, 8)] },
  });
  assert.equal(world.property(vm, 'name'), 'renamed');
  assert.equal(world.property(vm, 'summary.config.name'), 'renamed');
  assert.equal(world.property(vm, 'summary.config.memorySizeMB'), 512);
  assert.equal(world.property(vm, 'summary.config.numVirtualDisks'), 2);
  const { disk } = world.property<VirtualMachineFileLayoutEx>(vm, 'layoutEx');
  assert.equal(disk?.length, 2);
  await world.run(vm, 'Rename_Task', { newName: 'again' });
  assert.equal(world.property(vm, 'name'), 'again');
  const other = await create(world, 'other');
  await assert.rejects(
    world.run(other, 'Rename_Task', { newName: 'again' }),
    fault('DuplicateName', { name: 'again' }),
  );
});

void test('files that come by other ways show after RefreshStorageInfo', async (t) => {
  const world = await publishedHost(t);
  const vm = await create(world);
  await writeFile(join(world.host.root, 'web/vmware.log'), 'x'.repeat(10_000));
  await writeFile(join(world.host.root, 'web/notes.txt'), 'mine');
  await world.invoke(vm, 'RefreshStorageInfo');
  const names = world
    .property<VirtualMachineFileLayoutEx>(vm, 'layoutEx')
    .file?.map(({ name, type }) => `${type} ${name}`);
  assert.ok(names?.includes('log [datastore1] web/vmware.log'));
  assert.ok(!names?.some((name) => name.includes('notes')), 'not the VM’s');
});

void test('screenshots are numbered and never written over', async (t) => {
  const world = await publishedHost(t);
  const vm = await create(world);
  await assert.rejects(world.run(vm, 'CreateScreenshot_Task'), fault('InvalidPowerState'));
  await world.run(vm, 'PowerOnVM_Task');
  const paths = await Promise.all([1, 2, 3].map(() => world.run(vm, 'CreateScreenshot_Task')));
  assert.deepEqual(paths.map((path) => (path as { _value?: string })._value ?? path).toSorted(), [
    '[datastore1] web/web-1.png',
    '[datastore1] web/web-2.png',
    '[datastore1] web/web-3.png',
  ]);
});

void test('keys are typed and counted; a console ticket names an address that the client knows', async (t) => {
  const world = await publishedHost(t);
  const vm = await create(world);
  await assert.rejects(world.invoke(vm, 'AcquireTicket', { ticketType: 'webmks' }), fault('InvalidPowerState'));
  await world.run(vm, 'PowerOnVM_Task');
  const keyEvents = [0x04, 0x05].map((usage) => ({ usbHidCode: (usage << 16) | 7 }));
  assert.equal(await world.invoke(vm, 'PutUsbScanCodes', { spec: { keyEvents } }), 2);
  assert.deepEqual(
    world.host.vmms.machine(vm.value).keys.map(({ usage }) => usage),
    [4, 5],
  );
  const ticket = await world.invoke<{ url: string; ticket: string }>(vm, 'AcquireTicket', { ticketType: 'webmks' });
  assert.equal(ticket.url, `wss://192.0.2.1:443/ticket/${ticket.ticket}`);
  await assert.rejects(world.invoke(vm, 'AcquireTicket', { ticketType: 'mks' }), fault('NotSupported'));
});

void test('what is asked of the wrong place is refused', async (t) => {
  const world = await publishedHost(t);
  const vm = await create(world);
  const config = vmSpec('two');
  const path = '[datastore1] web/web.vmx';
  const pool = { type: 'ResourcePool', value: 'pool-9' };
  const { service } = world;
  service.graph.add({ type: 'ResourcePool', value: 'pool-9' }, { name: 'another', parent: refs.computeResource });
  service.graph.add({ type: 'HostSystem', value: 'host-9' }, { name: 'another', parent: refs.computeResource });
  const host = { type: 'HostSystem', value: 'host-9' };
  await assert.rejects(
    world.run(vm, 'PowerOnVM_Task', { host }),
    fault('InvalidArgument', { invalidProperty: 'host' }),
  );
  await assert.rejects(world.run(refs.vmFolder, 'CreateVM_Task', { config, pool }), fault('ManagedObjectNotFound'));
  await assert.rejects(world.run(refs.vmFolder, 'RegisterVM_Task', { path, asTemplate: true }), fault('NotSupported'));
});

void test('one client waits with the task of another: TaskInProgress names it', async (t) => {
  const world = await publishedHost(t);
  const vm = await create(world);
  const start = world.host.vmms.hold('start');
  const first = await world.invoke<MoRef<'Task'>>(vm, 'PowerOnVM_Task');
  await start.reached;
  await assert.rejects(
    world.run(vm, 'PowerOnVM_Task'),
    fault('TaskInProgress', { task: { type: 'Task', value: first.value } }),
  );
  await assert.rejects(world.run(vm, 'Destroy_Task'), fault('TaskInProgress'));
  await assert.rejects(world.invoke(vm, 'UnregisterVM'), fault('TaskInProgress'));
  start.release();
});
