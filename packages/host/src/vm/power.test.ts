import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fault } from '../testing/faults.ts';
import { asUser, eventTypes, type TestHost, testHost, vmSpec } from '../testing/test-host.ts';
import { turns } from '../testing/virtual-clock.ts';
import type { PowerState } from './power-state.ts';
import type { Vm } from './vm.ts';

const requests = {
  powerOn: (_host: TestHost, vm: Vm) => vm.powerOn(asUser()),
  powerOff: (_host: TestHost, vm: Vm) => vm.powerOff(asUser()),
  reset: (_host: TestHost, vm: Vm) => vm.reset(asUser()),
  suspend: (_host: TestHost, vm: Vm) => vm.suspend(asUser()),
  shutdownGuest: (_host: TestHost, vm: Vm) => vm.shutdownGuest(asUser()),
  rebootGuest: (_host: TestHost, vm: Vm) => vm.rebootGuest(asUser()),
  destroy: (host: TestHost, vm: Vm) => host.registry.destroy(asUser(), vm),
  unregister: (host: TestHost, vm: Vm) => host.registry.unregister(asUser(), vm),
  screenshot: (_host: TestHost, vm: Vm) => vm.screenshot(asUser()),
  sendKeys: (_host: TestHost, vm: Vm) => vm.sendKeys(asUser(), []),
  reload: (_host: TestHost, vm: Vm) => vm.reload(asUser()),
  reconfigure: (host: TestHost, vm: Vm) => host.registry.reconfigure(asUser(), vm, { annotation: 'new' }),
} as const;

type Outcome = PowerState | 'gone' | { readonly requested: PowerState };

// Source: the InvalidPowerState clauses of each method in the vSphere Web Services API.
const table: Readonly<Record<keyof typeof requests, Readonly<Record<PowerState, Outcome>>>> = {
  powerOn: { poweredOff: 'poweredOn', poweredOn: { requested: 'poweredOn' }, suspended: 'poweredOn' },
  powerOff: { poweredOff: { requested: 'poweredOff' }, poweredOn: 'poweredOff', suspended: 'poweredOff' },
  reset: { poweredOff: { requested: 'poweredOn' }, poweredOn: 'poweredOn', suspended: { requested: 'poweredOn' } },
  suspend: { poweredOff: { requested: 'suspended' }, poweredOn: 'suspended', suspended: { requested: 'suspended' } },
  shutdownGuest: {
    poweredOff: { requested: 'poweredOn' },
    poweredOn: 'poweredOn',
    suspended: { requested: 'poweredOn' },
  },
  rebootGuest: {
    poweredOff: { requested: 'poweredOn' },
    poweredOn: 'poweredOn',
    suspended: { requested: 'poweredOn' },
  },
  destroy: { poweredOff: 'gone', poweredOn: { requested: 'poweredOff' }, suspended: 'gone' },
  unregister: { poweredOff: 'gone', poweredOn: { requested: 'poweredOff' }, suspended: 'gone' },
  screenshot: { poweredOff: { requested: 'poweredOn' }, poweredOn: 'poweredOn', suspended: { requested: 'poweredOn' } },
  sendKeys: { poweredOff: { requested: 'poweredOn' }, poweredOn: 'poweredOn', suspended: { requested: 'poweredOn' } },
  reload: { poweredOff: 'poweredOff', poweredOn: { requested: 'poweredOff' }, suspended: 'suspended' },
  reconfigure: { poweredOff: 'poweredOff', poweredOn: 'poweredOn', suspended: 'suspended' },
};

async function vmIn(host: TestHost, state: PowerState): Promise<Vm> {
  const vm = await host.create(vmSpec(`in-${state}-${host.registry.all.length}-${host.events.length}`));
  if (state !== 'poweredOff') await vm.powerOn(asUser());
  if (state === 'suspended') await vm.suspend(asUser());
  assert.equal(vm.power, state);
  return vm;
}

void test('every request is done or refused with InvalidPowerState, by the power state', async (t) => {
  const host = await testHost(t);
  for (const [name, row] of Object.entries(table) as [keyof typeof requests, (typeof table)['powerOn']][]) {
    for (const state of ['poweredOff', 'poweredOn', 'suspended'] as const) {
      await t.test(`${name} when ${state}`, async () => {
        const outcome = row[state];
        const vm = await vmIn(host, state);
        if (typeof outcome === 'object') {
          const data = { requestedState: outcome.requested, existingState: state };
          await assert.rejects(requests[name](host, vm), fault('InvalidPowerState', data));
          assert.equal(vm.power, state);
          return;
        }
        await requests[name](host, vm);
        assert.equal(host.registry.find(vm.id) === undefined ? 'gone' : vm.power, outcome);
        assert.equal(host.vmms.machines.has(vm.id), outcome === 'poweredOn');
      });
    }
  }
});

void test('a power cycle tells its events in order and holds a switch port only while it lasts', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  host.events.length = 0;
  await vm.powerOn(asUser());
  assert.deepEqual(
    host.network.ports().map(({ portKey, portGroup, vmName }) => ({ portKey, portGroup, vmName })),
    [{ portKey: '1-4000', portGroup: 'VM Network', vmName: 'web' }],
  );
  assert.deepEqual(vm.portKeys(), ['1-4000']);
  await vm.reset(asUser());
  await vm.powerOff(asUser());
  assert.deepEqual(host.network.ports(), []);
  assert.deepEqual(vm.portKeys(), []);
  assert.deepEqual(eventTypes(host.events), [
    'VmStartingEvent',
    'VmPoweredOnEvent',
    'VmResettingEvent',
    'VmStoppingEvent',
    'VmPoweredOffEvent',
  ]);
  assert.ok(host.events.every(({ userName }) => userName === 'root'));
});

void test('of two power-ons at once one wins, and the other is told the task that it is in the way of', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const [first, second] = await Promise.allSettled([vm.powerOn(asUser('task-1')), vm.powerOn(asUser('task-2'))]);
  assert.equal(first.status, 'fulfilled');
  assert.equal(second.status, 'rejected');
  fault('TaskInProgress', { task: { type: 'Task', value: 'task-1' } })(second.reason);
  assert.equal(vm.power, 'poweredOn');
  assert.deepEqual(
    host.vmms.trace.filter((step) => step.startsWith('start')),
    ['start 1'],
  );
});

void test('whatever would move or remove a VM during its power-on is refused with TaskInProgress', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const start = host.vmms.hold('start');
  const powerOn = vm.powerOn(asUser('task-1'));
  await start.reached;
  const inProgress = fault('TaskInProgress', { task: { type: 'Task', value: 'task-1' } });
  for (const name of ['powerOff', 'reset', 'suspend', 'shutdownGuest', 'destroy', 'unregister'] as const) {
    await assert.rejects(requests[name](host, vm), inProgress);
  }
  // Nothing is on the screen yet.
  await assert.rejects(requests.screenshot(host, vm), fault('InvalidPowerState'));
  start.release();
  await powerOn;
  assert.equal(vm.power, 'poweredOn');
});

void test('a reconfiguration waits for the power-on, and finds the VM running', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const start = host.vmms.hold('start');
  const powerOn = vm.powerOn(asUser());
  await start.reached;
  const note = vm.reconfigure(asUser(), { annotation: 'meanwhile' });
  const cold = assert.rejects(vm.reconfigure(asUser(), { memoryMB: 256 }), fault('MemoryHotPlugNotSupported'));
  start.release();
  await Promise.all([powerOn, note, cold]);
  assert.equal(vm.config.annotation, 'meanwhile');
});

void test('what waited behind a removal is told that the VM is gone', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const removal = host.registry.destroy(asUser('task-1'), vm);
  const change = vm.reconfigure(asUser(), { annotation: 'too late' });
  await removal;
  await assert.rejects(change, fault('ManagedObjectNotFound'));
  await assert.rejects(vm.powerOn(asUser()), fault('ManagedObjectNotFound'));
  assert.deepEqual(await host.files(), []);
});

void test('keys and pictures neither wait for power operations nor stand in their way', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  const typing = host.vmms.hold('sendKeys');
  const keys = vm.sendKeys(asUser(), [{ usage: 4, modifiers: [] }]);
  await typing.reached;
  await vm.powerOff(asUser());
  typing.release();
  await assert.rejects(keys, fault('InvalidPowerState', { existingState: 'poweredOff' }));
});

void test('a guest that shuts itself down leaves a VM that is off, cleanly', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  host.events.length = 0;
  await host.vmms.machine(vm.id).powersOff();
  assert.equal(vm.power, 'poweredOff');
  assert.equal(vm.view().crashed, false);
  assert.deepEqual(eventTypes(host.events), ['VmPoweredOffEvent']);
  assert.deepEqual(host.network.ports(), []);
});

void test('when a VMM dies the VM is off, an event says why, and the others do not notice', async (t) => {
  const host = await testHost(t);
  const [vm, other] = [await host.create(), await host.create(vmSpec('other'))];
  await vm.powerOn(asUser());
  await other.powerOn(asUser());
  host.events.length = 0;
  await host.vmms.machine(vm.id).dies('killed by signal 9');
  assert.equal(vm.power, 'poweredOff');
  assert.equal(vm.view().crashed, true);
  assert.deepEqual(eventTypes(host.events), ['EventEx', 'VmPoweredOffEvent']);
  assert.match((host.events[0] as { message?: string } | undefined)?.message ?? '', /killed by signal 9/);
  assert.equal(other.power, 'poweredOn');
  assert.equal(host.vmms.machine(other.id).state, 'running');
  await vm.powerOn(asUser());
  assert.equal(vm.view().crashed, false);
});

void test('a VMM that dies while something is asked of it answers with InvalidPowerState', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  const reset = host.vmms.hold('reset');
  const refused = assert.rejects(vm.reset(asUser()), fault('InvalidPowerState', { existingState: 'poweredOff' }));
  await reset.reached;
  await host.vmms.machine(vm.id).dies();
  reset.release();
  await refused;
  assert.equal(vm.power, 'poweredOff');
});

void test('a VMM that dies at the very end of its start is not taken for a running one', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const start = host.vmms.hold('continue');
  const powerOn = vm.powerOn(asUser());
  await start.reached;
  const machine = host.vmms.machine(vm.id);
  start.release();
  await Promise.resolve();
  await Promise.all([powerOn.catch(() => undefined), machine.dies()]);
  await turns();
  assert.equal(vm.power, 'poweredOff');
  assert.equal(host.vmms.machines.size, 0);
});

void test('a failed power-on leaves the VM off, with an event and nothing plugged in', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  host.events.length = 0;
  host.vmms.fail('start', new Error('QEMU says no'));
  await assert.rejects(vm.powerOn(asUser()), fault('GenericVmConfigFault', { reason: 'QEMU says no' }));
  assert.equal(vm.power, 'poweredOff');
  assert.deepEqual(eventTypes(host.events), ['VmStartingEvent', 'VmFailedToPowerOnEvent']);
  assert.deepEqual(host.network.ports(), []);
  await vm.powerOn(asUser());
  assert.equal(vm.power, 'poweredOn');
});

void test('a power-on without its disk is a FileNotFound', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await host.disks.remove('[datastore1] web/web.vmdk');
  await assert.rejects(vm.powerOn(asUser()), fault('FileNotFound', { file: '[datastore1] web/web.vmdk' }));
  assert.equal(vm.power, 'poweredOff');
});

void test('the guest is asked through its agent when it has one, by the power button otherwise', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  host.vmms.trace.length = 0;
  await vm.shutdownGuest(asUser());
  assert.deepEqual(host.vmms.trace, ['powerDown 1']);
  host.vmms.machine(vm.id).agentComes({ interfaces: [] });
  await turns();
  host.vmms.trace.length = 0;
  await vm.shutdownGuest(asUser());
  assert.deepEqual(host.vmms.trace, ['agentShutdown 1']);
});

void test('a reboot by the power button starts the guest again when it is down', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  const first = host.vmms.machine(vm.id);
  first.powerButton = 'shutdown';
  host.events.length = 0;
  await vm.rebootGuest(asUser());
  while (host.vmms.machines.get(vm.id)?.memory !== 'boot 2') await turns(1);
  await turns();
  assert.equal(vm.power, 'poweredOn');
  assert.deepEqual(eventTypes(host.events), [
    'VmGuestRebootEvent',
    'VmPoweredOffEvent',
    'VmStartingEvent',
    'VmPoweredOnEvent',
  ]);
  // It was asked once: the next shutdown is one.
  await host.vmms.machine(vm.id).powersOff();
  await turns();
  assert.equal(vm.power, 'poweredOff');
});

void test('a reboot that the guest ignored does not start a VM that somebody turned off later', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  await vm.rebootGuest(asUser());
  await vm.powerOff(asUser());
  await vm.powerOn(asUser());
  await host.vmms.machine(vm.id).powersOff();
  await turns();
  assert.equal(vm.power, 'poweredOff');

  await vm.powerOn(asUser());
  await vm.rebootGuest(asUser());
  await vm.shutdownGuest(asUser());
  await host.vmms.machine(vm.id).powersOff();
  await turns();
  assert.equal(vm.power, 'poweredOff');

  await vm.powerOn(asUser());
  await vm.rebootGuest(asUser());
  await host.vmms.machine(vm.id).dies();
  await turns();
  assert.equal(vm.power, 'poweredOff');
});

void test('a reboot that never reached the guest does not start it when it goes down later', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  host.vmms.fail('powerDown', new Error('QEMU says no'));
  await assert.rejects(vm.rebootGuest(asUser()), fault('SystemError'));
  await host.vmms.machine(vm.id).powersOff();
  await turns();
  assert.equal(vm.power, 'poweredOff');
});

void test('devices are connected while the VM runs, as they are to start', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const connected = () =>
    Object.fromEntries(
      (vm.config.hardware.device ?? []).flatMap((d) => (d.connectable ? [[d.key, d.connectable.connected]] : [])),
    );
  assert.deepEqual(connected(), { 4000: false, 16000: false });
  await vm.powerOn(asUser());
  assert.deepEqual(connected(), { 4000: true, 16000: false });
  assert.equal(host.vmms.machine(vm.id).links.get('nic-4000'), true);
  await vm.powerOff(asUser());
  assert.deepEqual(connected(), { 4000: false, 16000: false });
});
