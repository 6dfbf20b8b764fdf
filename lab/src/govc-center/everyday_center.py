"""Everyday work with pyvmomi at a vCenter: argv = port, user, password. Prints `done` when all of it was right."""
import ssl
import sys

import requests
import urllib3
from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl._create_unverified_context()
urllib3.disable_warnings()


def connect(name, secret):
    return SmartConnect(host='127.0.0.1', port=port, user=name, pwd=secret, sslContext=context)


def refused(fault, call, *args):
    try:
        result = call(*args)
        if isinstance(result, vim.Task):
            WaitForTask(result)
    except fault as caught:
        return caught
    raise AssertionError(f'{call} was not refused with {fault}')


refused(vim.fault.InvalidLogin, connect, user, 'wrong')
si = connect(user, password)
content = si.RetrieveContent()
assert content.about.apiType == 'VirtualCenter', content.about
Filter, Object, Traversal, Wanted = (
    getattr(vmodl.query.PropertyCollector, name)
    for name in ('FilterSpec', 'ObjectSpec', 'TraversalSpec', 'PropertySpec')
)

# A walk down the inventory, and all VMs at once in pages.
datacenter = content.rootFolder.childEntity[0]
assert isinstance(datacenter, vim.Datacenter) and datacenter.name == 'DC0'
cluster = next(entry for entry in datacenter.hostFolder.childEntity if isinstance(entry, vim.ClusterComputeResource))
host = cluster.host[0]
assert host.parent == cluster and host.runtime.connectionState == 'connected'
assert cluster.summary.numHosts == len(cluster.host) and set(host.datastore) <= set(datacenter.datastore)
view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
by_view = Object(obj=view, skip=True, selectSet=[Traversal(type=vim.view.ContainerView, path='view', skip=False)])
spec = Filter(objectSet=[by_view], propSet=[Wanted(type=vim.VirtualMachine, pathSet=['name', 'runtime.host'])])
options = vmodl.query.PropertyCollector.RetrieveOptions(maxObjects=3)
page = content.propertyCollector.RetrievePropertiesEx([spec], options)
read = list(page.objects)
while page.token:
    page = content.propertyCollector.ContinueRetrievePropertiesEx(page.token)
    read += page.objects
assert {entry.obj for entry in read} == set(view.view) and len(read) >= 4, read
assert all(len(entry.propSet) == 2 for entry in read)

# What happens is told to whoever waits.
collector = content.propertyCollector.CreatePropertyCollector()
watched = Filter(objectSet=[by_view], propSet=[Wanted(type=vim.VirtualMachine, pathSet=['name', 'runtime.powerState'])])
collector.CreateFilter(watched, True)
version = collector.WaitForUpdatesEx('', None).version


def told(until):
    """What has changed, as [(kind, object, {name: value})], read on until all of `until` was said."""
    global version
    heard = []
    while not until <= {(kind, obj, *pair) for kind, obj, values in heard for pair in values.items()}:
        news = collector.WaitForUpdatesEx(version, vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=60))
        assert news, f'only heard {heard}'
        version = news.version
        for entry in news.filterSet[0].objectSet:
            heard.append((entry.kind, entry.obj, {change.name: change.val for change in entry.changeSet}))
    return heard


# A folder, and in it a VM with a disk and an adapter, placed by the cluster.
folder = datacenter.vmFolder.CreateFolder('shop')
refused(vim.fault.DuplicateName, datacenter.vmFolder.CreateFolder, 'shop')
network = next(entry for entry in datacenter.network if entry.name == 'VM Network')
controller = vim.vm.device.VirtualDeviceSpec(
    operation='add', device=vim.vm.device.ParaVirtualSCSIController(key=-1, busNumber=0, sharedBus='noSharing')
)
disk = vim.vm.device.VirtualDeviceSpec(
    operation='add',
    fileOperation='create',
    device=vim.vm.device.VirtualDisk(
        key=-2,
        controllerKey=-1,
        unitNumber=0,
        capacityInKB=1024 * 1024,
        backing=vim.vm.device.VirtualDisk.FlatVer2BackingInfo(
            fileName='', diskMode='persistent', thinProvisioned=True
        ),
    ),
)
adapter = vim.vm.device.VirtualDeviceSpec(
    operation='add',
    device=vim.vm.device.VirtualVmxnet3(
        key=-3,
        backing=vim.vm.device.VirtualEthernetCard.NetworkBackingInfo(network=network, deviceName=network.name),
    ),
)
new = vim.vm.ConfigSpec(
    name='web',
    memoryMB=256,
    numCPUs=2,
    guestId='otherGuest64',
    files=vim.vm.FileInfo(vmPathName=f'[{host.datastore[0].name}]'),
    deviceChange=[controller, disk, adapter],
)
task = folder.CreateVM_Task(new, cluster.resourcePool)
WaitForTask(task)
vm = task.info.result
assert vm.parent == folder and vm.runtime.host in cluster.host and vm in view.view
devices = {type(device) for device in vm.config.hardware.device}
kinds = vim.vm.device
assert {kinds.ParaVirtualSCSIController, kinds.VirtualDisk, kinds.VirtualVmxnet3} <= devices, devices
told({('enter', vm, 'name', 'web')})

# Power, with the events and the task that tell of it.
WaitForTask(vm.PowerOn())
told({('modify', vm, 'runtime.powerState', 'poweredOn')})
assert refused(vim.fault.InvalidPowerState, vm.PowerOn).existingState == 'poweredOn'
WaitForTask(vm.Suspend())
WaitForTask(vm.PowerOn())
WaitForTask(vm.Reset())
vm.ShutdownGuest()
told({('modify', vm, 'runtime.powerState', 'poweredOff')})
WaitForTask(vm.Reconfigure(vim.vm.ConfigSpec(memoryMB=512, annotation='written by pyvmomi')))
assert vm.config.hardware.memoryMB == 512 and vm.summary.config.annotation == 'written by pyvmomi'
WaitForTask(vm.Rename('site'))
told({('modify', vm, 'name', 'site')})
of_vm = vim.event.EventFilterSpec(entity=vim.event.EventFilterSpec.ByEntity(entity=vm, recursion='self'))
seen = {type(event).__name__ for event in content.eventManager.QueryEvents(of_vm)}
assert {'vim.event.VmCreatedEvent', 'vim.event.VmPoweredOnEvent', 'vim.event.VmRenamedEvent'} <= seen, seen
tasks = content.taskManager.CreateCollectorForTasks(
    vim.TaskFilterSpec(entity=vim.TaskFilterSpec.ByEntity(entity=vm, recursion='self'))
)
named = {(info.descriptionId, info.state) for info in tasks.ReadNextTasks(100)}
assert ('VirtualMachine.powerOn', 'success') in named and ('VirtualMachine.powerOn', 'error') in named, named
tasks.DestroyCollector()

# Custom fields.
field = content.customFieldsManager.AddCustomFieldDef('owner', vim.VirtualMachine)
content.customFieldsManager.SetField(vm, field.key, 'somebody')
assert [(value.key, value.value) for value in vm.customValue] == [(field.key, 'somebody')], vm.customValue
assert content.searchIndex.FindByInventoryPath('DC0/vm/shop/site') == vm
assert content.searchIndex.FindByUuid(None, vm.config.instanceUuid, True, True) == vm

# Tags come by REST; the session is a session of its own.
rest = requests.Session()
rest.verify = False
rest.trust_env = False  # REQUESTS_CA_BUNDLE would win over verify
base = f'https://127.0.0.1:{port}/api'
answer = rest.post(f'{base}/session', auth=(user, password))
assert answer.status_code == 201, answer.text
rest.headers['vmware-api-session-id'] = answer.json()
category = rest.post(
    f'{base}/cis/tagging/category',
    json={'name': 'zone', 'description': '', 'cardinality': 'SINGLE', 'associable_types': ['VirtualMachine']},
).json()
tag = rest.post(
    f'{base}/cis/tagging/tag', json={'name': 'front', 'description': '', 'category_id': category}
).json()
it = {'object_id': {'type': 'VirtualMachine', 'id': vm._moId}}
assert rest.post(f'{base}/cis/tagging/tag-association/{tag}?action=attach', json=it).status_code == 204
tags = rest.post(f'{base}/cis/tagging/tag-association?action=list-attached-tags', json=it).json()
assert tags == [tag], tags
assert rest.delete(f'{base}/cis/tagging/category/{category}').status_code == 204
assert rest.delete(f'{base}/session').status_code == 204
assert rest.get(f'{base}/vcenter/vm').status_code == 401

# Who may only start VMs in a folder does nothing else there. A VM has the permissions of its resource pool as well, but for
# those that are set on itself.
authorization = content.authorizationManager
role = authorization.AddAuthorizationRole('operators', ['VirtualMachine.Interact.PowerOn', MODIFY := 'Authorization.ModifyPermissions'])
permission = vim.AuthorizationManager.Permission(principal='Administrators', group=True, roleId=role, propagate=True)
authorization.SetEntityPermissions(folder, [permission])
held = authorization.RetrieveEntityPermissions(vm, True)
assert any(entry.entity == folder and entry.roleId == role for entry in held), held
authorization.SetEntityPermissions(vm, [permission])
assert authorization.HasPrivilegeOnEntity(vm, si.content.sessionManager.currentSession.key, [MODIFY]) == [True]
WaitForTask(vm.PowerOn())
denied = refused(vim.fault.NoPermission, vm.PowerOff)
assert denied.object == vm and denied.privilegeId == 'VirtualMachine.Interact.PowerOff', denied
refused(vim.fault.NoPermission, folder.CreateVM_Task, new, cluster.resourcePool)
refused(vim.fault.RemoveFailed, authorization.RemoveAuthorizationRole, role, True)
for entity in (vm, folder):
    authorization.RemoveEntityPermission(entity, 'Administrators', True)
authorization.RemoveAuthorizationRole(role, True)
WaitForTask(vm.PowerOff())

WaitForTask(folder.Destroy())
assert vm not in view.view
refused(vmodl.fault.ManagedObjectNotFound, lambda: vm.name)
content.customFieldsManager.RemoveCustomFieldDef(field.key)
collector.DestroyPropertyCollector()
view.Destroy()
Disconnect(si)
print('done')
