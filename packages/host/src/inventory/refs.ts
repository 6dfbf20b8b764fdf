// The fixed references of a host's inventory, named as ESXi names them.
import { moRef } from '@vivarium/vim';

export const refs = {
  rootFolder: moRef('Folder', 'ha-folder-root'),
  datacenter: moRef('Datacenter', 'ha-datacenter'),
  vmFolder: moRef('Folder', 'ha-folder-vm'),
  hostFolder: moRef('Folder', 'ha-folder-host'),
  datastoreFolder: moRef('Folder', 'ha-folder-datastore'),
  networkFolder: moRef('Folder', 'ha-folder-network'),
  computeResource: moRef('ComputeResource', 'ha-compute-res'),
  resourcePool: moRef('ResourcePool', 'ha-root-pool'),
  host: moRef('HostSystem', 'ha-host'),
  environmentBrowser: moRef('EnvironmentBrowser', 'ha-env-browser'),
} as const;
