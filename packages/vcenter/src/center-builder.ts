// Fills an inventory quickly, without tasks and events: for simulators and tests. By the same steps as the methods.
import { defaultClusterConfig } from '@vivarium/drs';
import { normalPoolAllocation } from '@vivarium/drs/resource-pool';
import { type MoRef, make } from '@vivarium/vim';
import type { Center } from './center.ts';
import { withMember } from './distributed-switch/change-switch.ts';
import { hiddenPortGroupName, switchUuid } from './distributed-switch/hidden-network.ts';
import { newPortgroup, newSwitch } from './distributed-switch/new-switch.ts';
import { type NetworkStep, stepsOfMember } from './distributed-switch/plan-host-network.ts';
import { newCluster, newDatacenter, newStandalone, ROOT_FOLDER } from './folder/create-entity.ts';
import { addHost } from './host-system/add-host.ts';
import { createPool } from './resource-pool/change-pools.ts';

export interface CenterBuilder {
  datacenter(name: string): Promise<MoRef<'Datacenter'>>;
  cluster(datacenter: MoRef<'Datacenter'>, name: string): Promise<MoRef<'ClusterComputeResource'>>;
  /** A distributed switch with port groups of these names, in no VLAN. */
  distributedSwitch(datacenter: MoRef<'Datacenter'>, name: string, portgroups: readonly string[]): Promise<BuiltSwitch>;
  /**
   * The host that is reached by this name, into the cluster or standalone; its VMs into the datacenter's VM folder. `vms`:
   * instance UUID → name of the pool below the root pool, undefined for the root pool.
   * `dvs`: the distributed switch that it is a member of.
   */
  host(
    datacenter: MoRef<'Datacenter'>,
    cluster: MoRef<'ClusterComputeResource'> | undefined,
    name: string,
    vms: ReadonlyMap<string, string | undefined>,
    dvs?: MoRef<'VmwareDistributedVirtualSwitch'>,
  ): Promise<MoRef<'HostSystem'>>;
}

export interface BuiltSwitch {
  readonly ref: MoRef<'VmwareDistributedVirtualSwitch'>;
  /** Calls of its HostNetworkSystem by which a host carries it. */
  readonly steps: readonly NetworkStep[];
  /** What hosts call its port groups, in their order. */
  readonly hostNames: readonly string[];
}

export function centerBuilder(center: Center): CenterBuilder {
  const { inventory, expected } = center;
  return {
    async datacenter(name) {
      const { ref, ops } = newDatacenter(inventory, ROOT_FOLDER, name);
      await inventory.apply(ops);
      return ref;
    },
    async cluster(datacenter, name) {
      const { hostFolder } = inventory.get(datacenter);
      const { ref, ops } = newCluster(inventory, hostFolder, name, defaultClusterConfig);
      await inventory.apply(ops);
      return ref;
    },
    async distributedSwitch(datacenter, name, portgroups) {
      const folder = inventory.get(datacenter).networkFolder;
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
    async host(datacenter, cluster, name, vms, dvs) {
      const { hostFolder, vmFolder } = inventory.get(datacenter);
      const place = cluster ? { ref: cluster, ops: [] } : newStandalone(inventory, hostFolder, name);
      const rootPool = cluster
        ? inventory.get(cluster).resourcePool
        : place.ops.flatMap((op) =>
            'put' in op && op.put.type === 'ResourcePool' ? [op.put as MoRef<'ResourcePool'>] : [],
          )[0];
      if (!rootPool) throw new Error('a compute resource without a root pool');
      if (!cluster) await inventory.apply(place.ops);
      const pools = new Map<string | undefined, MoRef<'ResourcePool'>>([[undefined, rootPool]]);
      for (const pool of new Set(vms.values())) {
        if (pool !== undefined) pools.set(pool, await ensurePool(center, rootPool, pool));
      }
      for (const [instanceUuid, pool] of vms) {
        await expected.expect(instanceUuid, { folder: vmFolder, resourcePool: pools.get(pool) ?? rootPool });
      }
      const spec = {
        _typeName: 'HostConnectSpec',
        hostName: name,
        userName: 'root',
        password: 'simulated',
        force: false,
      } as const;
      const { host } = await addHost(center, spec, {
        datacenterOf: hostFolder,
        isConnected: true,
        join: (member) => (dvs ? withMember(inventory, dvs, member) : []),
        place: () => ({ ref: place.ref, ops: [] }),
      });
      return host;
    },
  };
}

async function ensurePool(center: Center, parent: MoRef<'ResourcePool'>, name: string): Promise<MoRef<'ResourcePool'>> {
  const known = center.inventory.childNamed(parent, name);
  if (known) return known as MoRef<'ResourcePool'>;
  const spec = make('ResourceConfigSpec', {
    cpuAllocation: normalPoolAllocation('cpu'),
    memoryAllocation: normalPoolAllocation('memory'),
  });
  return createPool(center, parent, name, spec);
}
