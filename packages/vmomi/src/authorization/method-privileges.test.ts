import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, moRef, schema } from '@vivarium/vim';
import { ObjectGraph } from '../graph/object-graph.ts';
import { requirements } from './method-privileges.ts';

const compute = moRef('ComputeResource', 'compute');
const [root, a, b] = ['root', 'a', 'b'].map((name) => moRef('ResourcePool', name)) as [MoRef, MoRef, MoRef];
const vm = moRef('VirtualMachine', 'vm');

function pools(): ObjectGraph {
  const graph = new ObjectGraph();
  graph.add(compute, { name: 'compute' });
  graph.add(root, { name: 'root', parent: compute, resourcePool: [a, b], vm: [] } as never);
  graph.add(a, { name: 'a', parent: root, resourcePool: [], vm: [vm] } as never);
  graph.add(b, { name: 'b', parent: root, resourcePool: [], vm: [] } as never);
  graph.add(vm, { name: 'vm' });
  return graph;
}

/** `object privilege` of all that a call needs. */
function needed(ref: MoRef, name: string, args: object = {}): string[] {
  const graph = pools();
  const method = schema.method(ref.type, name);
  assert.ok(method);
  const all = requirements(graph, graph.get(ref), method, args as Record<string, unknown>);
  return [...new Set(all.map(({ object, privilege }) => `${object.ref.value} ${privilege}`))].sort();
}

void test('a pool is changed by whoever may change it and the pool around it', () => {
  assert.deepEqual(needed(a, 'UpdateConfig'), ['a Resource.EditPool', 'root Resource.EditPool']);
  assert.deepEqual(needed(root, 'UpdateConfig'), ['root Resource.EditPool']);
  assert.deepEqual(needed(root, 'UpdateChildResourceConfiguration', { spec: [{ entity: a }, { entity: vm }] }), [
    'a Resource.EditPool',
    'root Resource.EditPool',
    'root System.Read',
    'vm VirtualMachine.Config.Resource',
  ]);
});

void test('what moves needs rights where it comes from and where it goes to', () => {
  assert.deepEqual(needed(b, 'MoveIntoResourcePool', { list: [a] }), [
    'a Resource.MovePool',
    'b Resource.MovePool',
    'b System.Read',
    'root Resource.MovePool',
  ]);
  assert.deepEqual(needed(b, 'MoveIntoResourcePool', { list: [vm] }), [
    'b Resource.AssignVMToPool',
    'b System.Read',
    'vm Resource.AssignVMToPool',
  ]);
});

void test('whoever removes a pool may also put its VMs into the pool around it', () => {
  assert.deepEqual(needed(b, 'Destroy_Task'), ['b Resource.DeletePool', 'root Resource.DeletePool']);
  assert.deepEqual(needed(a, 'Destroy_Task'), [
    'a Resource.DeletePool',
    'root Resource.AssignVMToPool',
    'root Resource.DeletePool',
    'vm Resource.AssignVMToPool',
  ]);
  assert.deepEqual(needed(root, 'DestroyChildren'), [
    'a Resource.DeletePool',
    'b Resource.DeletePool',
    'root Resource.AssignVMToPool',
    'root Resource.DeletePool',
    'vm Resource.AssignVMToPool',
  ]);
  assert.deepEqual(needed(vm, 'Destroy_Task'), ['vm VirtualMachine.Inventory.Delete']);
});

void test('whoever destroys a vApp may also delete the VMs in the pools of it', () => {
  const graph = new ObjectGraph();
  const app = moRef('VirtualApp', 'app') as MoRef;
  graph.add(root, { name: 'root', resourcePool: [app], vm: [] } as never);
  graph.add(app, { name: 'app', parent: root, resourcePool: [a], vm: [] } as never);
  graph.add(a, { name: 'a', parent: app, resourcePool: [b], vm: [] } as never);
  graph.add(b, { name: 'b', parent: a, resourcePool: [], vm: [vm] } as never);
  graph.add(vm, { name: 'vm', parentVApp: app, resourcePool: b } as never);
  const method = schema.method('VirtualApp', 'Destroy_Task');
  assert.ok(method);
  const all = requirements(graph, graph.get(app), method, {});
  assert.deepEqual(all.map(({ object, privilege }) => `${object.ref.value} ${privilege}`).sort(), [
    'a Resource.DeletePool',
    'app VApp.Delete',
    'b Resource.DeletePool',
    'root VApp.Delete',
    'vm VirtualMachine.Inventory.Delete',
  ]);
});

void test('a view that is asked for what has gone tells so by itself; what is there has to be seen', () => {
  const view = moRef('ListView', 'view');
  const graph = pools();
  graph.add(view, { view: [] } as never);
  const method = schema.method('ListView', 'ModifyListView');
  assert.ok(method);
  const gone = moRef('Task', 'gone');
  const all = requirements(graph, graph.get(view), method, { add: [gone, vm], remove: [gone] });
  assert.deepEqual(all, [{ object: graph.get(vm), privilege: 'System.View' }]);
});

void test('a card needs its network, and a disk its datastore, however their names are written', () => {
  const graph = new ObjectGraph();
  const [datacenter, folder] = [moRef('Datacenter', 'dc'), moRef('Folder', 'folder')];
  const [network, datastore] = [moRef('Network', 'net'), moRef('Datastore', 'ds')];
  graph.add(datacenter, { name: 'dc', network: [network], datastore: [datastore] } as never);
  graph.add(folder, { name: 'vm', parent: datacenter } as never);
  graph.add(network, { name: 'VLAN 10%2f20' } as never);
  graph.add(datastore, { name: 'fast%25' } as never);
  const method = schema.method('Folder', 'CreateVM_Task');
  assert.ok(method);
  const need = (config: object) =>
    requirements(graph, graph.get(folder), method, { config })
      .filter(({ object }) => object.ref.value !== 'folder')
      .map(({ object, privilege }) => `${object.ref.value} ${privilege}`);
  for (const deviceName of ['VLAN 10/20', 'VLAN 10%2f20', 'VLAN 10%2F20']) {
    const device = { key: -1, backing: { deviceName } };
    const config = { files: { vmPathName: '[fast%] a' }, deviceChange: [{ operation: 'add', device }] };
    assert.deepEqual(need(config), ['ds Datastore.AllocateSpace', 'net Network.Assign'], deviceName);
  }
  for (const vmPathName of ['[fast%] a', ' [ fast%25 ] a']) {
    assert.deepEqual(need({ files: { vmPathName } }), ['ds Datastore.AllocateSpace'], vmPathName);
  }
});

void test('whoever takes a file or makes one holds rights on its datastore, however the datastore is named', () => {
  const graph = new ObjectGraph();
  const [datacenter, folder] = [moRef('Datacenter', 'dc'), moRef('Folder', 'vms') as MoRef];
  const [one, other] = ['one', 'other'].map((name) => moRef('Datastore', name) as MoRef) as [MoRef, MoRef];
  graph.add(datacenter, { name: 'dc', datastore: [one, other] } as never);
  graph.add(folder, { name: 'vms', parent: datacenter } as never);
  for (const ref of [one, other]) {
    const url = `ds:///vmfs/volumes/uuid-of-${ref.value}/`;
    graph.add(ref, { name: ref.value, summary: { url } } as never);
  }
  const privileges = (name: string, args: object) => {
    const method = schema.method('Folder', name);
    assert.ok(method);
    const all = requirements(graph, graph.get(folder), method, args as Record<string, unknown>);
    return all.filter(({ privilege }) => privilege.startsWith('Datastore.')).map(({ object }) => object.ref.value);
  };
  for (const path of [
    '[one] a/a.vmx',
    ' [ one ]a/a.vmx',
    '[uuid-of-one] a/a.vmx',
    'ds:///vmfs/volumes/uuid-of-one/a/a.vmx',
    '/vmfs/volumes/one/a/a.vmx',
    'https://host/folder/a/a.vmx?dcPath=dc&dsName=one',
  ]) {
    assert.deepEqual(privileges('RegisterVM_Task', { path, asTemplate: false }), ['one'], path);
  }
  const made = (files: object) => privileges('CreateVM_Task', { config: { name: 'x', files } });
  assert.deepEqual(made({ vmPathName: '[one]' }), ['one']);
  assert.deepEqual(made({}), ['one', 'other'], 'where it comes the daemon decides');
  assert.deepEqual(made({ vmPathName: ' ' }), ['one', 'other']);
});

void test('whoever registers a VM without a pool may put it into the pool of the host', () => {
  const graph = new ObjectGraph();
  const [datacenter, hosts, folder] = [
    moRef('Datacenter', 'dc'),
    moRef('Folder', 'hosts'),
    moRef('Folder', 'vms') as MoRef,
  ];
  graph.add(datacenter, { name: 'dc', hostFolder: hosts, datastore: [] } as never);
  graph.add(hosts, { name: 'hosts', parent: datacenter, childEntity: [compute] } as never);
  graph.add(compute, { name: 'compute', parent: hosts, resourcePool: root } as never);
  graph.add(root, { name: 'root', parent: compute } as never);
  graph.add(folder, { name: 'vms', parent: datacenter } as never);
  const method = schema.method('Folder', 'RegisterVM_Task');
  assert.ok(method);
  const all = requirements(graph, graph.get(folder), method, { path: '[one] a.vmx', asTemplate: false });
  assert.ok(
    all.some(({ object, privilege }) => object.ref.value === 'root' && privilege === 'Resource.AssignVMToPool'),
  );
});
