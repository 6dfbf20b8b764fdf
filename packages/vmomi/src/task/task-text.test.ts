import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptionIdOf, taskOperation, taskText } from './task-text.ts';

test('tasks have the ids and labels that vCenter gives them', () => {
  for (const [type, method, id, label] of [
    ['VirtualMachine', 'PowerOnVM_Task', 'VirtualMachine.powerOn', 'Power On virtual machine'],
    ['HostDatastoreBrowser', 'SearchDatastore_Task', 'host.DatastoreBrowser.search', 'Search datastore'],
    [
      'DistributedVirtualPortgroup',
      'ReconfigureDVPortgroup_Task',
      'dvs.DistributedVirtualPortgroup.reconfigure',
      'Reconfigure Distributed Port Group',
    ],
    ['VirtualMachineSnapshot', 'RemoveSnapshot_Task', 'vm.Snapshot.remove', 'Remove snapshot'],
    ['ClusterComputeResource', 'Destroy_Task', 'ClusterComputeResource.destroy', 'Remove cluster'],
    [
      'VmwareDistributedVirtualSwitch',
      'Destroy_Task',
      'DistributedVirtualSwitch.destroy',
      'Delete vSphere Distributed Switch',
    ],
  ] as const) {
    assert.equal(descriptionIdOf(type, method), id);
    assert.equal(taskText(id).label, label);
  }
  assert.equal(taskOperation('host.DatastoreBrowser.search'), 'vim.host.DatastoreBrowser.search');
  assert.equal(taskOperation('VirtualMachine.powerOn'), 'vim.VirtualMachine.powerOn');
});
