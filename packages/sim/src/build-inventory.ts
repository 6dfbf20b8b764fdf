// From the plan to a running vCenter: simulated hosts with their VMs, and everything of vCenter's own by vCenter's own methods.

import { type Random, uuid } from '@vivarium/base';
import type { BuiltSwitch, CenterBuilder, HostToBuild } from '@vivarium/vcenter';
import type { MoRef, VirtualMachineConfigInfo } from '@vivarium/vim';
import type { SimFlags } from './flags.ts';
import { type ComputePlan, type DatacenterPlan, planInventory } from './inventory-plan.ts';
import type { HostMaker } from './make-host.ts';
import type { SimDatastore } from './sim-datastore.ts';
import { SimFiles } from './sim-files.ts';
import { type VmIdentity, vmStamper } from './stamp-vm.ts';
import { vmSpec } from './vm-spec.ts';

/** A name that nothing else contains. */
const TEMPLATE = 'viv-sim-template';
const DATASTORE_BYTES = 16 * 2 ** 40;

export interface SimWorld {
  readonly random: Random;
  readonly flags: SimFlags;
  readonly builder: CenterBuilder;
  readonly maker: HostMaker;
  readonly progress: (text: string) => void;
}

export async function buildInventory(world: SimWorld): Promise<void> {
  for (const plan of planInventory(world.flags)) await buildDatacenter(world, plan);
}

async function buildDatacenter(world: SimWorld, plan: DatacenterPlan): Promise<void> {
  const { builder } = world;
  const datastores = plan.datastores.map(
    (name): SimDatastore => ({
      name,
      url: `ds:///vmfs/volumes/${uuid(world.random)}/`,
      capacityBytes: DATASTORE_BYTES,
      files: new SimFiles(name),
    }),
  );
  const datacenter = await builder.datacenter(plan.name, { folder: plan.folder });
  for (const pod of plan.pods) await builder.storagePod(datacenter, pod);
  const dvs =
    plan.portgroups.length > 0 ? await builder.distributedSwitch(datacenter, 'DVS0', plan.portgroups) : undefined;
  const hosts: HostToBuild[] = [];
  for (const cluster of plan.clusters) {
    const ref = await builder.cluster(datacenter, cluster.name);
    hosts.push(...makeHosts(world, { cluster: ref, plan: cluster, datastores, dvs }));
  }
  for (const host of plan.standalone) {
    hosts.push(...makeHosts(world, { cluster: undefined, plan: host, datastores, dvs }));
  }
  await builder.hosts(datacenter, hosts, dvs?.ref);
}

interface ComputeWork {
  readonly cluster: MoRef<'ClusterComputeResource'> | undefined;
  readonly plan: ComputePlan;
  readonly datastores: readonly SimDatastore[];
  /** All hosts are members; the VMs are on its first port group. */
  readonly dvs: BuiltSwitch | undefined;
}

function makeHosts(world: SimWorld, work: ComputeWork): HostToBuild[] {
  const { flags } = world;
  const { cluster, plan, datastores, dvs } = work;
  const network = dvs?.hostNames[0] ?? 'VM Network';
  let stamp: ((identity: VmIdentity) => VirtualMachineConfigInfo) | undefined;
  return plan.hosts.map(({ name, vms }) => {
    const host = world.maker.make(name, datastores);
    for (const { method, args } of dvs?.steps ?? []) host.changeNetwork(method, { ...args });
    const places = new Map<string, string | undefined>();
    for (const vm of vms) {
      const spec = () => vmSpec(world.random, { name: TEMPLATE, datastore: datastores[0]?.name ?? '', network });
      stamp ??= vmStamper(world.maker.interner.share(host.planVm(spec())));
      const identity = { name: vm.name, uuid: biosUuid(world.random), instanceUuid: uuid(world.random) };
      const state = host.adopt(stamp(identity));
      places.set(state.config.instanceUuid ?? '', vm.pool);
      if (flags.isAutostart) host.powerOn(state);
    }
    world.progress(`${name}: ${vms.length} virtual machines`);
    return { name, cluster, vms: places, apps: plan.apps };
  });
}

/** As VMware begins them. */
function biosUuid(random: Random): string {
  return `564d${uuid(random).slice(4)}`;
}
