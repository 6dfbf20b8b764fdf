"""What scripts around pyvmomi do at a vCenter: argv = port, user, password. Prints `done` when all of it was right."""
import datetime
import ssl
import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask, WaitForTasks
from pyVmomi import vim, vmodl

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
si = SmartConnect(host='127.0.0.1', port=port, user=user, pwd=password, sslContext=ssl._create_unverified_context())
content = si.RetrieveContent()
Device = vim.vm.device.VirtualDeviceSpec


def refused(fault, call, *args):
    try:
        result = call(*args)
        if isinstance(result, vim.Task):
            WaitForTask(result)
    except fault as caught:
        return caught
    raise AssertionError(f'{call} was not refused with {fault}')


def collect(kind, paths):
    """Of every entity of a kind its properties, in one request."""
    view = content.viewManager.CreateContainerView(content.rootFolder, [kind], True)
    collector = vmodl.query.PropertyCollector
    walk = collector.TraversalSpec(type=vim.view.ContainerView, path='view', skip=False)
    start = collector.ObjectSpec(obj=view, skip=True, selectSet=[walk])
    spec = collector.FilterSpec(objectSet=[start], propSet=[collector.PropertySpec(type=kind, pathSet=paths)])
    found = {entry.obj: {prop.name: prop.val for prop in entry.propSet} for entry in content.propertyCollector.RetrieveContents([spec])}
    view.Destroy()
    return found


def named(kind, name):
    return next(obj for obj, props in collect(kind, ['name']).items() if props['name'] == name)


vm, other = (named(vim.VirtualMachine, name) for name in ('DC0_C0_RP0_VM0', 'DC0_C0_RP0_VM1'))
cluster = named(vim.ClusterComputeResource, 'DC0_C0')

# Roll-ups: a pool has what its VMs use, on, off, and changed.
def pool_is_sum_of_vms():
    vms = collect(vim.VirtualMachine, ['summary', 'resourcePool'])
    within = [props['summary'] for props in vms.values() if props.get('resourcePool') == cluster.resourcePool]
    assert within
    shown = cluster.resourcePool.summary
    for figure in ('overallCpuUsage', 'overallCpuDemand', 'guestMemoryUsage', 'hostMemoryUsage'):
        total = sum(getattr(summary.quickStats, figure) or 0 for summary in within)
        assert getattr(shown.quickStats, figure) == total, (figure, shown, total)
    assert shown.configuredMemoryMB == sum(summary.config.memorySizeMB for summary in within), shown
    return shown.quickStats.overallCpuUsage


busy = pool_is_sum_of_vms()
WaitForTask(vm.PowerOff())
assert pool_is_sum_of_vms() < busy
WaitForTask(vm.Reconfigure(vim.vm.ConfigSpec(memoryMB=128, managedBy=vim.ext.ManagedByInfo(extensionKey='com.example.x', type='t'))))
WaitForTask(vm.PowerOn())
assert pool_is_sum_of_vms() == busy
assert content.extensionManager.QueryManagedBy('com.example.x') == [vm]

# A card from a distributed port group to a standard one, and back.
card = next(device for device in vm.config.hardware.device if isinstance(device, vim.vm.device.VirtualEthernetCard))
group = named(vim.dvs.DistributedVirtualPortgroup, 'DC0_DVPG0')
connection = vim.dvs.PortConnection(portgroupKey=group.key, switchUuid=group.config.distributedVirtualSwitch.uuid)
for backing, network in (
    (vim.vm.device.VirtualEthernetCard.NetworkBackingInfo(deviceName='VM Network'), 'VM Network'),
    (vim.vm.device.VirtualEthernetCard.DistributedVirtualPortBackingInfo(port=connection), 'DC0_DVPG0'),
):
    card.backing = backing
    WaitForTask(vm.Reconfigure(vim.vm.ConfigSpec(deviceChange=[Device(operation='edit', device=card)])))
    assert [one.name for one in vm.network] == [network], vm.network

# One more disk, on the next free unit.
disks = [device for device in vm.config.hardware.device if isinstance(device, vim.vm.device.VirtualDisk)]
backing = vim.vm.device.VirtualDisk.FlatVer2BackingInfo(diskMode='persistent', thinProvisioned=True)
more = vim.vm.device.VirtualDisk(key=-1, controllerKey=disks[0].controllerKey, unitNumber=1, capacityInKB=1 << 20, backing=backing)
added = vim.vm.ConfigSpec(deviceChange=[Device(operation='add', fileOperation='create', device=more)])
WaitForTask(vm.Reconfigure(added))
labels = [device.deviceInfo.label for device in vm.config.hardware.device if isinstance(device, vim.vm.device.VirtualDisk)]
assert labels == ['Hard disk 1', 'Hard disk 2'], labels
refused(vim.fault.InvalidDeviceSpec, vm.Reconfigure, added)

# What is in a datastore; then what happened, by every filter, and in the last tasks.
browser = vm.datastore[0].browser
searches = [browser.SearchDatastore_Task(f'[{vm.datastore[0].name}] {vm.name}'), vm.datastore[0].browser.SearchDatastoreSubFolders_Task(f'[{vm.datastore[0].name}]')]
WaitForTasks(searches, si=si)
assert searches[0].info.entity == vm.datastore[0] and searches[0].info.descriptionId == 'host.DatastoreBrowser.search'
events, now = vim.event.EventFilterSpec, si.CurrentTime()
by_user = events.ByUsername(systemUser=False, userList=[user])
last_hour = events.ByTime(beginTime=now - datetime.timedelta(hours=1), endTime=now + datetime.timedelta(minutes=1))
told = content.eventManager.QueryEvents(events(userName=by_user, time=last_hour))
words = [event.fullFormattedMessage for event in told]
where = f'{vm.name} on {vm.runtime.host.name} in DC0'
for said in (f'{where} is powered off', f'{where} is powered on', f'Reconfigured {where}', 'Task: Power Off virtual machine', 'Task: Search datastore'):
    assert said in words, (said, words)
assert all(event.userName == user for event in told)
offs = content.eventManager.QueryEvents(events(eventTypeId=['VmPoweredOffEvent'], entity=events.ByEntity(entity=cluster, recursion='all')))
assert [event.vm.vm for event in offs] == [vm], offs
assert {'VirtualMachine.powerOff', 'host.DatastoreBrowser.search'} <= {task.info.descriptionId for task in content.taskManager.recentTask}

# Figures in both formats.
manager = content.perfManager
keys = {'.'.join((one.groupInfo.key, one.nameInfo.key, one.rollupType)): one.key for one in manager.perfCounter}
metric = vim.PerformanceManager.MetricId(counterId=keys['cpu.usage.average'], instance='')


def figures(form, interval, **more):
    query = vim.PerformanceManager.QuerySpec(entity=other, metricId=[metric], intervalId=interval, format=form, **more)
    return manager.QueryPerf([query])[0]


csv, normal = figures('csv', 20, maxSample=3), figures('normal', 20, maxSample=3)
assert len(csv.value[0].value.split(',')) == 3 and len(csv.sampleInfoCSV.split(',')) == 6, csv
assert len(normal.value[0].value) == 3 and len(normal.sampleInfo) == 3, normal
refused(vmodl.fault.InvalidArgument, figures, 'csv', 7)

# Options are of a kind, and in bounds.
option = lambda value: [vim.option.OptionValue(key='Config.HostAgent.vmacore.soap.sessionTimeout', value=value)]
for wrong in ('soon', 10**6):
    assert refused(vmodl.fault.InvalidArgument, content.setting.UpdateOptions, option(wrong)).invalidProperty
refused(vim.fault.InvalidName, content.setting.UpdateOptions, [vim.option.OptionValue(key='no.such', value=1)])
refused(vim.fault.InvalidName, content.setting.QueryOptions, 'no.such')

# What is not built says so.
customized = vim.vm.customization.Specification(
    identity=vim.vm.customization.LinuxPrep(hostName=vim.vm.customization.FixedName(name='copy'), domain='example.com'),
    globalIPSettings=vim.vm.customization.GlobalIPSettings(),
    nicSettingMap=[],
)
clone = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(), customization=customized, powerOn=False, template=False)
for call, *args in (
    (vm.CloneVM_Task, vm.parent, 'copy', clone),
    (vm.CreateSnapshot_Task, 'before', '', False, False),
    (vm.MarkAsTemplate,),
    (content.alarmManager.GetAlarm,),
    (content.scheduledTaskManager.RetrieveEntityScheduledTask,),
):
    refused(vmodl.fault.NotSupported, call, *args)
assert vm.snapshot is None and vm.rootSnapshot == []
Disconnect(si)
print('done')
