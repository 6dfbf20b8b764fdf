import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fault } from '../testing/faults.ts';
import { asUser, eventTypes, testHost } from '../testing/test-host.ts';
import { turns } from '../testing/virtual-clock.ts';

const NOTE = /^checkpoint\.vmState = "(web-[0-9a-f]{8}\.vmss)"$/m;

void test('a suspended VM is noted in its VMX before its machine ends', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  const { memory } = host.vmms.machine(vm.id);
  host.events.length = 0;
  const kill = host.vmms.hold('kill');
  const suspend = vm.suspend(asUser());
  await kill.reached;
  const [, file] = NOTE.exec(await readFile(vm.vmxFile, 'utf8')) ?? [];
  assert.ok(file, 'noted');
  assert.equal(await readFile(join(vm.folder, file), 'utf8'), memory);
  assert.equal(vm.power, 'poweredOn');
  kill.release();
  await suspend;
  assert.equal(vm.power, 'suspended');
  assert.equal(vm.view().suspendTime, '2026-11-22T00:00:00.000Z');
  assert.deepEqual(eventTypes(host.events), ['VmSuspendingEvent', 'VmSuspendedEvent']);
  assert.deepEqual(host.network.ports(), []);
});

void test('a suspend state is forgotten on disk before the guest runs from it', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  const { memory } = host.vmms.machine(vm.id);
  await vm.suspend(asUser());
  host.events.length = 0;
  const run = host.vmms.hold('continue');
  const powerOn = vm.powerOn(asUser());
  await run.reached;
  assert.doesNotMatch(await readFile(vm.vmxFile, 'utf8'), NOTE);
  run.release();
  await powerOn;
  assert.equal(vm.power, 'poweredOn');
  assert.equal(host.vmms.machine(vm.id).memory, memory);
  assert.deepEqual(eventTypes(host.events), ['VmResumingEvent', 'VmPoweredOnEvent']);
  assert.deepEqual(
    (await host.files()).filter((path) => path.endsWith('.vmss')),
    [],
  );
});

void test('memory that was plugged in is plugged in again when the guest goes on, and is ordinary memory when it boots', async (t) => {
  const host = await testHost(t);
  const vm = await host.create({ memoryMB: 128, memoryHotAddEnabled: true });
  await vm.powerOn(asUser());
  await vm.reconfigure(asUser(), { memoryMB: 256 });
  await vm.reconfigure(asUser(), { memoryMB: 512 });
  await vm.suspend(asUser());
  const next = await host.restart();
  const again = next.registry.find(vm.id);
  assert.ok(again);
  const shape = () => {
    const { startMB, memoryModules, hardware } = next.vmms.machine(vm.id);
    return { startMB, memoryModules, memoryMaxMB: hardware.machine.memoryMaxMB };
  };
  // Twice: the second state is of a machine that started with modules.
  for (let round = 0; round < 2; round++) {
    await again.powerOn(asUser());
    assert.deepEqual(shape(), { startMB: 128, memoryModules: [128, 256], memoryMaxMB: 128 * 16 });
    assert.doesNotMatch(await readFile(vm.vmxFile, 'utf8'), /memoryModules/);
    await again.suspend(asUser());
  }
  await again.powerOff(asUser());
  await again.powerOn(asUser());
  assert.deepEqual(shape(), { startMB: 512, memoryModules: [], memoryMaxMB: 512 * 16 });
});

void test('a suspension that fails leaves the guest running, at every step', async (t) => {
  for (const step of ['save', 'vmx'] as const) {
    await t.test(step, async (t) => {
      const host = await testHost(t);
      const vm = await host.create();
      await vm.powerOn(asUser());
      host.events.length = 0;
      const machine = host.vmms.machine(vm.id);
      if (step === 'save') host.vmms.fail('save', new Error('no space for the state'));
      const saved = host.vmms.hold('save');
      const suspend = vm.suspend(asUser());
      await saved.reached;
      // Where the VMX is to be written there is a folder.
      const obstacle = `${vm.vmxFile}.${process.pid}.new`;
      if (step === 'vmx') await mkdir(obstacle);
      saved.release();
      await assert.rejects(suspend, fault('SystemError'));
      assert.equal(vm.power, 'poweredOn');
      assert.equal(machine.state, 'running');
      assert.doesNotMatch(await readFile(vm.vmxFile, 'utf8'), NOTE);
      assert.deepEqual(eventTypes(host.events), ['VmSuspendingEvent', 'VmFailedToSuspendEvent']);
      assert.deepEqual(
        (await host.files()).filter((path) => path.endsWith('.vmss')),
        [],
      );
    });
  }
});

void test('a resumption that fails leaves the VM suspended, and can be tried again', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  const { memory } = host.vmms.machine(vm.id);
  await vm.suspend(asUser());
  host.vmms.fail('load', new Error('wrong machine type'));
  await assert.rejects(vm.powerOn(asUser()), fault('GenericVmConfigFault'));
  assert.equal(vm.power, 'suspended');
  assert.match(await readFile(vm.vmxFile, 'utf8'), NOTE);
  await vm.powerOn(asUser());
  assert.equal(host.vmms.machine(vm.id).memory, memory);
});

void test('a resumption that fails when the state is used up leaves the VM off: it must not run twice', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  await vm.suspend(asUser());
  host.events.length = 0;
  host.vmms.fail('continue', new Error('the monitor broke'));
  await assert.rejects(vm.powerOn(asUser()), fault('GenericVmConfigFault'));
  assert.equal(vm.power, 'poweredOff');
  assert.deepEqual(eventTypes(host.events), ['VmResumingEvent', 'VmFailedToPowerOnEvent', 'VmPoweredOffEvent']);
  assert.deepEqual(
    (await host.files()).filter((path) => path.endsWith('.vmss')),
    [],
  );
  const next = await host.restart();
  assert.equal(next.registry.find(vm.id)?.power, 'poweredOff');
});

void test('a suspended VM is suspended after a restart, and its state is thrown away by PowerOff', async (t) => {
  const first = await testHost(t);
  const created = await first.create();
  await created.powerOn(asUser());
  await created.suspend(asUser());
  const host = await first.restart();
  const vm = host.registry.find(created.id);
  assert.ok(vm);
  assert.equal(vm.power, 'suspended');
  assert.ok(Date.parse(vm.view().suspendTime ?? '') > 0);
  await vm.powerOff(asUser());
  assert.equal(vm.power, 'poweredOff');
  assert.deepEqual(eventTypes(host.events), ['VmPoweredOffEvent']);
  assert.doesNotMatch(await readFile(vm.vmxFile, 'utf8'), NOTE);
  assert.deepEqual(
    (await host.files()).filter((path) => path.endsWith('.vmss')),
    [],
  );
});

void test('a resumption without its state is a FileNotFound; the VM can still be turned off', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  await vm.suspend(asUser());
  const state = (await host.files()).find((path) => path.endsWith('.vmss')) ?? '';
  await rm(join(host.root, state));
  await assert.rejects(vm.powerOn(asUser()), fault('FileNotFound', { file: `[datastore1] ${state}` }));
  assert.equal(vm.power, 'suspended');
  await vm.powerOff(asUser());
  assert.equal(vm.power, 'poweredOff');
});

void test('a VMM that dies while it suspends leaves the VM off, not suspended', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  const save = host.vmms.hold('save');
  const suspend = vm.suspend(asUser());
  await save.reached;
  await host.vmms.machine(vm.id).dies();
  save.release();
  await assert.rejects(suspend, fault('InvalidPowerState', { existingState: 'poweredOff' }));
  assert.equal(vm.power, 'poweredOff');
  assert.doesNotMatch(await readFile(vm.vmxFile, 'utf8'), NOTE);
});

void test('a VMM that dies when its state is noted leaves the VM suspended, without alarm', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  const { memory } = host.vmms.machine(vm.id);
  host.events.length = 0;
  const kill = host.vmms.hold('kill');
  const suspend = vm.suspend(asUser());
  await kill.reached;
  await host.vmms.machine(vm.id).dies();
  kill.release();
  await suspend;
  assert.equal(vm.power, 'suspended');
  assert.deepEqual(eventTypes(host.events), ['VmSuspendingEvent', 'VmSuspendedEvent']);
  await vm.powerOn(asUser());
  assert.equal(host.vmms.machine(vm.id).memory, memory);
});

void test('nobody can plant a suspend state by extraConfig', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const plant = { extraConfig: [{ _typeName: 'OptionValue', key: 'checkpoint.VMState', value: 'mine.vmss' }] };
  await assert.rejects(
    vm.reconfigure(asUser(), plant as never),
    fault('InvalidArgument', { invalidProperty: 'spec.extraConfig' }),
  );
  assert.equal(vm.power, 'poweredOff');
});

void test('the connections of a suspended VM are those that it had', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  const nic = vm.config.hardware.device?.find(({ key }) => key === 4000);
  await vm.reconfigure(asUser(), {
    deviceChange: [
      { operation: 'edit', device: { ...nic, connectable: { ...nic?.connectable, connected: false } } } as never,
    ],
  });
  assert.equal(host.vmms.machine(vm.id).links.get('nic-4000'), false);
  await vm.suspend(asUser());
  await vm.powerOn(asUser());
  assert.equal(host.vmms.machine(vm.id).links.get('nic-4000'), false);
  assert.equal(vm.config.hardware.device?.find(({ key }) => key === 4000)?.connectable?.connected, false);
  await turns();
  assert.ok(existsSync(vm.vmxFile));
});

void test('the VM of a VMX that notes a state in another folder is not suspended', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await host.registry.unregister(asUser(), vm);
  const text = await readFile(vm.vmxFile, 'utf8');
  await writeFile(vm.vmxFile, `${text}\ncheckpoint.vmState = "../other/state.vmss"\n`);
  const again = await host.registry.register(asUser(), '[datastore1] web/web.vmx', undefined);
  assert.equal(again.power, 'poweredOff');
});
