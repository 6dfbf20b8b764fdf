// What vCenter itself knows of its entities and nobody else does: the documents of the inventory. What a host reports of an
// entity (configuration, power state, usage) is never kept here.
import type {
  ClusterConfigInfoEx,
  DVPortgroupConfigInfo,
  MoRef,
  ResourceConfigSpec,
  VAppConfigInfo,
  VMwareDVSConfigInfo,
} from '@vivarium/vim';

interface Entity {
  /** Escaped as ManagedEntity.name: %2f, %5c, %25. */
  readonly name: string;
  readonly parent: MoRef;
}

export interface EntityRecords {
  readonly Folder: Entity & {
    /** Folder.childType. */
    readonly childType: readonly string[];
    /** A datacenter's own folder (vm, host, datastore, network): it is neither renamed nor removed. */
    readonly isFixed: boolean;
  };
  readonly StoragePod: Entity;
  readonly Datacenter: Entity & {
    readonly vmFolder: MoRef<'Folder'>;
    readonly hostFolder: MoRef<'Folder'>;
    readonly datastoreFolder: MoRef<'Folder'>;
    readonly networkFolder: MoRef<'Folder'>;
  };
  readonly ComputeResource: Entity & { readonly resourcePool: MoRef<'ResourcePool'> };
  readonly ClusterComputeResource: Entity & {
    readonly resourcePool: MoRef<'ResourcePool'>;
    readonly configuration: ClusterConfigInfoEx;
  };
  readonly ResourcePool: Entity & {
    readonly owner: MoRef<'ComputeResource'>;
    /** Absent on a root pool: it has what its hosts have. */
    readonly config?: ResourceConfigSpec;
  };
  /** A resource pool whose VMs and pools start and stop together. Its VMs lie in it, not in a folder. */
  readonly VirtualApp: Entity & {
    readonly owner: MoRef<'ComputeResource'>;
    readonly config: ResourceConfigSpec;
    /** VirtualApp.parentFolder; absent in another vApp. */
    readonly folder?: MoRef<'Folder'>;
    /** `entityConfig` has an entry for each VM and vApp in it. */
    readonly vAppConfig: VAppConfigInfo;
  };
  readonly HostSystem: Entity & {
    /** How vCenter reaches it; the name that it was added by. */
    readonly address: string;
    readonly port: number;
    /** SHA-1 as vSphere writes it, `AB:CD:…`: what the host must show. */
    readonly thumbprint: string;
    /** Hardware UUID: the same machine under another name is the same host. */
    readonly uuid: string;
    /** An administrator has disconnected it; it stays so until ReconnectHost_Task. */
    readonly isDisconnected: boolean;
    readonly inMaintenanceMode: boolean;
  };
  readonly VirtualMachine: Entity & {
    readonly host: MoRef<'HostSystem'>;
    /** Its reference's value on that host. */
    readonly hostKey: string;
    readonly instanceUuid: string;
    /** On the host's datastores: `[datastore1] a/a.vmx`. */
    readonly vmPathName: string;
    /** DatastoreInfo.url of the datastore that the .vmx is on: with the path behind it, the VM's identity on shared storage. */
    readonly datastoreUrl: string;
    readonly resourcePool: MoRef<'ResourcePool'>;
    /** What the host calls it; another name than ours where ours was taken. */
    readonly hostName: string;
  };
  readonly Datastore: Entity & {
    readonly datacenter: MoRef<'Datacenter'>;
    /** DatastoreInfo.url: the same on every host that mounts it. */
    readonly url: string;
  };
  readonly Network: Entity & {
    readonly datacenter: MoRef<'Datacenter'>;
    /** What hosts call it, where that name was taken here. */
    readonly hostName?: string;
  };
  readonly VmwareDistributedVirtualSwitch: Entity & {
    readonly datacenter: MoRef<'Datacenter'>;
    /** As vSphere writes it: `50 1e …-…`. */
    readonly uuid: string;
    /** Without its members, and without what its port groups add up to. */
    readonly config: VMwareDVSConfigInfo;
    readonly members: readonly SwitchMember[];
    /** The uplinks' first. */
    readonly portgroups: readonly MoRef<'DistributedVirtualPortgroup'>[];
    /** How many port keys have been given. */
    readonly lastPort: number;
  };
  readonly DistributedVirtualPortgroup: Entity & {
    readonly datacenter: MoRef<'Datacenter'>;
    readonly dvs: MoRef<'VmwareDistributedVirtualSwitch'>;
    /** Its own settings: what it inherits is not in here. */
    readonly config: DVPortgroupConfigInfo;
    readonly portKeys: readonly number[];
  };
}

/** A host on a distributed switch, in few words: there may be thousands of them in one document. */
export interface SwitchMember {
  readonly host: MoRef<'HostSystem'>;
  readonly maxProxySwitchPorts: number;
  /** Devices, e.g. `vmnic0`, each at the place of the uplink that it is; '' where there is none. */
  readonly pnics: readonly string[];
}

export type EntityType = keyof EntityRecords;
export type EntityRef<T extends EntityType = EntityType> = { [K in T]: MoRef<K> }[T];
export type EntityRecord<T extends EntityType = EntityType> = EntityRecords[T];

/** In the order in which they can be put into the graph: parents before children, but for folders and pools, which nest. */
export const ENTITY_TYPES = [
  'Folder',
  'Datacenter',
  'ComputeResource',
  'ClusterComputeResource',
  'ResourcePool',
  'VirtualApp',
  'HostSystem',
  'StoragePod',
  'Datastore',
  'Network',
  'VmwareDistributedVirtualSwitch',
  'DistributedVirtualPortgroup',
  'VirtualMachine',
] as const satisfies readonly EntityType[];

/** How vCenter begins an id of the type. */
export const ID_PREFIXES: Readonly<Record<EntityType, string>> = {
  Folder: 'group-d',
  StoragePod: 'group-p',
  Datacenter: 'datacenter-',
  ComputeResource: 'domain-s',
  ClusterComputeResource: 'domain-c',
  ResourcePool: 'resgroup-',
  VirtualApp: 'resgroup-v',
  HostSystem: 'host-',
  VirtualMachine: 'vm-',
  Datastore: 'datastore-',
  Network: 'network-',
  VmwareDistributedVirtualSwitch: 'dvs-',
  DistributedVirtualPortgroup: 'dvportgroup-',
};
