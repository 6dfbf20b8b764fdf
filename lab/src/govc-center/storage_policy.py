"""The storage policy service as pyvmomi's own stubs see it: argv = port, user, password. Prints `done` when all was right."""
import ssl
import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import SoapStubAdapter, VmomiSupport, pbm, vim

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl._create_unverified_context()
si = SmartConnect(host='127.0.0.1', port=port, user=user, pwd=password, sslContext=context)
cookie = si._stub.cookie.split('"')[1]
VmomiSupport.GetRequestContext()['vcSessionCookie'] = cookie
stub = SoapStubAdapter(host='127.0.0.1', port=port, path='/pbm/sdk', version='pbm.version.version11', sslContext=context)
service = pbm.ServiceInstance('ServiceInstance', stub)
content = service.RetrieveContent()
assert content.aboutInfo.name == 'PBM', content

manager = content.profileManager
types = manager.FetchResourceType()
assert [one.resourceType for one in types] == ['STORAGE'], types
assert manager.QueryProfile(resourceType=types[0], profileCategory='REQUIREMENT') == []

view = si.content.viewManager.CreateContainerView(si.content.rootFolder, [vim.VirtualMachine], True)
vm = view.view[0]
entity = pbm.ServerObjectRef(key=vm._moId, objectType='virtualMachine', serverUuid=si.content.about.instanceUuid)
assert manager.QueryAssociatedProfile(entity) == []
(result,) = manager.QueryAssociatedProfiles([entity])
assert result.object.key == vm._moId and not result.profileId and result.fault is None, result
(compliance,) = content.complianceManager.CheckCompliance([entity], None)
assert compliance.complianceStatus == 'notApplicable', compliance
hubs = content.placementSolver.CheckRequirements(None, None, None)
assert all(not hub.error for hub in hubs) and len(hubs) > 0, hubs

try:
    manager.RetrieveContent([pbm.profile.ProfileId(uniqueId='no-such-policy')])
    raise AssertionError('a policy that there is not was found')
except VmomiSupport.GetVmodlType('vmodl.fault.InvalidArgument') as fault:
    assert fault.invalidProperty == 'profileIds', fault
try:
    manager.FindApplicableDefaultProfile([pbm.placement.PlacementHub(hubType='Datastore', hubId='datastore-0')])
    raise AssertionError('a datastore that there is not was taken')
except pbm.fault.NonExistentHubs as fault:
    assert fault.hubs[0].hubId == 'datastore-0', fault
Disconnect(si)
print('done')
