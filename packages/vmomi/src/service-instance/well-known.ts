// The ids of the managers that every daemon has, as ESXi and vCenter name them. A table.
import { moRef, type ServiceContent } from '@vivarium/vim';

export type Personality = 'HostAgent' | 'VirtualCenter';

const HOST = {
  propertyCollector: moRef('PropertyCollector', 'ha-property-collector'),
  viewManager: moRef('ViewManager', 'ViewManager'),
  setting: moRef('OptionManager', 'HostAgentSettings'),
  userDirectory: moRef('UserDirectory', 'ha-user-directory'),
  sessionManager: moRef('SessionManager', 'ha-sessionmgr'),
  authorizationManager: moRef('AuthorizationManager', 'ha-authmgr'),
  perfManager: moRef('PerformanceManager', 'ha-perfmgr'),
  eventManager: moRef('EventManager', 'ha-eventmgr'),
  taskManager: moRef('TaskManager', 'ha-taskmgr'),
  accountManager: moRef('HostLocalAccountManager', 'ha-localacctmgr'),
  licenseManager: moRef('LicenseManager', 'ha-license-manager'),
  searchIndex: moRef('SearchIndex', 'ha-searchindex'),
  // ESXi itself has no custom attributes; its clients do not mind some.
  customFieldsManager: moRef('CustomFieldsManager', 'ha-customfieldsmgr'),
} as const satisfies Partial<ServiceContent>;

const VIRTUAL_CENTER = {
  propertyCollector: moRef('PropertyCollector', 'propertyCollector'),
  viewManager: moRef('ViewManager', 'ViewManager'),
  setting: moRef('OptionManager', 'VpxSettings'),
  userDirectory: moRef('UserDirectory', 'UserDirectory'),
  sessionManager: moRef('SessionManager', 'SessionManager'),
  authorizationManager: moRef('AuthorizationManager', 'AuthorizationManager'),
  perfManager: moRef('PerformanceManager', 'PerfMgr'),
  eventManager: moRef('EventManager', 'EventManager'),
  taskManager: moRef('TaskManager', 'TaskManager'),
  accountManager: undefined,
  licenseManager: moRef('LicenseManager', 'LicenseManager'),
  searchIndex: moRef('SearchIndex', 'SearchIndex'),
  customFieldsManager: moRef('CustomFieldsManager', 'CustomFieldsManager'),
  extensionManager: moRef('ExtensionManager', 'ExtensionManager'),
} as const;

export const WELL_KNOWN = { HostAgent: HOST, VirtualCenter: VIRTUAL_CENTER } as const;

export const LICENSE_ASSIGNMENT_MANAGER = {
  HostAgent: moRef('LicenseAssignmentManager', 'ha-license-assignment-manager'),
  VirtualCenter: moRef('LicenseAssignmentManager', 'LicenseAssignmentManager'),
} as const;
