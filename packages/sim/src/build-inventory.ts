// From the plan to a running vCenter: simulated hosts with their VMs, and everything of vCenter's own by vCenter's own methods.

import type { Clock, Random } from '@vivarium/base';
import { uuid } from '@vivarium/base';
import type { GuestFacts, HostView } from '@vivarium/host/view';
import type { BuiltSwitch, CenterBuilder, HostToBuild } from '@vivarium/vcenter';
import {
  type AboutInfo,
  isA,
  MethodFault,
  type MoRef,
  make,
  moRef,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import type { SimFlags } from './flags.ts';
import { Interner } from './interner.ts';
import { type ComputePlan, type DatacenterPlan, planInventory } from './inventory-plan.ts';
import { type SimDatastore, SimHost } from './sim-host.ts';
import { type VmIdentity, vmStamper } from './stamp-vm.ts';

const CPU_MHZ = 2294;
const HOST_MEMORY = 64 * 2 ** 30;
/** A name that nothing else contains. */
const TEMPLATE = 'viv-sim-template';
const DATASTORE_BYTES = 16 * 2 ** 40;

export interface SimWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly flags: SimFlags;
  readonly about: AboutInfo;
  /** Hosts by the name that vCenter reaches them by. */
  readonly hosts: Map<string, SimHost>;
  readonly builder: CenterBuilder;
  readonly progress: (text: string) => void;
}

export async function buildInventory(world: SimWorld): Promise<void> {
  const interner = new Interner();
  for (const plan of planInventory(world.flags)) await buildDatacenter(world, interner, plan);
}

async function buildDatacenter(world: SimWorld, interner: Interner, plan: DatacenterPlan): Promise<void> {
  const { builder } = world;
  const datastores = plan.datastores.map(
    (name): SimDatastore => ({
      name,
      url: `ds:///vmfs/volumes/${uuid(world.random)}/`,
      capacityBytes: DATASTORE_BYTES,
    }),
  );
  const datacenter = await builder.datacenter(plan.name);
  const dvs =
    plan.portgroups.length > 0 ? await builder.distributedSwitch(datacenter, 'DVS0', plan.portgroups) : undefined;
  const hosts: HostToBuild[] = [];
  for (const cluster of plan.clusters) {
    const ref = await builder.cluster(datacenter, cluster.name);
    hosts.push(...makeHosts(world, interner, { cluster: ref, plan: cluster, datastores, dvs }));
  }
  for (const host of plan.standalone) {
    hosts.push(...makeHosts(world, interner, { cluster: undefined, plan: host, datastores, dvs }));
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

function makeHosts(world: SimWorld, interner: Interner, work: ComputeWork): HostToBuild[] {
  const { flags } = world;
  const { cluster, plan, datastores, dvs } = work;
  const network = dvs?.hostNames[0] ?? 'VM Network';
  let stamp: ((identity: VmIdentity) => VirtualMachineConfigInfo) | undefined;
  return plan.hosts.map(({ name, vms }) => {
    const host = newHost(world, interner, name, datastores);
    for (const { method, args } of dvs?.steps ?? []) host.changeNetwork(method, { ...args });
    world.hosts.set(name, host);
    const places = new Map<string, string | undefined>();
    for (const vm of vms) {
      const spec = () => vmSpec(world, { name: TEMPLATE, datastore: datastores[0]?.name ?? '', network });
      stamp ??= vmStamper(interner.share(host.planVm(spec())));
      const identity = { name: vm.name, uuid: biosUuid(world.random), instanceUuid: uuid(world.random) };
      const state = host.adopt(stamp(identity));
      places.set(state.config.instanceUuid ?? '', vm.pool);
      if (flags.isAutostart) host.powerOn(state);
    }
    world.progress(`${name}: ${vms.length} virtual machines`);
    return { name, cluster, vms: places };
  });
}

function newHost(world: SimWorld, interner: Interner, name: string, datastores: readonly SimDatastore[]): SimHost {
  const { clock, random, flags } = world;
  const number = world.hosts.size;
  return new SimHost({
    name,
    clock,
    random,
    interner,
    view: hostView(world, name),
    datastores,
    networks: ['VM Network'],
    taskMs: (method) => (method.endsWith('_Task') ? (flags.methodDelayMs.get(method) ?? flags.delayMs) : 0),
    faultOf: (method, vm) => {
      const found = flags.faults.find((one) => one.method === method && (one.vm === undefined || one.vm === vm));
      return found && (new MethodFault(found.fault as 'InvalidState') as MethodFault);
    },
    guestOf: (vm, config): GuestFacts => {
      const cards = (config.hardware.device ?? []).filter((device) => isA('VirtualEthernetCard', device));
      return {
        hostName: config.name,
        osName: 'Linux',
        interfaces: cards.map(({ macAddress = '' }, index) => ({
          mac: macAddress.toLowerCase(),
          addresses: [{ address: guestAddress(number, Number(vm.value), index), prefix: 8 }],
        })),
      };
    },
  });
}

/** 10.0.0.0/8: 4,096 hosts, 1,024 VMs each, four adapters. */
function guestAddress(host: number, vm: number, nic: number): string {
  const value = ((host & 0xfff) << 12) | ((vm & 0x3ff) << 2) | (nic & 3);
  return `10.${(value >> 16) & 255}.${(value >> 8) & 255}.${value & 255}`;
}

function hostView({ random, clock, about }: SimWorld, name: string): HostView {
  return {
    name,
    port: 443,
    facts: {
      vendor: 'Vivarium',
      model: 'Simulated host',
      uuid: uuid(random),
      serialNumber: 'None',
      biosVersion: '1',
      cpuModel: 'Simulated CPU @ 2.29GHz',
      cpuVendor: 'intel',
      cpuMhz: CPU_MHZ,
      cpuFlags: new Set(),
      packages: [
        { index: 0, threads: [0, 1, 2, 3, 4, 5, 6, 7] },
        { index: 1, threads: [8, 9, 10, 11, 12, 13, 14, 15] },
      ],
      cores: 16,
      threads: 32,
      memoryBytes: HOST_MEMORY,
    },
    about,
    bootTime: new Date(clock.now()).toISOString(),
    nics: 2,
    usage: { cpuMhz: 1500, memoryMB: 4096, uptimeSeconds: 3600 },
  };
}

/** As VMware begins them. */
function biosUuid(random: Random): string {
  return `564d${uuid(random).slice(4)}`;
}

/** As vcsim's: one disk of 10 GB, an adapter, a CD-ROM drive. */
function vmSpec(
  { random }: SimWorld,
  { name, datastore, network }: { readonly name: string; readonly datastore: string; readonly network: string },
): VirtualMachineConfigSpec {
  const controller = make('ParaVirtualSCSIController', { key: -1, busNumber: 0, sharedBus: 'noSharing' });
  const disk = make('VirtualDisk', {
    key: -2,
    controllerKey: -1,
    unitNumber: 0,
    capacityInKB: 10 * 1024 * 1024,
    backing: make('VirtualDiskFlatVer2BackingInfo', { fileName: '', diskMode: 'persistent', thinProvisioned: true }),
  });
  const nic = make('VirtualVmxnet3', {
    key: -3,
    backing: make('VirtualEthernetCardNetworkBackingInfo', {
      deviceName: network,
      network: moRef('Network', `HaNetwork-${network}`),
    }),
    connectable: make('VirtualDeviceConnectInfo', { startConnected: true, allowGuestControl: true, connected: true }),
  });
  const cdrom = make('VirtualCdrom', {
    key: -4,
    controllerKey: 200,
    unitNumber: 0,
    backing: make('VirtualCdromAtapiBackingInfo', { deviceName: 'cdrom', useAutoDetect: false }),
  });
  const add = (device: typeof disk | typeof nic | typeof cdrom | typeof controller, fileOperation?: 'create') =>
    make('VirtualDeviceConfigSpec', { operation: 'add', device, fileOperation });
  return make('VirtualMachineConfigSpec', {
    name,
    instanceUuid: uuid(random),
    guestId: 'otherGuest64',
    numCPUs: 1,
    memoryMB: 32,
    files: make('VirtualMachineFileInfo', { vmPathName: `[${datastore}]` }),
    deviceChange: [add(controller), add(disk, 'create'), add(nic), add(cdrom)],
  });
}
