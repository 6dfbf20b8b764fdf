// Fills an inventory quickly, without tasks and events: for simulators and tests. By the same steps as the methods.
import type { MoRef } from '@vivarium/vim';
import type { Center } from './center.ts';
import {
  emptyClusterConfiguration,
  newCluster,
  newDatacenter,
  newStandalone,
  ROOT_FOLDER,
} from './folder/create-entity.ts';
import { addHost } from './host-system/add-host.ts';

export interface CenterBuilder {
  datacenter(name: string): Promise<MoRef<'Datacenter'>>;
  cluster(datacenter: MoRef<'Datacenter'>, name: string): Promise<MoRef<'ClusterComputeResource'>>;
  /**
   * The host that is reached by this name, into the cluster or standalone; its VMs into the datacenter's VM folder. `vms`:
   * instance UUID → name of the pool below the root pool, undefined for the root pool.
   */
  host(
    datacenter: MoRef<'Datacenter'>,
    cluster: MoRef<'ClusterComputeResource'> | undefined,
    name: string,
    vms: ReadonlyMap<string, string | undefined>,
  ): Promise<MoRef<'HostSystem'>>;
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
      const { ref, ops } = newCluster(inventory, hostFolder, name, emptyClusterConfiguration());
      await inventory.apply(ops);
      return ref;
    },
    async host(datacenter, cluster, name, vms) {
      const { hostFolder, vmFolder } = inventory.get(datacenter);
      const place = cluster ? { ref: cluster, ops: [] } : newStandalone(inventory, hostFolder, name);
      const rootPool = cluster
        ? inventory.get(cluster).resourcePool
        : place.ops.flatMap((op) =>
            'put' in op && op.put.type === 'ResourcePool' ? [op.put as MoRef<'ResourcePool'>] : [],
          )[0];
      if (!rootPool) throw new Error('a compute resource without a root pool');
      for (const [instanceUuid] of vms)
        await expected.expect(instanceUuid, { folder: vmFolder, resourcePool: rootPool });
      const spec = {
        _typeName: 'HostConnectSpec',
        hostName: name,
        userName: 'root',
        password: 'simulated',
        force: false,
      } as const;
      const { host } = await addHost(center, spec, { datacenterOf: hostFolder, isConnected: true, place: () => place });
      return host;
    },
  };
}
