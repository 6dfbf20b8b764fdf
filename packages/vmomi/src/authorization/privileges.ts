// The privileges there are: those that the schema's methods and properties name, and those that depend on arguments.
// Names are ids in words; the table holds only what the words do not give. Pure.
import { type AuthorizationPrivilege, make, schema } from '@vivarium/vim';

/** Of vSphere's privileges, those that no method or property of the schema names: they are checked by argument. */
const BEYOND_SCHEMA: readonly string[] = [
  'Datacenter.Delete',
  'Datacenter.Move',
  'Datacenter.Rename',
  'Datastore.Browse',
  'Datastore.Move',
  'DVPortgroup.Delete',
  'DVPortgroup.Modify',
  'DVPortgroup.PolicyOp',
  'DVPortgroup.ScopeOp',
  'DVSwitch.HostOp',
  'DVSwitch.Move',
  'DVSwitch.PolicyOp',
  'DVSwitch.PortSetting',
  'DVSwitch.Vspan',
  'Folder.Move',
  'Folder.Rename',
  'Global.CancelTask',
  'Global.CapacityPlanning',
  'Global.DisableMethods',
  'Global.EnableMethods',
  'Global.GlobalTag',
  'Global.Health',
  'Global.ScriptAction',
  'Global.SystemTag',
  'Host.Config.Quarantine',
  'Host.Config.Snmp',
  'Host.Config.SystemManagement',
  'Host.Inventory.DeleteCluster',
  'Host.Inventory.MoveCluster',
  'Host.Inventory.RemoveHostFromCluster',
  'Host.Inventory.RenameCluster',
  'Host.Local.CreateVM',
  'Host.Local.DeleteVM',
  'Host.Local.InstallAgent',
  'Host.Local.ManageSnapshots',
  'Host.Local.ReconfigVM',
  'InventoryService.Tagging.AttachTag',
  'InventoryService.Tagging.CreateCategory',
  'InventoryService.Tagging.CreateTag',
  'InventoryService.Tagging.DeleteCategory',
  'InventoryService.Tagging.DeleteTag',
  'InventoryService.Tagging.EditCategory',
  'InventoryService.Tagging.EditTag',
  'InventoryService.Tagging.ModifyUsedByForCategory',
  'InventoryService.Tagging.ModifyUsedByForTag',
  'InventoryService.Tagging.ObjectAttachable',
  'Network.Assign',
  'Network.Config',
  'Network.Move',
  'Resource.ApplyRecommendation',
  'Resource.AssignVAppToPool',
  'Resource.DeletePool',
  'Resource.HotMigrate',
  'Resource.MovePool',
  'Resource.RenamePool',
  'Sessions.CollectPrivilegeChecks',
  'StorageProfile.Update',
  'StorageProfile.View',
  'VApp.ApplicationConfig',
  'VApp.AssignResourcePool',
  'VApp.AssignVApp',
  'VApp.AssignVM',
  'VApp.Delete',
  'VApp.InstanceConfig',
  'VApp.ManagedByConfig',
  'VApp.Move',
  'VApp.Rename',
  'VApp.ResourceConfig',
  'VirtualMachine.Config.AddNewDisk',
  'VirtualMachine.Config.AddRemoveDevice',
  'VirtualMachine.Config.AdvancedConfig',
  'VirtualMachine.Config.Annotation',
  'VirtualMachine.Config.ChangeTracking',
  'VirtualMachine.Config.CPUCount',
  'VirtualMachine.Config.DiskExtend',
  'VirtualMachine.Config.DiskLease',
  'VirtualMachine.Config.EditDevice',
  'VirtualMachine.Config.HostUSBDevice',
  'VirtualMachine.Config.ManagedBy',
  'VirtualMachine.Config.Memory',
  'VirtualMachine.Config.MksControl',
  'VirtualMachine.Config.RawDevice',
  'VirtualMachine.Config.Rename',
  'VirtualMachine.Config.Resource',
  'VirtualMachine.Config.SwapPlacement',
  'VirtualMachine.Config.ToggleForkParent',
  'VirtualMachine.Config.Unlock',
  'VirtualMachine.Interact.Backup',
  'VirtualMachine.Interact.DeviceConnection',
  'VirtualMachine.Interact.DnD',
  'VirtualMachine.Interact.Pause',
  'VirtualMachine.Interact.SESparseMaintenance',
  'VirtualMachine.Interact.SetCDMedia',
  'VirtualMachine.Interact.SetFloppyMedia',
  'VirtualMachine.Inventory.Delete',
  'VirtualMachine.Inventory.Move',
  'VirtualMachine.Provisioning.CloneTemplate',
  'VirtualMachine.Provisioning.CreateTemplateFromVM',
  'VirtualMachine.Provisioning.DeployTemplate',
  'VirtualMachine.Provisioning.DiskRandomAccess',
  'VirtualMachine.Provisioning.FileRandomAccess',
  'VirtualMachine.Provisioning.GetVmFiles',
  'VirtualMachine.Provisioning.PutVmFiles',
];

/** Checked at the parent of the object acted on: the object may not exist yet or any more. */
const ON_PARENT = /\.(Create|CreatePool|Register|CreateFromExisting|CreateCluster|AddStandaloneHost|AddHostToCluster)$/;

/** Words of ids that are not plain English words. */
const WORDS: Readonly<Record<string, string>> = {
  DVSwitch: 'Distributed switch',
  DVPortgroup: 'Distributed port group',
  VApp: 'vApp',
  VirtualMachine: 'Virtual machine',
  VCServer: 'Act as vCenter Server',
  CPUCount: 'Change CPU count',
  'Config.Memory': 'Change memory',
  'Config.Rename': 'Rename',
  'Config.Settings': 'Change settings',
  EditDevice: 'Modify device settings',
  AddRemoveDevice: 'Add or remove device',
  AdvancedConfig: 'Advanced configuration',
  PutUsbScanCodes: 'Inject USB HID scan codes',
  SetCDMedia: 'Configure CD media',
  SetFloppyMedia: 'Configure floppy media',
  ConsoleInteract: 'Console interaction',
  InventoryService: 'vSphere Tagging',
  StorageProfile: 'Profile-driven storage',
  'StorageProfile.Update': 'Profile-driven storage update',
  'StorageProfile.View': 'Profile-driven storage view',
  'Tagging.AttachTag': 'Assign or unassign vSphere tag',
  'Tagging.CreateCategory': 'Create vSphere tag category',
  'Tagging.CreateTag': 'Create vSphere tag',
  'Tagging.DeleteCategory': 'Delete vSphere tag category',
  'Tagging.DeleteTag': 'Delete vSphere tag',
  'Tagging.EditCategory': 'Edit vSphere tag category',
  'Tagging.EditTag': 'Edit vSphere tag',
  'Tagging.ModifyUsedByForCategory': 'Modify UsedBy field for category',
  'Tagging.ModifyUsedByForTag': 'Modify UsedBy field for tag',
  'Tagging.ObjectAttachable': 'Assign or unassign vSphere tag on object',
  NetService: 'Security profile and firewall',
  DnD: 'Drag and drop',
};

const ids = (() => {
  const found = new Set(BEYOND_SCHEMA);
  for (const type of schema.names('managed')) {
    for (const { privilege } of schema.managed(type)?.fields ?? []) if (privilege) found.add(privilege);
  }
  for (const name of schema.names('method')) {
    const method = schema.declaredMethod(name);
    for (const { privilege } of method ? [method, ...method.params] : []) if (privilege) found.add(privilege);
  }
  return [...found].sort();
})();

/** Every privilege id, sorted. */
export const PRIVILEGES: ReadonlySet<string> = new Set(ids);

/** AuthorizationManager.privilegeList. */
export function privilegeList(): AuthorizationPrivilege[] {
  return ids.map((privId) => {
    const { group, name } = parts(privId);
    return make('AuthorizationPrivilege', { privId, onParent: ON_PARENT.test(privId), name, privGroupName: group });
  });
}

/** 'VirtualMachine.Interact' -> 'Virtual machine: interact'. */
export function groupLabel(group: string): string {
  const [first = '', ...rest] = group.split('.').map(words);
  return rest.length === 0 ? first : `${first}: ${rest.join(' ').toLowerCase()}`;
}

/** 'VirtualMachine.Interact.PowerOn' -> 'Power on'. */
export function privilegeLabel(privilege: string): string {
  const { group, name } = parts(privilege);
  return WORDS[`${group.split('.').at(-1) ?? ''}.${name}`] ?? words(name);
}

/** Every group that has privileges, sorted. */
export function privilegeGroups(): string[] {
  return [...new Set(ids.map((id) => parts(id).group))].sort();
}

function parts(privilege: string): { group: string; name: string } {
  const dot = privilege.lastIndexOf('.');
  return { group: privilege.slice(0, dot), name: privilege.slice(dot + 1) };
}

function words(name: string): string {
  const known = WORDS[name];
  if (known !== undefined) return known;
  const spaced = name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2');
  const lower = spaced.replaceAll(/\b([A-Z])(?=[a-z])/g, (letter) => letter.toLowerCase());
  return lower.charAt(0).toUpperCase() + lower.slice(1);
}
