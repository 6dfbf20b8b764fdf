// A host without machine, switch or images of its own: everything between the registry and the VMM interface is real, the
// datastore is a directory, the store is SQLite. What is outside hostd (datastore, machines, switch) survives `restart`.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { type Logger, silentLogger } from '@vivarium/base';
import { systemRandom } from '@vivarium/base/node';
import type { Group } from '@vivarium/qemu';
import { openSqliteStore, type Store } from '@vivarium/store';
import { moRef, type VirtualMachineConfigSpec } from '@vivarium/vim';
import { Datastores } from '../datastore/datastores.ts';
import { MaintenanceMode } from '../host-system/maintenance-mode.ts';
import { refs } from '../inventory/refs.ts';
import { UserNetwork } from '../network/user-network.ts';
import { ResourcePools } from '../resource-pool/resource-pools.ts';
import { HeaderImages } from '../simulated/header-images.ts';
import { SimulatedVmms } from '../simulated/simulated-vmms.ts';
import { vmPaths } from '../storage.ts';
import { VirtualDisks } from '../virtual-disk-manager/virtual-disks.ts';
import { surroundingsOf } from '../vm/surroundings.ts';
import type { Request, Vm } from '../vm/vm.ts';
import type { NewEvent, VmHost } from '../vm/vm-host.ts';
import { type BrokenVm, VmRegistry, type VmRegistryListener } from '../vm/vm-registry.ts';
import { Life } from './life.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What is there whether hostd runs or not. */
export interface World {
  readonly clock: VirtualClock;
  readonly vmms: SimulatedVmms;
  readonly network: UserNetwork;
  /** The machine's control groups as they were applied last, by name. */
  readonly groups: Map<string, Group>;
  readonly directory: string;
  /** Directory of `datastore1`. */
  readonly root: string;
}

export interface TestHost extends World {
  readonly host: VmHost;
  readonly registry: VmRegistry;
  readonly pools: ResourcePools;
  readonly maintenance: MaintenanceMode;
  readonly store: Store;
  readonly datastores: Datastores;
  readonly disks: VirtualDisks;
  readonly images: HeaderImages;
  /** Posted in this life, oldest first. */
  readonly events: NewEvent[];
  /** Warnings and errors of this life's log. */
  readonly complaints: object[];
  /** VMs that cannot be read, by id. */
  readonly broken: Map<string, BrokenVm>;
  readonly life: Life;
  create(spec?: Partial<VirtualMachineConfigSpec>): Promise<Vm>;
  /** Ends this hostd without a word and starts another one. */
  restart(options?: TestHostOptions): Promise<TestHost>;
  /** Every file and folder of the datastore, sorted; folders end in `/`. Our own hidden names are left out. */
  files(): Promise<string[]>;
}

export interface TestHostOptions {
  readonly life?: Life;
  /** The datastore is a file system of its own of this size. Needs root. */
  readonly sizeMB?: number;
  /** Who hears of VMs; made before the first is opened. */
  readonly publish?: (
    host: VmHost,
    store: Store,
    registry: () => VmRegistry,
    pools: ResourcePools,
    maintenance: MaintenanceMode,
  ) => Partial<VmRegistryListener>;
}

/** A host with nothing on it. All is gone after the test. */
export async function testHost(context: TestContext, options: TestHostOptions = {}): Promise<TestHost> {
  // In memory where that is to be had: everything is written with fsync.
  const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const directory = await mkdtemp(join(place, 'viv-host-'));
  const clock = new VirtualClock();
  const network = new UserNetwork({ reason: 'a test' });
  const vmms = new SimulatedVmms({ clock, network });
  const root = join(directory, 'datastore1');
  const running = new Set<TestHost>();
  const { sizeMB } = options;
  if (sizeMB !== undefined) {
    await mkdir(root);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMB}m`, 'tmpfs', root]);
  }
  context.after(async () => {
    for (const host of running) await stop(host);
    if (sizeMB !== undefined) execFileSync('umount', [root]);
    await rm(directory, { recursive: true });
  });
  return startHost({ clock, vmms, network, groups: new Map(), directory, root }, options, running);
}

async function stop(host: TestHost): Promise<void> {
  host.life.kill();
  host.vmms.abandon();
  host.datastores.close();
  await host.store.close();
}

async function startHost(world: World, options: TestHostOptions, running: Set<TestHost>): Promise<TestHost> {
  const { clock, vmms, network, groups, directory, root } = world;
  const life = options.life ?? new Life();
  const store = openSqliteStore(join(directory, 'hostd.db'));
  const complaints: object[] = [];
  const complain = (data: object, message: string) => void complaints.push({ message, ...data });
  const log: Logger = { ...silentLogger, warn: complain, error: complain, child: () => log };
  const events: NewEvent[] = [];
  const broken = new Map<string, BrokenVm>();
  const datastores = await Datastores.open({
    store,
    clock,
    random: systemRandom,
    log,
    first: { name: 'datastore1', root },
  });
  const use = { inUse: () => registry.all.flatMap((vm) => vm.filesInUse()) };
  const images = new HeaderImages();
  const disks = new VirtualDisks({ datastores, images, use, random: systemRandom, log });
  const paths = vmPaths(datastores);
  const pools = new ResourcePools({
    store: life.store(store),
    clock,
    log,
    capacity: { cpu: 16_000, memory: 65_536 },
    cpuMhz: 2000,
    groups: {
      async apply(wanted) {
        if (life.isDead) return;
        groups.clear();
        for (const group of wanted) groups.set(group.name, group);
      },
      enter: async () => undefined,
      throttledNs: () => undefined,
    },
  });
  const maintenance = new MaintenanceMode({
    store: life.store(store),
    clock,
    isIdle: () => registry.all.every(({ power }) => power !== 'poweredOn'),
  });
  const host: VmHost = {
    clock,
    random: systemRandom,
    log,
    ref: refs.host,
    name: 'test-host',
    cpuMhz: 2000,
    accelerator: 'tcg',
    cpuModel: 'max',
    machineTypes: { q35: 'pc-q35-11.0', pc: 'pc-i440fx-11.0' },
    limits: { numCPUs: 8, memoryMB: 65_536, hostThreads: 8 },
    defaultDatastore: 'datastore1',
    vmms: vmms.factory((name, vm) => life.step(`${name} ${vm}`)),
    network,
    resources: pools,
    maintenance,
    disks,
    paths,
    surroundings: () => surroundingsOf({ datastores, disks, paths }, network),
    post: (event) => void events.push(event),
    journal: {
      begin: (id, change) => registry.journal.begin(id, change),
      end: (id) => registry.journal.end(id),
    },
  };
  const listener = options.publish?.(host, store, () => registry, pools, maintenance);
  const registry: VmRegistry = new VmRegistry(host, life.store(store), {
    added(vm) {
      vm.onChange(() => maintenance.settle());
      return listener?.added?.(vm);
    },
    removed: (vm) => listener?.removed?.(vm),
    broken(vm) {
      broken.set(vm.ref.value, vm);
      listener?.broken?.(vm);
    },
    mended(vm) {
      broken.delete(vm.ref.value);
      listener?.mended?.(vm);
    },
  });
  const testHost: TestHost = {
    ...world,
    root: datastores.resolve('[datastore1]'),
    host,
    registry,
    pools,
    maintenance,
    store,
    datastores,
    disks,
    images,
    events,
    complaints,
    broken,
    life,
    create: (spec) => life.run(() => registry.create(asUser(), { ...vmSpec(), ...spec })),
    async restart(next = {}) {
      running.delete(testHost);
      await stop(testHost);
      return startHost(world, next, running);
    },
    files: () => listFiles(root),
  };
  running.add(testHost);
  await life
    .run(async () => {
      await registry.load();
      await pools.start(new Set(registry.refs.map(({ value }) => value)));
    })
    .catch((error: unknown) => {
      if (!life.isDead) throw error;
    });
  return testHost;
}

/** A request of the user `root`, with a task when one is named. */
export function asUser(task?: string): Request {
  return {
    userName: 'root',
    progress: () => undefined,
    ...(task === undefined ? {} : { task: moRef('Task', task) }),
  };
}

/** A small VM: PVSCSI with one thin disk of 16 MB, one VMXNET3, an empty CD-ROM drive on SATA. */
export function vmSpec(name = 'web'): VirtualMachineConfigSpec {
  return {
    name,
    guestId: 'debian12_64Guest',
    numCPUs: 1,
    memoryMB: 128,
    files: { vmPathName: '[datastore1]' },
    deviceChange: [
      {
        operation: 'add',
        device: { _typeName: 'ParaVirtualSCSIController', key: -1, busNumber: 0, sharedBus: 'noSharing' },
      },
      diskChange(-2, -1, 16),
      {
        operation: 'add',
        device: {
          _typeName: 'VirtualVmxnet3',
          key: -3,
          backing: { _typeName: 'VirtualEthernetCardNetworkBackingInfo', deviceName: 'VM Network' },
          connectable: { startConnected: true, allowGuestControl: true, connected: true },
        },
      },
      { operation: 'add', device: { _typeName: 'VirtualAHCIController', key: -4, busNumber: 0 } },
      {
        operation: 'add',
        device: {
          _typeName: 'VirtualCdrom',
          key: -5,
          controllerKey: -4,
          backing: { _typeName: 'VirtualCdromRemotePassthroughBackingInfo', deviceName: '', exclusive: false },
          connectable: { startConnected: false, allowGuestControl: true, connected: false },
        },
      },
    ] as VirtualMachineConfigSpec['deviceChange'],
  } as VirtualMachineConfigSpec;
}

type DeviceChange = NonNullable<VirtualMachineConfigSpec['deviceChange']>[number];

/** A new thin disk; `file` = a name that the host chooses. */
export function diskChange(key: number, controllerKey: number, megabytes: number, file = ''): DeviceChange {
  return {
    operation: 'add',
    fileOperation: 'create',
    device: {
      _typeName: 'VirtualDisk',
      key,
      controllerKey,
      capacityInKB: megabytes * 1024,
      backing: {
        _typeName: 'VirtualDiskFlatVer2BackingInfo',
        fileName: file,
        diskMode: 'persistent',
        thinProvisioned: true,
      },
    },
  } as DeviceChange;
}

/** The types of events, in order. */
export function eventTypes(events: readonly NewEvent[]): string[] {
  return events.map(({ _typeName }) => _typeName);
}

async function listFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => relative(root, join(entry.parentPath, entry.name)) + (entry.isDirectory() ? '/' : ''))
    .filter((path) => !path.split('/').some((name) => name.startsWith('.viv-')))
    .toSorted();
}
