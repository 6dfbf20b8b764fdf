// Every method that changes something in vCenter is among the operations that kills interrupt (killed.test.ts), or it is said here
// why not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, schema } from '@vivarium/vim';
import { seededDraw } from '@vivarium/vmomi/testing/tenant';
import { allOperations } from '../testing/killed/all-operations.ts';
import { beginImport, buildInventory } from '../testing/tenant/build-inventory.ts';
import { testCenter } from '../testing/test-center.ts';

/** Reason → `Type.Method`, `*.Method` or `Type.*`. */
const NOT_DRAWN: Readonly<Record<string, readonly string[]>> = {
  'it changes nothing': [
    'AuthorizationManager.FetchUserPrivilegeOnEntities',
    'AuthorizationManager.HasPrivilegeOnEntities',
    'AuthorizationManager.HasPrivilegeOnEntity',
    'AuthorizationManager.HasUserPrivilegeOnEntities',
    'AuthorizationManager.RetrieveAllPermissions',
    'AuthorizationManager.RetrieveEntityPermissions',
    'AuthorizationManager.RetrieveRolePermissions',
    'ClusterComputeResource.EvcManager',
    'ClusterComputeResource.GetResourceUsage',
    'ClusterComputeResource.PlaceVm',
    'ClusterComputeResource.RecommendHostsForVm',
    'ClusterComputeResource.RefreshRecommendation',
    'Datastore.IsClusteredVmdkEnabled',
    'Datastore.RefreshDatastore',
    'Datastore.RefreshDatastoreStorageInfo',
    'DiagnosticManager.*',
    'DistributedVirtualSwitchManager.*',
    'EnvironmentBrowser.*',
    'EventManager.QueryEvents',
    'EventManager.RetrieveArgumentDescription',
    'ExtensionManager.FindExtension',
    'ExtensionManager.QueryManagedBy',
    'HostDatastoreBrowser.*',
    'HostSystem.QueryHostConnectionInfo',
    'HostSystem.QueryMemoryOverhead',
    'HostSystem.QueryTpmAttestationReport',
    'HostSystem.RetrieveHardwareUptime',
    'LicenseAssignmentManager.QueryAssignedLicenses',
    'LicenseManager.CheckLicenseFeature',
    'LicenseManager.DecodeLicense',
    'LicenseManager.QueryLicenseSourceAvailability',
    'LicenseManager.QueryLicenseUsage',
    'LicenseManager.QuerySupportedFeatures',
    'OptionManager.QueryOptions',
    'OvfManager.CreateImportSpec',
    'PerformanceManager.QueryAvailablePerfMetric',
    'PerformanceManager.QueryPerf',
    'PerformanceManager.QueryPerfComposite',
    'PerformanceManager.QueryPerfCounter',
    'PerformanceManager.QueryPerfCounterByLevel',
    'PerformanceManager.QueryPerfProviderSummary',
    'ResourcePool.RefreshRuntime',
    'SearchIndex.*',
    'ServiceInstance.*',
    'UserDirectory.*',
    'VirtualApp.RefreshRuntime',
    'VmwareDistributedVirtualSwitch.FetchDVPortKeys',
    'VmwareDistributedVirtualSwitch.FetchDVPorts',
    'VmwareDistributedVirtualSwitch.LookupDvPortGroup',
    'VmwareDistributedVirtualSwitch.QueryUsedVlanIdInDvs',
    'VmwareDistributedVirtualSwitch.RefreshDVPortState',
  ],
  'it is of a session, which ends with vCenter': [
    'EventManager.CreateCollectorForEvents',
    'PropertyCollector.*',
    'SessionManager.AcquireCloneTicket',
    'SessionManager.AcquireGenericServiceTicket',
    'SessionManager.CloneSession',
    'SessionManager.Login',
    'SessionManager.LoginExtensionByCertificate',
    'SessionManager.Logout',
    'SessionManager.SessionIsActive',
    'SessionManager.SetLocale',
    'SessionManager.TerminateSession',
    'TaskManager.*',
    'ViewManager.*',
  ],
  'its host does it and keeps it, vCenter shows what the host tells': [
    'Datastore.DestroyDatastore',
    'Datastore.Destroy_Task',
    'FileManager.*',
    'HostAutoStartManager.*',
    'HostCertificateManager.*',
    'HostDatastoreSystem.*',
    'HostDateTimeSystem.*',
    'HostFirewallSystem.*',
    'HostNetworkSystem.*',
    'HostServiceSystem.*',
    'HostStorageSystem.*',
    'HostSystem.RebootHost_Task',
    'HostSystem.ShutdownHost_Task',
    'HostVirtualNicManager.*',
    'VirtualDiskManager.*',
    'VirtualMachine.AcquireMksTicket',
    'VirtualMachine.AcquireTicket',
    'VirtualMachine.AnswerVM',
    'VirtualMachine.AttachDisk_Task',
    'VirtualMachine.ConsolidateVMDisks_Task',
    'VirtualMachine.CreateScreenshot_Task',
    'VirtualMachine.CreateSnapshotEx_Task',
    'VirtualMachine.CreateSnapshot_Task',
    'VirtualMachine.DefragmentAllDisks',
    'VirtualMachine.DetachDisk_Task',
    'VirtualMachine.DropConnections',
    'VirtualMachine.ExtractOvfEnvironment',
    'VirtualMachine.MountToolsInstaller',
    'VirtualMachine.PutUsbScanCodes',
    'VirtualMachine.QueryChangedDiskAreas',
    'VirtualMachine.QueryConnections',
    'VirtualMachine.RebootGuest',
    'VirtualMachine.ReconfigVM_Task',
    'VirtualMachine.RefreshStorageInfo',
    'VirtualMachine.Reload',
    'VirtualMachine.RemoveAllSnapshots_Task',
    'VirtualMachine.ResetGuestInformation',
    'VirtualMachine.ResetVM_Task',
    'VirtualMachine.RevertToCurrentSnapshot_Task',
    'VirtualMachine.SendNMI',
    'VirtualMachine.SetDisplayTopology',
    'VirtualMachine.SetScreenResolution',
    'VirtualMachine.ShutdownGuest',
    'VirtualMachine.StandbyGuest',
    'VirtualMachine.TerminateVM',
    'VirtualMachine.UnmountToolsInstaller',
    'VirtualMachine.UpgradeTools_Task',
    'VirtualMachine.UpgradeVM_Task',
  ],
  'it goes when the last host that has the network leaves it': ['Network.DestroyNetwork'],
  'it answers before the tasks end that it begins; each of them is a PowerOnVM_Task': [
    'Datacenter.PowerOnMultiVM_Task',
  ],
  'it is refused': [
    'ComputeResource.Rename_Task',
    'PerformanceManager.ResetCounterLevelMapping',
    'PerformanceManager.UpdateCounterLevelMapping',
    'VmwareDistributedVirtualSwitch.EnableNetworkResourceManagement',
  ],
  'its type does not matter: it is drawn on VMs': ['*.setCustomValue'],
  'it is kept by the same write as what UpdateExtension changes': ['ExtensionManager.SetExtensionCertificate'],
  'a test of its own looks at what is kept': [
    'EventManager.LogUserEvent',
    'EventManager.PostEvent',
    'PerformanceManager.UpdatePerfInterval',
  ],
  'a task ends with vCenter, and is told to have': ['Task.CancelTask'],
};

void test('every method that changes something is drawn, or it is said why not', async (context) => {
  const center = await testCenter(context);
  await buildInventory(center, seededDraw(1));
  await beginImport(center);
  const [datacenter] = [...center.service.graph.ofType('Datacenter')];
  await center.invoke(datacenter?.get('datastoreFolder') as MoRef, 'CreateStoragePod', { name: 'pod' });
  const built = new Set<string>();
  for (const object of center.service.graph.all()) {
    const { type } = object.ref;
    for (const method of schema.methodNames(type)) if (object.method(method)) built.add(`${type}.${method}`);
  }
  const drawn = new Set(allOperations.flat().flatMap(({ calls }) => calls));
  const excused = Object.values(NOT_DRAWN).flat();
  const isExcused = (call: string) => {
    const [type, method] = call.split('.');
    return [call, `${type}.*`, `*.${method}`].some((form) => excused.includes(form));
  };
  assert.deepEqual(
    [...built].filter((call) => !drawn.has(call) && !isExcused(call)).sort(),
    [],
    'neither drawn nor excused',
  );
  const known = (form: string) => {
    const [type, method] = form.split('.');
    return [...built].some((call) => {
      const [builtType, builtMethod] = call.split('.');
      return (type === '*' || type === builtType) && (method === '*' || method === builtMethod);
    });
  };
  assert.deepEqual([...drawn, ...excused].filter((form) => !known(form)).sort(), [], 'nobody has built these');
  assert.deepEqual(
    [...drawn].filter((call) => excused.includes(call)),
    [],
    'both drawn and excused',
  );
});
