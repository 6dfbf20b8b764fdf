// Fills an inventory quickly, without tasks and events: for simulators and tests. By the same steps as the methods.
import { defaultClusterConfig } from '@vivarium/drs';
import { normalPoolAllocation } from '@vivarium/drs/resource-pool';
import { type ClusterConfigInfoEx, type MoRef, make, type ResourceConfigSpec } from '@vivarium/vim';
import type { Center } from './center.ts';
import { withMembers } from './distributed-switch/change-switch.ts';
import { hiddenPortGroupName, switchUuid } from './distributed-switch/hidden-network.ts';
import { newPortgroup, newSwitch } from './distributed-switch/new-switch.ts';
import { type NetworkStep, stepsOfMember } from './distributed-switch/plan-host-network.ts';
import {
  newCluster,
  newDatacenter,
  newFolder,
  newStandalone,
  newStoragePod,
  ROOT_FOLDER,
} from './folder/create-entity.ts';
import type { HostLink } from './host-link/host-link.ts';
import { type AddedHost, connectHost, newHostRecord } from './host-system/add-host.ts';
import type { EntityRecord } from './inventory/entity-records.ts';
import type { InventoryOp } from './inventory/inventory.ts';
import { createPool } from './resource-pool/change-pools.ts';
import { isApp } from './resource-pool/pool-ref.ts';
import { changeApp, createApp } from './virtual-app/change-app.ts';

const HTTPS_PORT = 443;
const ACCOUNT = { userName: 'root', password: 'simulated' };

export interface CenterBuilder {
  /** `folder`: of the name that is made around it, and below each of its own folders for what comes into it. */
  datacenter(name: string, options?: { readonly folder?: string | undefined }): Promise<MoRef<'Datacenter'>>;
  storagePod(datacenter: MoRef<'Datacenter'>, name: string): Promise<void>;
  cluster(datacenter: MoRef<'Datacenter'>, name: string): Promise<MoRef<'ClusterComputeResource'>>;
  /** A distributed switch with port groups of these names, in no VLAN. */
  distributedSwitch(datacenter: MoRef<'Datacenter'>, name: string, portgroups: readonly string[]): Promise<BuiltSwitch>;
  /** Hosts with their VMs, which come into the datacenter's VM folder. `dvs`: the distributed switch that all are members of. */
  hosts(
    datacenter: MoRef<'Datacenter'>,
    hosts: readonly HostToBuild[],
    dvs?: MoRef<'VmwareDistributedVirtualSwitch'>,
  ): Promise<void>;
}

export interface HostToBuild {
  /** vCenter reaches it by this name. */
  readonly name: string;
  /** Without one it is a standalone host. */
  readonly cluster: MoRef<'ClusterComputeResource'> | undefined;
  /** Instance UUID → name of the pool or vApp below the root pool, undefined for the root pool. */
  readonly vms: ReadonlyMap<string, string | undefined>;
  /** Which of these are vApps; their VMs start all at once. */
  readonly apps?: readonly string[];
}

export interface BuiltSwitch {
  readonly ref: MoRef<'VmwareDistributedVirtualSwitch'>;
  /** Calls of its HostNetworkSystem by which a host carries it. */
  readonly steps: readonly NetworkStep[];
  /** What hosts call its port groups, in their order. */
  readonly hostNames: readonly string[];
}

export function centerBuilder(center: Center): CenterBuilder {
  const { inventory, lists } = center;
  /** Where things come into a datacenter, where that is not its own folders. */
  const inside = new Map<string, Places>();
  const placesOf = (datacenter: MoRef<'Datacenter'>): Places =>
    inside.get(datacenter.value) ?? inventory.get(datacenter);
  const makeFolder = async (parent: MoRef<'Folder'>, name: string) => {
    const { ref, ops } = newFolder(inventory, parent, name);
    await inventory.apply(ops);
    return ref;
  };
  return {
    async datacenter(name, { folder } = {}) {
      const parent = folder === undefined ? ROOT_FOLDER : await makeFolder(ROOT_FOLDER, folder);
      const { ref, ops } = newDatacenter(inventory, parent, name);
      await inventory.apply(ops);
      if (folder === undefined) return ref;
      const { vmFolder, hostFolder, datastoreFolder, networkFolder } = inventory.get(ref);
      inside.set(ref.value, {
        vmFolder: await makeFolder(vmFolder, folder),
        hostFolder: await makeFolder(hostFolder, folder),
        datastoreFolder: await makeFolder(datastoreFolder, folder),
        networkFolder: await makeFolder(networkFolder, folder),
      });
      return ref;
    },
    async storagePod(datacenter, name) {
      await inventory.apply(newStoragePod(inventory, inventory.get(datacenter).datastoreFolder, name).ops);
    },
    async cluster(datacenter, name) {
      const { hostFolder } = placesOf(datacenter);
      const { ref, ops } = newCluster(inventory, hostFolder, name, withDrs);
      await inventory.apply(ops);
      return ref;
    },
    async distributedSwitch(datacenter, name, portgroups) {
      const folder = placesOf(datacenter).networkFolder;
      const uuid = switchUuid(center.newUuid());
      const createTime = new Date(center.clock.now()).toISOString();
      const spec = make('DVSCreateSpec', { configSpec: make('VMwareDVSConfigSpec', {}) });
      const { ref, ops } = newSwitch(spec, { inventory, folder, datacenter, name, uuid, createTime });
      await inventory.apply(ops);
      const hostNames: string[] = [];
      for (const portgroupName of portgroups) {
        const made = newPortgroup(inventory, ref, inventory.get(ref), portgroupName, {});
        await inventory.apply([
          { put: ref, record: made.owner },
          { put: made.ref, record: made.record },
        ]);
        hostNames.push(hiddenPortGroupName({ portgroupKey: made.ref.value, switchUuid: uuid }));
      }
      return { ref, steps: stepsOfMember(inventory, ref), hostNames };
    },
    async hosts(datacenter, hosts, dvs) {
      const release = lists.hold();
      try {
        await buildHosts(center, placesOf(datacenter), hosts, dvs);
        await moveDatastores(center, datacenter, placesOf(datacenter).datastoreFolder);
      } finally {
        release();
      }
    },
  };
}

type Places = Pick<EntityRecord<'Datacenter'>, 'vmFolder' | 'hostFolder' | 'datastoreFolder' | 'networkFolder'>;

/** Hosts bring their datastores into the datacenter's own folder. */
async function moveDatastores(
  { inventory }: Center,
  datacenter: MoRef<'Datacenter'>,
  folder: MoRef<'Folder'>,
): Promise<void> {
  const own = inventory.get(datacenter).datastoreFolder;
  if (own.value === folder.value) return;
  const datastores = Array.from(inventory.ofType('Datastore')).filter(([, { parent }]) => parent.value === own.value);
  await inventory.applySteps(
    datastores.map(([put, record]) => ({ ops: [{ put, record: { ...record, parent: folder as MoRef } }] })),
  );
}

/** As vcsim's clusters are. */
function withDrs(): ClusterConfigInfoEx {
  const config = defaultClusterConfig();
  return { ...config, drsConfig: { ...config.drsConfig, enabled: true } };
}

/** The records of all hosts, then one connection after the other: what is theirs together is made once. */
async function buildHosts(
  center: Center,
  { hostFolder, vmFolder }: Pick<Places, 'hostFolder' | 'vmFolder'>,
  hosts: readonly HostToBuild[],
  dvs: MoRef<'VmwareDistributedVirtualSwitch'> | undefined,
): Promise<void> {
  const { inventory, expected } = center;
  const { instanceUuid = '' } = center.service.content.about;
  const ops: InventoryOp[] = [];
  const rootPools: MoRef<'ResourcePool'>[] = [];
  const added: AddedHost[] = [];
  const links: HostLink[] = [];
  for (const { name, cluster } of hosts) {
    const target = { address: name, port: HTTPS_PORT, thumbprint: undefined };
    const link = await center.dialer.introduce(target, ACCOUNT, { instanceUuid, force: false });
    const standalone = cluster ? undefined : newStandalone(inventory, hostFolder, name);
    const owner = (cluster ?? standalone?.ref) as MoRef<'ComputeResource'>;
    const record = newHostRecord({ name, owner, address: name, port: HTTPS_PORT, uuid: await link.hardwareUuid() });
    const host = inventory.newRef('HostSystem');
    ops.push(...(standalone?.ops ?? []), { put: host, record });
    rootPools.push(standalone?.pool ?? inventory.get(owner).resourcePool);
    added.push({ host, owner });
    links.push(link);
  }
  const members = added.map(({ host }) => host);
  await inventory.exclusively(async () => {
    // Who fills an inventory does not mind its being there in parts.
    await inventory.applySteps(ops.map((op) => ({ ops: [op] })));
    if (dvs) await inventory.apply(withMembers(inventory, dvs, members));
  });
  for (const [index, { vms, apps = [] }] of hosts.entries()) {
    const rootPool = rootPools[index] as MoRef<'ResourcePool'>;
    const pools = new Map<string | undefined, MoRef<'ResourcePool'>>([[undefined, rootPool]]);
    for (const pool of new Set(vms.values())) {
      if (pool === undefined) continue;
      const made = apps.includes(pool)
        ? ensureApp(center, rootPool, pool, vmFolder)
        : ensurePool(center, rootPool, pool);
      pools.set(pool, await made);
    }
    for (const [instanceUuid, pool] of vms) {
      const resourcePool = pools.get(pool) ?? rootPool;
      await expected.expect(instanceUuid, { folder: isApp(resourcePool) ? resourcePool : vmFolder, resourcePool });
    }
    await connectHost(center, added[index] as AddedHost, links[index] as HostLink);
    for (const pool of pools.values()) if (isApp(pool)) await startTogether(center, pool);
  }
}

async function ensureApp(
  center: Center,
  parent: MoRef<'ResourcePool'>,
  name: string,
  vmFolder: MoRef<'Folder'>,
): Promise<MoRef<'ResourcePool'>> {
  const known = center.inventory.childNamed(parent, name);
  if (known) return known as MoRef<'ResourcePool'>;
  const resSpec = normalPool();
  const app = await createApp(center, parent, { name, vmFolder, resSpec, configSpec: make('VAppConfigSpec', {}) });
  return app as MoRef<'ResourcePool'>;
}

function startTogether(center: Center, app: MoRef<'VirtualApp'>): Promise<void> {
  const { entityConfig = [] } = center.inventory.get<'VirtualApp'>(app).vAppConfig;
  const together = entityConfig.map((entity) => ({ ...entity, startOrder: 1 }));
  return changeApp(center, app, make('VAppConfigSpec', { entityConfig: together }));
}

function normalPool(): ResourceConfigSpec {
  return make('ResourceConfigSpec', {
    cpuAllocation: normalPoolAllocation('cpu'),
    memoryAllocation: normalPoolAllocation('memory'),
  });
}

async function ensurePool(center: Center, parent: MoRef<'ResourcePool'>, name: string): Promise<MoRef<'ResourcePool'>> {
  const known = center.inventory.childNamed(parent, name);
  if (known) return known as MoRef<'ResourcePool'>;
  return createPool(center, parent, name, normalPool());
}
