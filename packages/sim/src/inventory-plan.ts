// What is simulated, by vcsim's names: DC0, DC0_C0, DC0_C0_H0, DC0_C0_RP0_VM0, DC0_C0_APP0, DC0_H0, DC0_H0_VM0, LocalDS_0, DVS0, DC0_DVPG0. Pure.
import type { SimFlags } from './flags.ts';

export interface DatacenterPlan {
  readonly name: string;
  /** Around it, and below each of its own folders. */
  readonly folder: string | undefined;
  readonly pods: readonly string[];
  readonly datastores: readonly string[];
  /** Of the distributed switch. */
  readonly portgroups: readonly string[];
  readonly clusters: readonly ComputePlan[];
  readonly standalone: readonly ComputePlan[];
}

export interface ComputePlan {
  readonly name: string;
  readonly hosts: readonly HostPlan[];
  /** Below the root pool. */
  readonly pools: readonly string[];
  /** vApps below the root pool. */
  readonly apps: readonly string[];
}

export interface HostPlan {
  readonly name: string;
  readonly vms: readonly VmPlan[];
}

export interface VmPlan {
  readonly name: string;
  /** The pool or vApp below the root pool that it is in; undefined = the root pool itself. */
  readonly pool: string | undefined;
}

export function planInventory(flags: SimFlags): DatacenterPlan[] {
  const bare = Math.max(0, flags.datacenters - flags.folders);
  return count(flags.datacenters).map((index): DatacenterPlan => {
    const name = `DC${index}`;
    return {
      name,
      // As vcsim: the first datacenters go without when there are fewer folders.
      folder: index < bare ? undefined : `F${index - bare}`,
      pods: count(flags.pods).map((pod) => `${name}_POD${pod}`),
      datastores: count(flags.datastores).map((store) => `LocalDS_${store}`),
      portgroups: count(flags.portgroups).map((portgroup) => `${name}_DVPG${portgroup}`),
      clusters: count(flags.clusters).map((cluster) => planCluster(`${name}_C${cluster}`, flags)),
      standalone: count(flags.standaloneHosts).map((host) => planStandalone(`${name}_H${host}`, flags)),
    };
  });
}

/** As vcsim: a cluster's VMs are in its pools, or in its root pool when there are none; a host's own pool has none below it. */
function planCluster(name: string, flags: SimFlags): ComputePlan {
  const pools = count(flags.pools).map((pool) => `${name}_RP${pool + 1}`);
  const apps = count(flags.apps).map((app) => `${name}_APP${app}`);
  const ownPools =
    pools.length > 0 ? pools.flatMap((pool) => planVms(pool, pool, flags)) : planVms(`${name}_RP0`, undefined, flags);
  const vms = [...ownPools, ...apps.flatMap((app) => planVms(app, app, flags))];
  const hosts = count(flags.hostsPerCluster).map((host) => ({
    name: `${name}_H${host}`,
    vms: vms.filter((_vm, index) => index % flags.hostsPerCluster === host),
  }));
  return { name, hosts, pools, apps };
}

function planStandalone(name: string, flags: SimFlags): ComputePlan {
  return { name, hosts: [{ name, vms: planVms(name, undefined, flags) }], pools: [], apps: [] };
}

function planVms(prefix: string, pool: string | undefined, { vmsPerPool }: SimFlags): VmPlan[] {
  return count(vmsPerPool).map((vm) => ({ name: `${prefix}_VM${vm}`, pool }));
}

function count(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
