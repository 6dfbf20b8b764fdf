import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MoRef } from '@vivarium/vim';
import { refs } from '../inventory/refs.ts';
import { fault } from '../testing/faults.ts';
import { publishedHost } from '../testing/published-host.ts';
import { eventTypes } from '../testing/test-host.ts';

const listed = (world: { property<R>(ref: MoRef, path: string): R }) =>
  world.property<MoRef[]>(refs.vmFolder, 'childEntity').map(({ value }) => value);

void test('a VM whose folder is away stays in the inventory as inaccessible, and comes back with Reload', async (t) => {
  const first = await publishedHost(t);
  const vm = await first.host.create();
  const folder = join(first.host.root, 'web');
  await rename(folder, `${folder} away`);
  const world = await first.restart();
  assert.deepEqual(listed(world), [vm.id]);
  const get = (path: string) => world.property(vm.ref, path);
  assert.equal(get('name'), '[datastore1] web/web.vmx');
  assert.equal(get('runtime.connectionState'), 'inaccessible');
  assert.equal(get('summary.runtime.connectionState'), 'inaccessible');
  assert.equal(get('summary.config.vmPathName'), '[datastore1] web/web.vmx');
  assert.equal(get('config'), undefined);
  assert.equal(get('overallStatus'), 'gray');
  await assert.rejects(world.invoke(vm.ref, 'PowerOnVM_Task'), fault('InvalidState'));
  await assert.rejects(world.invoke(vm.ref, 'Reload'), fault('FileNotFound'));
  await rename(`${folder} away`, folder);
  await world.invoke(vm.ref, 'Reload');
  assert.equal(get('name'), 'web');
  assert.equal(get('runtime.connectionState'), 'connected');
  assert.deepEqual(listed(world), [vm.id]);
  await world.run(vm.ref, 'PowerOnVM_Task');
});

void test('a VM whose VMX is none is invalid, and can be unregistered for good', async (t) => {
  const first = await publishedHost(t);
  const vm = await first.host.create();
  await writeFile(vm.vmxFile, 'gibberish');
  const world = await first.restart();
  assert.equal(world.property(vm.ref, 'runtime.connectionState'), 'invalid');
  await world.invoke(vm.ref, 'UnregisterVM');
  assert.deepEqual(listed(world), []);
  assert.deepEqual(eventTypes(world.host.events), ['VmRemovedEvent']);
  assert.deepEqual(listed(await world.restart()), []);
});

void test('a running VM whose VMX was spoilt is taken over when it is readable again', async (t) => {
  const first = await publishedHost(t);
  const vm = await first.host.create();
  await first.run(vm.ref, 'PowerOnVM_Task');
  const text = await readFile(vm.vmxFile, 'utf8');
  await writeFile(vm.vmxFile, 'gibberish');
  const world = await first.restart();
  assert.equal(world.host.vmms.machine(vm.id).state, 'running');
  await writeFile(vm.vmxFile, text);
  await world.invoke(vm.ref, 'Reload');
  assert.equal(world.property(vm.ref, 'runtime.powerState'), 'poweredOn');
});

void test('registering a VM anew replaces its inaccessible self', async (t) => {
  const first = await publishedHost(t);
  const vm = await first.host.create();
  const text = await readFile(vm.vmxFile, 'utf8');
  await writeFile(vm.vmxFile, 'gibberish');
  const world = await first.restart();
  await writeFile(vm.vmxFile, text);
  const again = await world.run<MoRef>(refs.vmFolder, 'RegisterVM_Task', {
    path: '[datastore1] web/web.vmx',
    asTemplate: false,
    pool: refs.resourcePool,
  });
  assert.deepEqual(listed(world), [again.value]);
  await assert.rejects(world.invoke(vm.ref, 'Reload'), fault('ManagedObjectNotFound'));
});
