// A datastore without room, really: every request that needs some is refused with NoDiskSpace and changes nothing.
import assert from 'node:assert/strict';
import { open, readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fault } from '../testing/faults.ts';
import { asUser, diskChange, type TestHost, testHost, vmSpec } from '../testing/test-host.ts';
import { until } from '../testing/virtual-clock.ts';

const skip = process.getuid?.() === 0 ? false : 'mounting a tmpfs needs root';
const full = fault('NoDiskSpace', { datastore: 'datastore1' });

/** Fills the datastore up to the last page; returns the way to make room. */
async function fill(host: TestHost): Promise<() => Promise<void>> {
  const file = join(host.root, 'ballast');
  const handle = await open(file, 'w');
  const page = Buffer.alloc(4096, 1);
  try {
    for (;;) await handle.write(page);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    await handle.close();
  }
  assert.equal((await statfs(host.root)).bavail, 0);
  return () => rm(file);
}

const withoutBallast = async (host: TestHost) => (await host.files()).filter((path) => path !== 'ballast');

void test('a VM that does not fit is not made, and leaves nothing', { skip }, async (t) => {
  const host = await testHost(t, { sizeMB: 1 });
  const makeRoom = await fill(host);
  await assert.rejects(host.create(), full);
  assert.deepEqual(await withoutBallast(host), []);
  assert.deepEqual(host.registry.all, []);
  assert.deepEqual(host.store.range('vm-intent/'), []);
  await makeRoom();
  await host.create();
});

void test('a VM on a full datastore can neither be changed nor started nor suspended, and stays as it is', {
  skip,
}, async (t) => {
  const host = await testHost(t, { sizeMB: 1 });
  const [vm, running] = [await host.create(), await host.create(vmSpec('running'))];
  await running.powerOn(asUser());
  const texts = () => Promise.all([vm, running].map(({ vmxFile }) => readFile(vmxFile, 'utf8')));
  const before = await texts();
  const files = await host.files();
  const makeRoom = await fill(host);
  await assert.rejects(vm.reconfigure(asUser(), { annotation: 'no room' }), full);
  await assert.rejects(vm.reconfigure(asUser(), { deviceChange: [diskChange(-1, 1000, 8)] }), full);
  await assert.rejects(running.reconfigure(asUser(), { deviceChange: [diskChange(-1, 1000, 8)] }), full);
  await assert.rejects(vm.powerOn(asUser()), full);
  await assert.rejects(running.suspend(asUser()), full);
  assert.deepEqual(await texts(), before);
  assert.deepEqual(await withoutBallast(host), files);
  assert.equal(vm.power, 'poweredOff');
  assert.equal(vm.config.annotation, '');
  assert.equal(running.power, 'poweredOn');
  assert.equal(host.vmms.machine(running.id).state, 'running');
  // To go is always possible.
  await running.powerOff(asUser());
  await host.registry.destroy(asUser(), running);
  assert.deepEqual(
    await withoutBallast(host),
    files.filter((path) => !path.startsWith('running/')),
  );
  await makeRoom();
  await vm.powerOn(asUser());
  const next = await host.restart();
  assert.deepEqual(
    next.registry.all.map(({ name, power }) => [name, power]),
    [['web', 'poweredOn']],
  );
});

void test('a guest that met the full datastore runs on within seconds of there being room', { skip }, async (t) => {
  const host = await testHost(t, { sizeMB: 1 });
  const stop = host.host.paths.onSpace(() => {
    for (const vm of host.registry.all) void vm.spaceReturned();
  });
  t.after(stop);
  const vm = await host.create();
  await vm.powerOn(asUser());
  const machine = host.vmms.machine(vm.id);
  const makeRoom = await fill(host);
  machine.isFull = true;
  machine.writes();
  assert.ok(vm.view().question);
  await until('the datastore is known to be full', () => host.clock.timers.includes(1_000));
  await makeRoom();
  machine.isFull = false;
  await host.clock.advance(1_000);
  await until('the guest runs on', () => machine.state === 'running');
  assert.equal(vm.view().question, undefined);
});
