"""Everyday work with pyvmomi: argv = port, user, password. Prints `done` when all of it was right."""
import ssl
import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import vim

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
Disconnect(si)
print('done')
