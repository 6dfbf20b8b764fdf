// The filter by which vCenter follows a host: which of its objects and properties it wants to know of. A table.
import { type ManagedTypeName, moRef, type PropertyFilterSpec, schema } from '@vivarium/vim';

/** Kept by vCenter itself, or of no use outside the host. */
const OWN_PROPERTIES: ReadonlySet<string> = new Set([
  'parent',
  'parentVApp',
  'customValue',
  'value',
  'availableField',
  'effectiveRole',
  'permission',
  'recentTask',
  'tag',
  'declaredAlarmState',
  'triggeredAlarmState',
  'disabledMethod',
  'alarmActionsEnabled',
]);

const FOLLOWED = ['HostSystem', 'VirtualMachine', 'Datastore', 'Network'] as const satisfies readonly ManagedTypeName[];

/** The host's managers that vCenter shows as its own: HostSystem.configManager's property and the manager's type. */
export const HOST_MANAGERS = {
  advancedOption: 'OptionManager',
  autoStartManager: 'HostAutoStartManager',
  certificateManager: 'HostCertificateManager',
  datastoreSystem: 'HostDatastoreSystem',
  dateTimeSystem: 'HostDateTimeSystem',
  firewallSystem: 'HostFirewallSystem',
  networkSystem: 'HostNetworkSystem',
  serviceSystem: 'HostServiceSystem',
  storageSystem: 'HostStorageSystem',
  virtualNicManager: 'HostVirtualNicManager',
} as const satisfies Readonly<Record<string, ManagedTypeName>>;

const everything = (type: ManagedTypeName): string[] =>
  (schema.managed(type)?.fields ?? []).map(({ name }) => name).filter((name) => !OWN_PROPERTIES.has(name));

const ways = [
  { type: 'Folder', path: 'childEntity' },
  { type: 'Datacenter', path: 'vmFolder' },
  { type: 'Datacenter', path: 'hostFolder' },
  { type: 'Datacenter', path: 'datastoreFolder' },
  { type: 'Datacenter', path: 'networkFolder' },
  { type: 'ComputeResource', path: 'host' },
  ...Object.keys(HOST_MANAGERS).map((name) => ({ type: 'HostSystem', path: `configManager.${name}` })),
];

/** A host's inventory from its root folder down. */
export function hostFilter(): PropertyFilterSpec {
  const selectSet = ways.map(({ type, path }) => ({ _typeName: 'SelectionSpec', name: `${type}.${path}` }));
  return {
    propSet: [...FOLLOWED, ...Object.values(HOST_MANAGERS)].map((type) => ({ type, pathSet: everything(type) })),
    objectSet: [
      {
        obj: moRef('Folder', 'ha-folder-root'),
        skip: true,
        selectSet: ways.map(({ type, path }) => ({
          _typeName: 'TraversalSpec',
          name: `${type}.${path}`,
          type,
          path,
          skip: false,
          selectSet,
        })),
      },
    ],
  } as PropertyFilterSpec;
}
