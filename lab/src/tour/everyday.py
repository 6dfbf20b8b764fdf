"""Everyday work with pyvmomi: argv = port, user, password. Prints `done` when all of it was right."""
import ssl
import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl._create_unverified_context()


def connect(secret):
    return SmartConnect(host='127.0.0.1', port=port, user=user, pwd=secret, sslContext=context)


try:
    connect('wrong')
    raise AssertionError('a wrong password was accepted')
except vim.fault.InvalidLogin:
    pass

si = connect(password)
content = si.RetrieveContent()
assert content.about.apiType == 'HostAgent', content.about
view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
vm = next(entry for entry in view.view if entry.name == 'demo')
assert content.searchIndex.FindByInventoryPath('ha-datacenter/vm/demo') == vm
assert content.searchIndex.FindByUuid(None, vm.config.uuid, True) == vm
assert any(isinstance(device, vim.vm.device.VirtualVmxnet3) for device in vm.config.hardware.device)

if vm.runtime.powerState == 'poweredOn':
    WaitForTask(vm.PowerOff())
assert vm.runtime.powerState == 'poweredOff'
try:
    WaitForTask(vm.PowerOff())
    raise AssertionError('a VM that is off was powered off')
except vim.fault.InvalidPowerState as fault:
    assert fault.existingState == 'poweredOff', fault

spec = vim.vm.ConfigSpec(annotation='written by pyvmomi')
WaitForTask(vm.Reconfigure(spec))
assert vm.config.annotation == 'written by pyvmomi'
WaitForTask(vm.PowerOn())
assert vm.runtime.powerState == 'poweredOn'

folder, pool = vm.parent, vm.resourcePool
new = vim.vm.ConfigSpec(
    name='made-by-python',
    memoryMB=64,
    numCPUs=1,
    guestId='otherGuest64',
    files=vim.vm.FileInfo(vmPathName='[datastore1]'),
)
task = folder.CreateVM_Task(new, pool)
WaitForTask(task)
made = task.info.result
assert made.name == 'made-by-python'
WaitForTask(made.Destroy())
assert all(entry.name != 'made-by-python' for entry in view.view)

# What happens is told to whoever waits: a filter over the whole inventory, kept by WaitForUpdatesEx.
collector = content.propertyCollector.CreatePropertyCollector()
spec = vmodl.query.PropertyCollector.FilterSpec(
    objectSet=[
        vmodl.query.PropertyCollector.ObjectSpec(
            obj=view,
            skip=True,
            selectSet=[vmodl.query.PropertyCollector.TraversalSpec(type=type(view), path='view', skip=False)],
        )
    ],
    propSet=[
        vmodl.query.PropertyCollector.PropertySpec(type=vim.VirtualMachine, pathSet=['name', 'config.annotation'])
    ],
)
collector.CreateFilter(spec, True)
first = collector.WaitForUpdatesEx('', None)
assert [entry.kind for entry in first.filterSet[0].objectSet] == ['enter'] * len(view.view), first
WaitForTask(vm.Reconfigure(vim.vm.ConfigSpec(annotation='changed')))
options = vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=20)
second = collector.WaitForUpdatesEx(first.version, options)
changes = [change for entry in second.filterSet[0].objectSet for change in entry.changeSet]
assert [(change.name, change.val) for change in changes] == [('config.annotation', 'changed')], changes
assert collector.WaitForUpdatesEx(second.version, vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=0)) is None
collector.DestroyPropertyCollector()

by_vm = vim.event.EventFilterSpec(
    entity=vim.event.EventFilterSpec.ByEntity(entity=vm, recursion='self'), type=[vim.event.VmReconfiguredEvent]
)
events = content.eventManager.QueryEvents(by_vm)
assert len(events) >= 2 and all(isinstance(event, vim.event.VmReconfiguredEvent) for event in events), events

datastore = vm.datastore[0]
assert vm in datastore.vm, datastore.vm
search = vim.host.DatastoreBrowser.SearchSpec(matchPattern=['*.vmx'])
task = datastore.browser.SearchDatastore_Task('[datastore1] demo', search)
WaitForTask(task)
assert [entry.path for entry in task.info.result.file] == ['demo.vmx'], task.info.result

assert content.rootFolder.childEntity[0].hostFolder.childEntity[0].host[0].summary.runtime.connectionState == 'connected'
Disconnect(si)
print('done')
