import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fault } from '../testing/faults.ts';
import { asUser, eventTypes, type TestHost, testHost } from '../testing/test-host.ts';
import { turns } from '../testing/virtual-clock.ts';
import { overallStatus } from '../virtual-machine/summary.ts';
import type { Vm } from './vm.ts';

async function fullDisk(host: TestHost): Promise<Vm> {
  const vm = await host.create();
  await vm.powerOn(asUser());
  host.events.length = 0;
  const machine = host.vmms.machine(vm.id);
  machine.isFull = true;
  machine.writes();
  return vm;
}

void test('a machine without room for its disk waits, asks, and is red', async (t) => {
  const host = await testHost(t);
  const vm = await fullDisk(host);
  const { question, power } = vm.view();
  assert.equal(power, 'poweredOn');
  assert.equal(question?.id, '1-1');
  assert.match(question?.text ?? '', /^msg\.hbacommon\.outofspace:There is no more space/);
  assert.deepEqual(
    question?.choice.choiceInfo.map((choice) => [choice.key, 'label' in choice ? choice.label : '']),
    [
      ['0', 'Retry'],
      ['1', 'Cancel'],
    ],
  );
  assert.equal(overallStatus(vm.view()), 'red');
  assert.deepEqual(eventTypes(host.events), ['VmMessageEvent']);
  assert.match((host.events[0] as { message?: string }).message ?? '', /^There is no more space/);
});

void test('an answer to another question, or a choice that was not offered, is an InvalidArgument', async (t) => {
  const host = await testHost(t);
  const vm = await fullDisk(host);
  await assert.rejects(vm.answer(asUser(), '1-7', '0'), fault('InvalidArgument', { invalidProperty: 'questionId' }));
  await assert.rejects(vm.answer(asUser(), '1-1', '2'), fault('InvalidArgument', { invalidProperty: 'answerChoice' }));
  assert.ok(vm.view().question);
  const quiet = await host.restart();
  const again = quiet.registry.find(vm.id);
  assert.ok(again);
});

void test('Retry lets the machine run; without room it asks anew', async (t) => {
  const host = await testHost(t);
  const vm = await fullDisk(host);
  const machine = host.vmms.machine(vm.id);
  await vm.answer(asUser(), '1-1', '0');
  // The machine has met the full disk again before the answer returned.
  assert.equal(machine.state, 'ioError');
  assert.equal(vm.view().question?.id, '1-2');
  machine.isFull = false;
  await vm.answer(asUser(), '1-2', '0');
  assert.equal(machine.state, 'running');
  assert.equal(vm.view().question, undefined);
  assert.equal(overallStatus(vm.view()), 'green');
  assert.deepEqual(eventTypes(host.events), ['VmMessageEvent', 'VmMessageEvent']);
});

void test('whoever answers second is told that the question was answered', async (t) => {
  const host = await testHost(t);
  const vm = await fullDisk(host);
  host.vmms.machine(vm.id).isFull = false;
  const [first, second] = await Promise.allSettled([vm.answer(asUser(), '1-1', '0'), vm.answer(asUser(), '1-1', '1')]);
  assert.equal(first.status, 'fulfilled');
  assert.equal(second.status, 'rejected');
  fault('ConcurrentAccess')(second.reason);
  assert.equal(vm.power, 'poweredOn');
});

void test('Cancel turns the VM off', async (t) => {
  const host = await testHost(t);
  const vm = await fullDisk(host);
  await vm.answer(asUser(), '1-1', '1');
  assert.equal(vm.power, 'poweredOff');
  assert.equal(vm.view().question, undefined);
  assert.deepEqual(eventTypes(host.events), ['VmMessageEvent', 'VmStoppingEvent', 'VmPoweredOffEvent']);
  await assert.rejects(vm.answer(asUser(), '1-9', '0'), fault('InvalidArgument'));
});

void test('an answer that does not help leaves the question open', async (t) => {
  const host = await testHost(t);
  const vm = await fullDisk(host);
  host.vmms.fail('continue', new Error('not now'));
  await assert.rejects(vm.answer(asUser(), '1-1', '0'), fault('SystemError'));
  assert.equal(vm.view().question?.id, '1-1');
  host.vmms.machine(vm.id).isFull = false;
  await vm.answer(asUser(), '1-1', '0');
  assert.equal(vm.view().question, undefined);
});

void test('when room returns the machine runs on by itself', async (t) => {
  const host = await testHost(t);
  const vm = await fullDisk(host);
  host.vmms.machine(vm.id).isFull = false;
  await vm.spaceReturned();
  assert.equal(host.vmms.machine(vm.id).state, 'running');
  assert.equal(vm.view().question, undefined);
  assert.deepEqual(eventTypes(host.events), ['VmMessageEvent']);
});

void test('a little room that is gone at once neither changes the question nor posts another event', async (t) => {
  const host = await testHost(t);
  const vm = await fullDisk(host);
  for (let round = 0; round < 5; round++) {
    await vm.spaceReturned();
    await host.clock.advance(1_000);
    assert.equal(vm.view().question?.id, '1-1');
  }
  assert.deepEqual(eventTypes(host.events), ['VmMessageEvent']);
  await vm.answer(asUser(), '1-1', '1');
  assert.equal(vm.power, 'poweredOff');
});

void test('room helps only a machine that waits for room', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  host.vmms.machine(vm.id).readsBadBlock();
  assert.match(vm.view().question?.text ?? '', /reported an error \(disk-2000: Input\/output error\)/);
  host.vmms.trace.length = 0;
  await vm.spaceReturned();
  assert.deepEqual(host.vmms.trace, []);
  assert.ok(vm.view().question);
  await vm.answer(asUser(), '1-1', '0');
  assert.equal(host.vmms.machine(vm.id).state, 'running');
});

void test('the datastore that ran full is watched closely, until its room returns', async (t) => {
  const host = await testHost(t);
  const full: string[] = [];
  const { ranFull } = host.host.paths;
  Object.assign(host.host.paths, { ranFull: (absolute: string) => void full.push(absolute) });
  const vm = await fullDisk(host);
  assert.deepEqual(full, [vm.vmxFile]);
  Object.assign(host.host.paths, { ranFull });
});

void test('a guest that waits cannot be suspended, shut down or rebooted: QuestionPending', async (t) => {
  const host = await testHost(t);
  const vm = await fullDisk(host);
  const pending = fault('QuestionPending');
  await assert.rejects(vm.suspend(asUser()), pending);
  await assert.rejects(vm.shutdownGuest(asUser()), pending);
  await assert.rejects(vm.rebootGuest(asUser()), pending);
  assert.deepEqual(eventTypes(host.events), ['VmMessageEvent']);
});

void test('a reset lets a machine that waits run again', async (t) => {
  const host = await testHost(t);
  const vm = await fullDisk(host);
  host.vmms.machine(vm.id).isFull = false;
  await vm.reset(asUser());
  assert.equal(host.vmms.machine(vm.id).state, 'running');
  assert.equal(vm.view().question, undefined);
});

void test('a machine that ends while it waits takes its question along', async (t) => {
  for (const end of ['powerOff', 'dies', 'diesDuringRetry'] as const) {
    await t.test(end, async (t) => {
      const host = await testHost(t);
      const vm = await fullDisk(host);
      const machine = host.vmms.machine(vm.id);
      if (end === 'powerOff') await vm.powerOff(asUser());
      else if (end === 'dies') await machine.dies();
      else {
        const retry = host.vmms.hold('continue');
        const answer = assert.rejects(vm.answer(asUser(), '1-1', '0'), fault('InvalidPowerState'));
        await retry.reached;
        await machine.dies();
        retry.release();
        await answer;
      }
      await turns();
      assert.equal(vm.power, 'poweredOff');
      assert.equal(vm.view().question, undefined);
      await vm.powerOn(asUser());
      assert.equal(vm.view().question, undefined);
    });
  }
});

void test('a machine that waited when hostd was killed goes on, or asks again', async (t) => {
  for (const isFull of [false, true]) {
    await t.test(isFull ? 'still full' : 'room by now', async (t) => {
      const first = await testHost(t);
      const { id } = await fullDisk(first);
      first.vmms.machine(id).isFull = isFull;
      const host = await first.restart();
      const vm = host.registry.find(id);
      assert.equal(vm?.power, 'poweredOn');
      assert.equal(host.vmms.machine(id).state, isFull ? 'ioError' : 'running');
      assert.equal(vm?.view().question !== undefined, isFull);
    });
  }
});
