"""Everyday work with VMware's Automation SDK, which speaks JSON-RPC: argv = port, user, password. Prints `done`."""
import sys

import requests
import urllib3
from com.vmware.cis.tagging_client import Category, CategoryModel, Tag, TagAssociation
from com.vmware.cis_client import Session
from com.vmware.vapi.std.errors_client import (
    AlreadyExists,
    AlreadyInDesiredState,
    InvalidArgument,
    NotFound,
    Unauthenticated,
)
from com.vmware.vapi.std_client import DynamicID
from com.vmware.vcenter.vm.guest_client import Identity
from com.vmware.vcenter.vm_client import Power
from com.vmware.vcenter_client import VM, Cluster, Datacenter, Datastore, Folder, Host, Network, ResourcePool
from vmware.vapi.bindings.stub import StubConfiguration
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.client.security_context_filter import LegacySecurityContextFilter
from vmware.vapi.security.session import create_session_security_context
from vmware.vapi.security.user_password import create_user_password_security_context

port, user, password = sys.argv[1:4]
urllib3.disable_warnings()


def connect(context):
    http = requests.Session()
    http.verify = False
    http.trust_env = False  # REQUESTS_CA_BUNDLE would win over verify
    filters = [LegacySecurityContextFilter(security_context=context)]
    url = f'https://127.0.0.1:{port}/api'
    connector = get_requests_connector(http, msg_protocol='json', url=url, provider_filter_chain=filters)
    return StubConfiguration(connector)


def refused(error, call, *args):
    try:
        call(*args)
    except error:
        return
    raise AssertionError(f'{call} was not refused with {error}')


refused(Unauthenticated, Session(connect(create_user_password_security_context(user, 'wrong'))).create)
id_ = Session(connect(create_user_password_security_context(user, password))).create()
config = connect(create_session_security_context(id_))
assert Session(config).get().user.lower().startswith('administrator@'), Session(config).get()

categories, tags, associations = Category(config), Tag(config), TagAssociation(config)
spec = Category.CreateSpec(
    name='made by the SDK',
    description='zones',
    cardinality=CategoryModel.Cardinality.SINGLE,
    associable_types={'VirtualMachine', 'Datacenter'},
)
category = categories.create(spec)
refused(AlreadyExists, categories.create, spec)
assert categories.get(category).associable_types == {'VirtualMachine', 'Datacenter'}
tag = tags.create(Tag.CreateSpec(name='one', description='', category_id=category))
other = tags.create(Tag.CreateSpec(name='two', description='', category_id=category))
assert set(tags.list_tags_for_category(category)) == {tag, other}
tags.update(tag, Tag.UpdateSpec(description='changed'))
assert tags.get(tag).description == 'changed' and tags.get(tag).name == 'one'
datacenter = DynamicID(type='Datacenter', id='datacenter-2')
associations.attach(tag, datacenter)
refused(InvalidArgument, associations.attach, other, datacenter)
assert associations.list_attached_tags(datacenter) == [tag]
assert [one.id for one in associations.list_attached_objects(tag)] == ['datacenter-2']
result = associations.attach_multiple_tags_to_object(datacenter, [other])
assert not result.success and len(result.error_messages) == 1, result
refused(NotFound, tags.get, 'urn:vmomi:InventoryServiceTag:none:GLOBAL')
categories.delete(category)
assert associations.list_attached_tags(datacenter) == []

vms = VM(config)
(summary,) = vms.list(VM.FilterSpec(names={'DC0_H0_VM0'}))
vm = summary.vm
assert str(summary.power_state) == 'POWERED_ON', summary
info = vms.get(vm)
assert info.name == 'DC0_H0_VM0' and info.cpu.count == summary.cpu_count and info.nics, info
power = Power(config)
power.stop(vm)
refused(AlreadyInDesiredState, power.stop, vm)
power.start(vm)
assert str(power.get(vm).state) == 'POWERED_ON'
assert Identity(config).get(vm).ip_address, 'the guest has an address'
refused(NotFound, vms.get, 'vm-0')
for service in (Cluster, Datacenter, Datastore, Folder, Host, Network, ResourcePool):
    assert service(config).list(), service
(datacenter,) = Datacenter(config).list()
assert Datacenter(config).get(datacenter.datacenter).vm_folder

Session(config).delete()
refused(Unauthenticated, Session(config).get)
print('done')
