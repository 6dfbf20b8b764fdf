"""Everyday work with oslo.vmware, OpenStack's library: argv = port, user, password. Prints `done`."""
import logging
import sys

import urllib3
from oslo_vmware import api, exceptions, vim_util

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
urllib3.disable_warnings()
logging.getLogger('oslo.service').setLevel(logging.CRITICAL)  # it logs the faults of tasks that are meant to fail


def connect(secret):
    return api.VMwareAPISession('127.0.0.1', user, secret, 3, 0.05, port=port, insecure=True)


def refused(fault, call, *args):
    try:
        call(*args)
    except fault as caught:
        return caught
    raise AssertionError(f'{call} was not refused with {fault}')


refused(exceptions.VimFaultException, connect, 'wrong')
session = connect(password)
vim = session.vim
create = vim.client.factory.create
assert vim.service_content.about.apiType == 'VirtualCenter'


def run(method, obj, **args):
    return session.wait_for_task(session.invoke_api(vim, method, obj, **args))


def value(obj, path):
    return session.invoke_api(vim_util, 'get_object_property', vim, obj, path)


def find(kind, name):
    """As nova looks for clusters: pages of objects, continued until there are none left."""
    result = session.invoke_api(vim_util, 'get_objects', vim, kind, 2, ['name'])
    with vim_util.WithRetrieval(vim, result) as objects:
        return next(found.obj for found in objects if found.propSet[0].val == name)


cluster = find('ClusterComputeResource', 'DC0_C0')
pool = value(cluster, 'resourcePool')
datastore = find('Datastore', 'LocalDS_0')
datacenter = find('Datacenter', 'DC0')
folder = value(datacenter, 'vmFolder')
hosts = value(cluster, 'host').ManagedObjectReference
assert len(hosts) == 3, hosts
assert value(hosts[0], 'summary.runtime.connectionState') == 'connected'
assert session.invoke_api(vim_util, 'find_extension', vim, 'org.openstack.compute') is None
session.invoke_api(vim_util, 'register_extension', vim, 'org.openstack.compute', 'openstack')
assert session.invoke_api(vim_util, 'find_extension', vim, 'org.openstack.compute') is not None
inventory_path = session.invoke_api(vim_util, 'get_inventory_path', vim, datastore)
assert inventory_path == '/DC0/datastore/LocalDS_0', inventory_path

# An instance, as nova makes it: its UUID, a controller, an adapter on a network by name.
config = create('ns0:VirtualMachineConfigSpec')
config.name = 'instance-1'
config.instanceUuid = '0b3a4a3f-7f5a-4f77-9a0c-0f5c3c8d9a11'
config.guestId = 'otherGuest64'
config.numCPUs = 1
config.memoryMB = 64
config.files = create('ns0:VirtualMachineFileInfo')
config.files.vmPathName = '[LocalDS_0]'
config.managedBy = create('ns0:ManagedByInfo')
config.managedBy.extensionKey = 'org.openstack.compute'
config.managedBy.type = 'instance'
controller = create('ns0:VirtualDeviceConfigSpec')
controller.operation = 'add'
controller.device = create('ns0:ParaVirtualSCSIController')
controller.device.key = -101
controller.device.busNumber = 0
controller.device.sharedBus = 'noSharing'
adapter = create('ns0:VirtualDeviceConfigSpec')
adapter.operation = 'add'
adapter.device = create('ns0:VirtualVmxnet3')
adapter.device.key = -47
adapter.device.addressType = 'manual'
adapter.device.macAddress = '00:50:56:01:02:03'
adapter.device.backing = create('ns0:VirtualEthernetCardNetworkBackingInfo')
adapter.device.backing.deviceName = 'VM Network'
config.deviceChange = [controller, adapter]
vm = run('CreateVM_Task', folder, config=config, pool=pool, host=hosts[0]).result
assert value(vm, 'name') == 'instance-1'
by_uuid = session.invoke_api(
    vim, 'FindAllByUuid', vim.service_content.searchIndex, uuid=config.instanceUuid, vmSearch=True, instanceUuid=True
)
assert [vim_util.get_moref_value(found) for found in by_uuid] == [vim_util.get_moref_value(vm)]
devices = value(vm, 'config.hardware.device').VirtualDevice
assert any(getattr(device, 'macAddress', None) == '00:50:56:01:02:03' for device in devices), devices

run('PowerOnVM_Task', vm)
assert value(vm, 'runtime.powerState') == 'poweredOn'
refused(exceptions.InvalidPowerStateException, run, 'PowerOnVM_Task', vm)
run('PowerOffVM_Task', vm)
change = create('ns0:VirtualMachineConfigSpec')
change.memoryMB = 128
option = create('ns0:OptionValue')
option.key, option.value = 'nvp.vm-uuid', 'an instance'
change.extraConfig = [option]
run('ReconfigVM_Task', vm, spec=change)
assert value(vm, 'summary.config.memorySizeMB') == 128
run('Rename_Task', vm, newName='instance-2')

# The session ends behind its back: it logs in again and goes on.
session.invoke_api(vim, 'Logout', vim.service_content.sessionManager)
assert value(vm, 'name') == 'instance-2'

run('Destroy_Task', vm)
refused(exceptions.ManagedObjectNotFoundException, value, vm, 'name')
session.invoke_api(vim, 'UnregisterExtension', vim.service_content.extensionManager, extensionKey='org.openstack.compute')
session.logout()
print('done')
