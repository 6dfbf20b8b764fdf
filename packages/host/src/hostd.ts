// hostd, put together: what the daemon is made of and in which order it comes and goes.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { uptime } from 'node:os';
import type { Clock, Logger, Random } from '@vivarium/base';
import { writeDurable } from '@vivarium/base/node';
import { identifyProcess } from '@vivarium/qemu';
import { openSqliteStore } from '@vivarium/store';
import { type Event, MethodFault, moRef } from '@vivarium/vim';
import { browseLog, logDescriptor, Service, type UserDirectory } from '@vivarium/vmomi';
import { aboutHost } from './about.ts';
import { addAutoStartManager } from './auto-start-manager/auto-start-manager.ts';
import { addCertificateManager } from './certificate-manager/certificate-manager.ts';
import { consoleTickets } from './console/console-tickets.ts';
import { SerialBridges } from './console/serial-bridges.ts';
import { VncDoors } from './console/vnc-doors.ts';
import { HOST_BROWSER } from './datastore/datastore-objects.ts';
import { addDateTimeSystem } from './date-time-system/date-time-system.ts';
import { environmentBrowserMethods } from './environment-browser/environment-browser-methods.ts';
import { graphSurroundings } from './environment-browser/graph-surroundings.ts';
import { addFirewallSystem } from './firewall-system/firewall-system.ts';
import { ensureAdministrator, hostUuid } from './first-start.ts';
import { hostCapability } from './host-system/host-capability.ts';
import { hostMethods } from './host-system/host-methods.ts';
import { publishHost } from './host-system/host-object.ts';
import { MaintenanceMode } from './host-system/maintenance-mode.ts';
import { Management } from './host-system/management.ts';
import { buildTree } from './inventory/build-tree.ts';
import { refs } from './inventory/refs.ts';
import { VmUsers } from './inventory/vm-users.ts';
import type { HostMachine } from './machine/host-machine.ts';
import { openLinuxMachine } from './machine/linux-machine.ts';
import { adoptPorts } from './network/adopt-ports.ts';
import { mainAddress } from './network/machine/machine-network.ts';
import { networksOf } from './network-object/networks-of.ts';
import { publishNetwork } from './network-system/publish-network.ts';
import { publishImports } from './nfc/publish-imports.ts';
import { type HostdOptions, statePaths } from './options.ts';
import { hostCapacity } from './resource-pool/host-capacity.ts';
import { poolRef } from './resource-pool/pool-record.ts';
import { publishPools } from './resource-pool/publish-pools.ts';
import { ResourcePools } from './resource-pool/resource-pools.ts';
import { addServiceSystem } from './service-system/service-system.ts';
import { HostStatistics } from './statistics/host-statistics.ts';
import { Sampler } from './statistics/sampler.ts';
import { openStorage, publishStorage } from './storage.ts';
import { countAdapters } from './storage-system/storage-device-info.ts';
import { addStorageSystem } from './storage-system/storage-system.ts';
import { HostCertificates } from './tls/host-certificates.ts';
import { ensureVcenterAccount, vcenterLogin } from './tls/vcenter-login.ts';
import { PublishedVms } from './virtual-machine/published-vms.ts';
import { datastoresOf } from './virtual-machine/vm-object.ts';
import { addVirtualNicManager } from './virtual-nic-manager/virtual-nic-manager.ts';
import { surroundingsOf } from './vm/surroundings.ts';
import type { Vm } from './vm/vm.ts';
import type { VmHost } from './vm/vm-host.ts';
import { VmRegistry } from './vm/vm-registry.ts';
import { vmFolderMethods } from './vm-folder/vm-folder-methods.ts';
import { openWeb } from './web.ts';

const MACHINE_TYPES = { q35: 'pc-q35-11.0', pc: 'pc-i440fx-11.0' } as const;
export interface HostdContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly version: string;
  /** Default: the Linux machine that hostd runs on. */
  readonly machine?: HostMachine;
  /** Who may log in; default: the accounts kept in the store. */
  readonly users?: UserDirectory;
}

export interface Hostd {
  readonly port: number;
  readonly service: Service;
  /** Stops serving. Guests run on; when there are none the network goes too. */
  close(): Promise<void>;
}

export async function startHostd(options: HostdOptions, context: HostdContext): Promise<Hostd> {
  const { clock, random, log } = context;
  const paths = statePaths(options.stateDir);
  await using undo = new AsyncDisposableStack();
  await mkdir(paths.run, { recursive: true, mode: 0o700 });
  const store = openSqliteStore(paths.database);
  undo.defer(() => store.close());
  const certificates = await HostCertificates.open({ directory: paths.tls, store, clock, random });
  const ownUuid = await hostUuid(store, random);
  const machine = context.machine ?? (await openLinuxMachine(options, { store, ownUuid }, context));
  undo.defer(() => machine.release());
  const { facts, verdict, network } = machine;

  const about = aboutHost(context.version);
  const statistics = HostStatistics.open(paths.statistics, log);
  undo.defer(() => statistics.close());
  const service = new Service({
    clock,
    random,
    log,
    store,
    about,
    instance: 'HostAgent',
    rootFolder: refs.rootFolder,
    statistics,
    certificateLogin: vcenterLogin({ certificates, clock, log }),
    ...(context.users ? { users: context.users } : {}),
  });
  undo.defer(() => service.close());
  await ensureAdministrator(service, options);
  await ensureVcenterAccount(service);

  const vms: { registry?: VmRegistry } = {};
  const use = { inUse: () => (vms.registry?.all ?? []).flatMap((vm) => vm.filesInUse()) };
  const first = { name: options.datastore ?? 'datastore1', root: paths.datastore };
  const storage = await openStorage({ clock, random, log, store, first, images: machine.images, use });
  undo.defer(() => storage.close());

  const limits = {
    numCPUs: Math.max(1, facts.threads),
    memoryMB: Math.floor(facts.memoryBytes / 2 ** 20),
    hostThreads: facts.threads,
  };
  const capacity = hostCapacity(facts);
  const pools = new ResourcePools({ store, clock, log, capacity, cpuMhz: facts.cpuMhz, groups: machine.groups });
  const isIdle = () => (vms.registry?.all ?? []).every((vm) => vm.power !== 'poweredOn');
  const maintenance = new MaintenanceMode({ store, clock, isIdle });
  const management = new Management(store);
  const host: VmHost = {
    clock,
    random,
    log,
    ref: refs.host,
    name: options.name,
    cpuMhz: facts.cpuMhz,
    accelerator: verdict.accelerator,
    cpuModel: verdict.accelerator === 'kvm' ? 'host' : 'max',
    machineTypes: MACHINE_TYPES,
    limits,
    defaultDatastore: first.name,
    network,
    resources: pools,
    maintenance,
    disks: storage.disks,
    paths: storage.paths,
    surroundings: () => surroundingsOf(storage, network),
    post: (event) => void service.events.post(event as unknown as Event & { _typeName: 'Event' }),
    journal: {
      begin: (id, change) => registry.journal.begin(id, change),
      end: (id) => registry.journal.end(id),
    },
    vmms: machine.vmms((file) => storage.paths.rootOf(file)),
  };

  buildTree(service.graph, vmFolderMethods({ service, registry: () => registry }));
  const tickets = consoleTickets({ clock, random });
  const endpoint = {
    port: options.listen.port,
    get sslThumbprint() {
      return certificates.identity.thumbprint;
    },
  };
  const hostLimits = { maxRunningVms: 1024, maxVcpus: limits.numCPUs, maxVmMemoryMB: limits.memoryMB };
  const imports = publishImports({
    service,
    datastores: storage.datastores,
    endpoint: () => endpoint,
    host: {
      async createVm(spec, { value: pool }, call, { also, task }) {
        const request = { userName: call.session.userName, progress: () => undefined };
        using locks = new DisposableStack();
        const made = (vm: Vm) => void locks.use(vm.hold(task));
        const { ref } = await registry.create(request, spec, { pool, also, made });
        return { ref, lock: locks.move() };
      },
      async destroyVm({ value }) {
        const vm = registry.find(value);
        if (vm) await registry.destroy({ progress: () => undefined }, vm);
      },
    },
  });
  undo.defer(() => imports.close());
  const sampler = new Sampler({
    clock,
    log,
    host: refs.host,
    poolsOf: (vm) => pools.around(vm.id).map(poolRef),
    facts,
    network,
    readMachine: machine.readUsage,
    vms: () => (vms.registry?.all ?? []).filter((vm) => vm.power === 'poweredOn'),
    sampled(timeMs, figures) {
      statistics.record(timeMs, figures);
      published.refresh();
      publishedPools.refresh();
    },
  });
  undo.defer(() => sampler.stop());
  pools.listen({ removed: ({ id }) => statistics.forget(poolRef(id)) });
  const publishedPools = publishPools({
    service,
    pools,
    hostName: options.name,
    post: (event) => host.post(event),
    registry: () => registry,
    vms: () => vms.registry?.all ?? [],
    importVApp: (pool, { spec }, call) => imports.importVApp(pool, spec, call),
  });
  const published = publishHost({
    service,
    usage: () => sampler.usage,
    capacity,
    maintenance,
    management,
    methods: hostMethods({ service, name: options.name, maintenance, management, uptime: () => Math.floor(uptime()) }),
    name: options.name,
    port: () => endpoint.port,
    facts,
    about,
    limits: hostLimits,
    nics: network.adapters().length,
    details: machine.details,
    hbas: countAdapters(machine.readBlockDevices()),
    certificates,
    options: [
      { key: 'Vivarium.Accelerator', value: verdict.accelerator },
      { key: 'Vivarium.AcceleratorDetail', value: verdict.detail },
    ],
  });
  service.graph.add(
    refs.environmentBrowser,
    { datastoreBrowser: HOST_BROWSER },
    environmentBrowserMethods({
      ...graphSurroundings(service),
      limits,
      capability: hostCapability(hostLimits),
    }),
  );
  const autoStart = addAutoStartManager({ service, store, findVm: (id) => registry.find(id) });
  addCertificateManager({
    service,
    certificates,
    name: options.name,
    address: () => mainAddress(machine.readNetwork())?.address,
  });
  addDiagnosticManager(service, paths.log);
  const publishedStorage = publishStorage(service, storage, use);
  const publishedNetwork = publishNetwork({
    service,
    network,
    store,
    name: options.name,
    post: (event) => host.post(event),
    readMachine: machine.readNetwork,
  });
  undo.defer(() => publishedNetwork.stop());
  undo.defer(addMachineManagers(service, machine));

  const vncDoors = new VncDoors({ address: options.listen.address, log });
  undo.defer(() => vncDoors.close());
  const serialBridges = new SerialBridges({ address: options.listen.address, clock, log });
  undo.defer(() => serialBridges.close());
  const networkUsers = new VmUsers();
  const datastoreUsers = new VmUsers();
  const showUsers = (
    vm: Vm,
    places: { readonly networks: readonly string[]; readonly datastores: readonly string[] },
  ) => {
    if (networkUsers.set(vm.ref, places.networks)) publishedNetwork.setUsers(networkUsers.all);
    if (datastoreUsers.set(vm.ref, places.datastores)) publishedStorage.setUsers(datastoreUsers.all);
  };
  const publishedVms = new PublishedVms({
    service,
    registry: () => registry,
    tickets,
    endpoint,
    pools,
    publishedPools,
    followers: [
      { follow: (vm, isRunning) => void vncDoors.follow(vm, isRunning), removed: ({ id }) => vncDoors.drop(id) },
      { follow: (vm, isRunning) => serialBridges.follow(vm, isRunning), removed: ({ id }) => serialBridges.drop(id) },
      { follow: (vm, isRunning) => sampler.follow(vm, isRunning), removed: (vm) => sampler.follow(vm, false) },
      { follow: () => maintenance.settle(), removed: (vm) => statistics.forget(vm.ref) },
      {
        follow: (vm) =>
          showUsers(vm, {
            networks: networksOf(vm.config),
            datastores: datastoresOf(vm).map(({ value }) => value),
          }),
        removed: (vm) => showUsers(vm, { networks: [], datastores: [] }),
      },
    ],
  });
  const registry: VmRegistry = new VmRegistry(host, store, {
    added(vm) {
      publishedStorage.touched(vm.vmxFile);
      return publishedVms.added(vm);
    },
    removed(vm) {
      publishedVms.removed(vm);
      publishedStorage.touched(vm.vmxFile);
    },
    broken: (vm) => publishedVms.broken(vm),
    mended: (vm) => publishedVms.mended(vm),
  });
  vms.registry = registry;
  await registry.load();
  await pools.start(new Set(registry.refs.map(({ value }) => value)));
  publishedVms.loaded();
  await imports.undoAbandoned();
  undo.defer(() => registry.release());
  await adoptPorts(
    network,
    registry.all.flatMap((vm) => vm.switchPorts()),
    log,
  );
  const stopSpace = storage.paths.onSpace(() => {
    for (const vm of registry.all) void vm.spaceReturned();
  });
  undo.defer(stopSpace);

  const vncSocket = (id: string) => registry.find(id)?.vncSocket;
  const screenshot = (id: string, userName: string) => {
    const vm = registry.find(id);
    if (!vm) throw new MethodFault('ManagedObjectNotFound', { obj: moRef('VirtualMachine', id) });
    return vm.screenshot({ userName, progress: () => undefined });
  };
  const web = await openWeb({
    listen: options.listen,
    certificates,
    service,
    storageApi: publishedStorage.api,
    imports,
    disks: storage.disks,
    tickets,
    vncSocket,
    countConsole: (id, change) => registry.find(id)?.countConsole(change),
    screenshot,
    log,
  });
  undo.defer(() => web.close());
  endpoint.port = web.port;
  published.refresh();
  await writeReady(paths.ready, web.port, options.listen.address);
  log.info({ port: web.port, vms: registry.all.length }, 'hostd is ready');
  const ending = new AbortController();
  undo.defer(() => ending.abort());
  autoStart.obey(await bootId(), ending.signal).catch((error: unknown) => {
    if (!ending.signal.aborted) log.warn({ err: error }, 'not every VM could be started with the host');
  });
  const stack = undo.move();
  return {
    port: web.port,
    service,
    async close() {
      const isIdle = registry.all.every((vm) => vm.power !== 'poweredOn');
      await stack.disposeAsync();
      if (!isIdle) return;
      await machine.tearDown();
      await rm(paths.ready, { force: true });
    },
  };
}

/** What the host tells of its machine and does not change. Returns the way to stop. */
function addMachineManagers(service: Service, machine: HostMachine): () => void {
  const storage = addStorageSystem({ service, readDevices: () => machine.readBlockDevices() });
  addServiceSystem(service, () => machine.readServices());
  addDateTimeSystem(service, () => machine.readTimeSource());
  addFirewallSystem(service);
  const stopNics = addVirtualNicManager(service);
  return () => {
    storage.stop();
    stopNics();
  };
}

function addDiagnosticManager(service: Service, file: string): void {
  const [label, summary] = ['Management agent log', 'Log of the host daemon, one JSON record a line'];
  const log = { key: 'hostd', file, creator: 'hostd', label, summary };
  const diagnosticManager = moRef('DiagnosticManager', 'ha-diagnosticmgr');
  service.graph.add(
    diagnosticManager,
    {},
    { QueryDescriptions: () => [logDescriptor(log)], BrowseDiagnosticLog: (args) => browseLog(log, args) },
  );
  service.extendContent({ diagnosticManager });
}

/** The file stays as long as anything of the host may run: when hostd ends before its guests, others can tell. */
async function writeReady(file: string, port: number, address: string): Promise<void> {
  const startTime = String(identifyProcess(process.pid)?.startTime ?? '');
  const boot = await bootId();
  await writeDurable(file, JSON.stringify({ pid: process.pid, startTime, boot, port, address }), 0o644);
}

/** Of the machine. */
async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
