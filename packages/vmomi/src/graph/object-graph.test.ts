import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, moRef } from '@vivarium/vim';
import type { Change } from './change.ts';
import { ObjectGraph } from './object-graph.ts';

const vmRef = moRef('VirtualMachine', 'vm-1');
const runtime = {
  connectionState: 'connected',
  powerState: 'poweredOff',
  faultToleranceState: 'notConfigured',
  toolsInstallerMounted: false,
  numMksConnections: 0,
  recordReplayState: 'inactive',
  bootTime: '2026-01-01T00:00:00Z',
} as never;

void test('objects are found by type and value, and by type', () => {
  const graph = new ObjectGraph();
  const vm = graph.add(vmRef, { name: 'a' });
  assert.equal(graph.get(vmRef), vm);
  assert.equal(graph.find(moRef('VirtualMachine', 'vm-2')), undefined);
  assert.equal(graph.find(moRef('Folder', 'vm-1')), undefined);
  assert.deepEqual([...graph.ofType('VirtualMachine')], [vm]);
  assert.throws(() => graph.add(vmRef, {}), /already/);
  graph.remove(vmRef);
  graph.remove(vmRef);
  assert.equal(graph.size, 0);
  assert.throws(
    () => graph.get(vmRef),
    (error) => {
      assert.ok(isFault(error, 'ManagedObjectNotFound'));
      assert.deepEqual(error.fault.obj, { type: 'VirtualMachine', value: 'vm-1' });
      return true;
    },
  );
});

void test('a change tells the subscribers of that object, once, with the paths and the former values', () => {
  const graph = new ObjectGraph();
  const vm = graph.add(vmRef, { name: 'a', runtime });
  const other = graph.add(moRef('VirtualMachine', 'vm-2'), { name: 'b' });
  const heard: Change[] = [];
  const unsubscribe = graph.subscribe(vmRef, (change) => heard.push(change));
  const { version } = graph;

  other.set('name', 'c');
  vm.set('name', 'a');
  assert.equal(heard.length, 0);

  vm.update({ name: 'a', 'runtime.powerState': 'poweredOn', overallStatus: 'green' });
  assert.equal(graph.version, version + 2);
  assert.deepEqual(
    heard.map((change) => (change.kind === 'modified' ? [change.paths, change.before, change.version] : [])),
    [[['runtime.powerState', 'overallStatus'], { runtime }, graph.version]],
  );

  unsubscribe();
  vm.set('name', 'z');
  assert.equal(heard.length, 1);
});

void test('a subscriber hears of the coming and going of its object', () => {
  const graph = new ObjectGraph();
  const kinds: string[] = [];
  graph.subscribe(vmRef, (change) => kinds.push(change.kind));
  graph.onAdd((object) => kinds.push(`+${object.ref.value}`));
  graph.onRemove((object) => kinds.push(`-${object.ref.value}`));
  const vm = graph.add(vmRef, {});
  graph.remove(vmRef);
  vm.set('name', 'too late');
  assert.deepEqual(kinds, ['added', '+vm-1', 'removed', '-vm-1']);
});

void test('setting a nested path copies: values handed out before stay as they were', () => {
  const graph = new ObjectGraph();
  const vm = graph.add(vmRef, { runtime });
  const before = vm.get('runtime');
  vm.set('runtime.powerState', 'poweredOn');
  assert.equal(before?.powerState, 'poweredOff');
  assert.equal(vm.getPath('runtime.powerState'), 'poweredOn');
  vm.set('runtime.powerState', undefined);
  assert.equal(vm.getPath('runtime.powerState'), undefined);
  assert.equal(vm.getPath('runtime.connectionState'), 'connected');
  vm.set('runtime', undefined);
  assert.deepEqual(vm.propertyNames(), []);
  assert.throws(() => vm.set('config.name', 'x'), /not a data object/);
});

void test('paths reach into arrays by key', () => {
  const graph = new ObjectGraph();
  const vm = graph.add(vmRef, {
    network: [moRef('Network', 'net-1')],
    config: {
      hardware: { device: [{ key: 4000, deviceInfo: { label: 'nic', summary: '' } }] },
      extraConfig: [{ key: 'guestinfo.a.b', value: 'x' }],
    } as never,
  });
  assert.equal(vm.getPath('config.hardware.device[4000].deviceInfo.label'), 'nic');
  assert.equal(vm.getPath('config.extraConfig["guestinfo.a.b"].value'), 'x');
  assert.deepEqual(vm.getPath('network["net-1"]'), { type: 'Network', value: 'net-1' });
  assert.equal(vm.getPath('config.hardware.device[4001]'), undefined);
  assert.equal(vm.getPath('config..hardware'), undefined);
  assert.equal(vm.getPath('toString'), undefined);
});
