// A simulated host: answers what vCenter asks of a host, from memory, at the speed and with the faults that it is told.
import { type Clock, delay, type Random } from '@vivarium/base';
import {
  checkPowerState,
  type EventSubject,
  type GuestFacts,
  type HostView,
  hostHardware,
  hostRuntime,
  hostSummary,
  type VmRequest,
  vmEvent,
  vmReconfigured,
  vmRenamed,
} from '@vivarium/host/view';
import type { HostNews, HostUpdate } from '@vivarium/vcenter';
import {
  type Event,
  isA,
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  make,
  moRef,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { applyConfigSpec, type SpecEnvironment } from '@vivarium/vmx';
import type { Interner } from './interner.ts';
import { SimNetwork } from './sim-network.ts';
import { SimPools } from './sim-pools.ts';
import { performanceMethod, type SimPerformance } from './sim-statistics.ts';
import { disksOf, type SimVmState, started, stopped, suspended, vmProperties } from './sim-vm.ts';

export interface SimDatastore {
  readonly name: string;
  /** The same URL on several hosts is one datastore. */
  readonly url: string;
  readonly capacityBytes: number;
}

export interface SimHostOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly interner: Interner;
  readonly view: HostView;
  readonly datastores: readonly SimDatastore[];
  readonly networks: readonly string[];
  /** How long a task takes, in milliseconds, by method. */
  readonly taskMs: (method: string) => number;
  /** A fault that a call is to fail with. */
  readonly faultOf?: (method: string, vm: string | undefined) => MethodFault | undefined;
  /** What a VM's guest says when it has started. */
  readonly guestOf: (vm: MoRef<'VirtualMachine'>, config: SimVmState['config']) => GuestFacts;
}

const HOST = moRef('HostSystem', 'ha-host');
const MACHINE_TYPES = { q35: 'pc-q35-11.0', pc: 'pc-i440fx-11.0' } as const;

type Method = (vm: SimVmState, args: Record<string, unknown>) => unknown;

export class SimHost {
  readonly options: SimHostOptions;
  readonly pools = new SimPools();
  readonly #vms = new Map<string, SimVmState>();
  /** Descriptors of disks that VMs have, by path. */
  readonly #disks = new Map<string, number>();
  /** .vmx files of VMs that were unregistered, by path. */
  readonly #shelf = new Map<string, SimVmState['config']>();
  readonly #listeners = new Set<(news: HostNews) => void>();
  readonly #eventListeners = new Set<(event: Event) => void>();
  /** The operation that is being carried out: its events are one chain. */
  #chainId = 0;
  #lastEvent = 0;
  readonly #startedMs: number;
  readonly #seed: number;
  readonly #network: SimNetwork;
  #lastVm = 0;
  #inMaintenanceMode = false;
  readonly #methods: Readonly<Record<string, Method>> = {
    PowerOnVM_Task: (vm) => this.#start(vm),
    PowerOffVM_Task: (vm) => this.#put(stopped(this.#allowed(vm, 'powerOff')), 'VmPoweredOffEvent'),
    SuspendVM_Task: (vm) => this.#put(suspended(this.#allowed(vm, 'suspend'), this.options.clock), 'VmSuspendedEvent'),
    ResetVM_Task: (vm) => this.#put(this.#booted(this.#allowed(vm, 'reset')), 'VmResettingEvent'),
    ShutdownGuest: (vm) => this.#put(stopped(this.#allowed(vm, 'shutdownGuest')), 'VmGuestShutdownEvent'),
    RebootGuest: (vm) => this.#put(this.#booted(this.#allowed(vm, 'rebootGuest')), 'VmGuestRebootEvent'),
    StandbyGuest: (vm) => this.#put(suspended(this.#allowed(vm, 'suspend'), this.options.clock), 'VmSuspendedEvent'),
    ReconfigVM_Task: (vm, { spec }) => this.#reconfigure(vm, spec as VirtualMachineConfigSpec),
    Rename_Task: (vm, { newName }) =>
      this.#reconfigure(vm, make('VirtualMachineConfigSpec', { name: String(newName) })),
    Destroy_Task: (vm) => this.#remove(this.#allowed(vm, 'destroy')),
    UnregisterVM: (vm) => {
      const gone = this.#allowed(vm, 'unregister');
      this.#shelf.set(gone.config.files.vmPathName ?? '', gone.config);
      this.#remove(gone);
    },
    RefreshStorageInfo: () => undefined,
    Reload: () => undefined,
  };

  constructor(options: SimHostOptions) {
    this.options = options;
    this.#network = new SimNetwork(options.networks);
    this.#startedMs = options.clock.now();
    this.#seed = Number.parseInt(options.view.facts.uuid.slice(-6), 16) || 0;
  }

  get vms(): readonly SimVmState[] {
    return [...this.#vms.values()];
  }

  /** Makes a VM at once, as CreateVM_Task does in its time. Faults: those of CreateVM_Task. */
  create(spec: VirtualMachineConfigSpec): SimVmState {
    this.#requireFreeName(spec.name ?? '');
    const { config } = applyConfigSpec(undefined, spec, this.#environment('poweredOff'));
    return this.#add(this.options.interner.share(config));
  }

  /** What `create` would make of a specification, without making it. */
  planVm(spec: VirtualMachineConfigSpec): SimVmState['config'] {
    return applyConfigSpec(undefined, spec, this.#environment('poweredOff')).config;
  }

  /** A VM of a configuration that is worked out already, on one of this host's datastores. */
  adopt(config: SimVmState['config']): SimVmState {
    return this.#add(config);
  }

  /** A method of its HostNetworkSystem, at once. */
  changeNetwork(method: string, args: Readonly<Record<string, unknown>>): void {
    const isInUse = (portGroup: string) => this.vms.some(({ config }) => isOn(config, portGroup));
    const { added, removed } = this.#network.change(method, args, isInUse);
    const changes = asChanges(this.#hostProperties(), ['config', 'network']);
    this.#news(
      ...(added === undefined ? [] : [enterNetwork(added)]),
      ...(removed === undefined
        ? []
        : [{ kind: 'leave', ref: moRef('Network', `HaNetwork-${removed}`), changes: [] } as const]),
      { kind: 'modify', ref: HOST, changes },
    );
  }

  powerOn(vm: SimVmState): void {
    this.#start(vm);
  }

  /** A call that ends at once, or (for tasks) after its time. Faults as the real host's. */
  async perform(
    target: ManagedObjectReference,
    method: string,
    args: Record<string, unknown>,
    { signal, chainId = 0 }: { readonly signal?: AbortSignal; readonly chainId?: number } = {},
  ): Promise<unknown> {
    const vm = target.type === 'VirtualMachine' ? this.#vms.get(target.value) : undefined;
    const takesMs = this.options.taskMs(method);
    if (takesMs > 0) await delay(this.options.clock, takesMs, signal);
    const fault = this.options.faultOf?.(method, vm?.config.name);
    if (fault) throw fault;
    this.#chainId = chainId; // nothing below waits
    if (target.type === 'VirtualMachine') {
      const now = this.#vms.get(target.value);
      if (!now) throw new MethodFault('ManagedObjectNotFound', { obj: target as MoRef });
      const run = this.#methods[method];
      if (!run) throw new MethodFault('NotSupported');
      return run(now, args);
    }
    if (target.type === 'HostNetworkSystem') return this.changeNetwork(method, args);
    if (target.type === 'ResourcePool') return this.pools.perform(target.value, method, args);
    if (target.type === 'PerformanceManager') return performanceMethod(this.#performance(), method, args);
    if (method === 'CreateVM_Task') return reference(this.create(args['config'] as VirtualMachineConfigSpec).ref);
    if (method === 'RegisterVM_Task') return this.#register(String(args['path']), args['name'] as string | undefined);
    if (method === 'EnterMaintenanceMode_Task') return this.#setMaintenance(true);
    if (method === 'ExitMaintenanceMode_Task') return this.#setMaintenance(false);
    if (method === 'ReleaseManagement') return undefined; // there is one vCenter
    if (method === 'RefreshDatastore' || method === 'RefreshDatastoreStorageInfo') return undefined;
    throw new MethodFault('NotSupported');
  }

  #performance(): SimPerformance {
    const { clock, view } = this.options;
    return {
      nowMs: clock.now(),
      startedMs: this.#startedMs,
      seed: this.#seed,
      cpuMhz: view.facts.cpuMhz,
      cores: view.facts.cores,
      memoryBytes: view.facts.memoryBytes,
      vms: this.vms,
    };
  }

  /** Everything, then what changes, until it is stopped. */
  listen(listener: (news: HostNews) => void): () => void {
    this.#listeners.add(listener);
    listener({ updates: this.#everything(), isPartial: false });
    return () => void this.#listeners.delete(listener);
  }

  onEvent(listener: (event: Event) => void): () => void {
    this.#eventListeners.add(listener);
    return () => void this.#eventListeners.delete(listener);
  }

  #post(vm: SimVmState, event: object): void {
    if (this.#eventListeners.size === 0) return;
    this.#lastEvent += 1;
    const common = {
      key: this.#lastEvent,
      chainId: this.#chainId,
      createdTime: new Date(this.options.clock.now()).toISOString(),
      userName: '',
      vm: make('VmEventArgument', { name: vm.config.name, vm: vm.ref }),
    };
    for (const listener of this.#eventListeners) listener({ ...event, ...common } as unknown as Event);
  }

  #subject(vm: SimVmState): EventSubject {
    return { host: { ref: HOST, name: this.options.name }, ref: vm.ref, name: vm.config.name };
  }

  #environment(powerState: SimVmState['power']): SpecEnvironment {
    const { datastores, random, view } = this.options;
    return {
      datastores: datastores.map(({ name, url }) => ({ name, url, ref: moRef('Datastore', name), volumeNames: [] })),
      networks: this.#network.names.map((name) => ({ name, ref: moRef('Network', `HaNetwork-${name}`) })),
      findDisk: (path) => {
        const capacityBytes = this.#disks.get(path);
        if (capacityBytes === undefined) return undefined;
        return { capacityBytes, provisioning: 'thin', adapter: 'lsilogic', uuid: '', contentId: 'fffffffe' };
      },
      exists: (path) => this.#disks.has(path) || this.#shelf.has(path),
      now: new Date(this.options.clock.now()).toISOString(),
      random,
      powerState,
      defaultDatastore: datastores[0]?.name ?? '',
      limits: {
        numCPUs: view.facts.threads,
        memoryMB: Math.floor(view.facts.memoryBytes / 2 ** 20),
        hostThreads: view.facts.threads,
      },
      machineTypes: MACHINE_TYPES,
    };
  }

  #add(config: SimVmState['config']): SimVmState {
    this.#lastVm += 1;
    const state: SimVmState = {
      ref: moRef('VirtualMachine', String(this.#lastVm)),
      config,
      power: 'poweredOff',
      guest: undefined,
      bootTime: undefined,
      suspendTime: undefined,
      cpuMhz: this.options.view.facts.cpuMhz,
      load: { cpuUsageMhz: 0, memoryMB: 0 },
    };
    this.#keepDisks(config);
    this.#vms.set(state.ref.value, state);
    this.#tell('enter', state);
    return state;
  }

  #register(path: string, name: string | undefined): unknown {
    const config = this.#shelf.get(path);
    if (!config) throw new MethodFault('NotFound');
    this.#requireFreeName(name ?? config.name);
    this.#shelf.delete(path);
    return reference(this.#add(name === undefined ? config : { ...config, name }).ref);
  }

  #reconfigure(vm: SimVmState, spec: VirtualMachineConfigSpec): void {
    if (spec.name !== undefined && spec.name !== vm.config.name) this.#requireFreeName(spec.name);
    const { config } = applyConfigSpec(vm.config, spec, this.#environment(vm.power));
    this.#keepDisks(config);
    const changed = { ...vm, config: this.options.interner.share(config) };
    this.#put(changed);
    const isRenamed = vm.config.name !== config.name;
    if (isRenamed) this.#post(changed, vmRenamed(this.#subject(changed), vm.config.name, config.name));
    else this.#post(changed, vmReconfigured(this.#subject(changed), spec));
  }

  #start(vm: SimVmState): void {
    if (this.#inMaintenanceMode) throw new MethodFault('InvalidState', {}, 'the host is in maintenance mode');
    this.#put(this.#booted(this.#allowed(vm, 'powerOn')), 'VmPoweredOnEvent');
  }

  #booted(vm: SimVmState): SimVmState {
    const { clock, guestOf } = this.options;
    const { memoryMB, numCPU } = vm.config.hardware;
    const load = { cpuUsageMhz: Math.round((vm.cpuMhz * numCPU) / 20), memoryMB: Math.floor(memoryMB / 2) };
    return { ...started(vm, clock, guestOf(vm.ref, vm.config)), load };
  }

  #allowed(vm: SimVmState, request: VmRequest): SimVmState {
    checkPowerState(request, vm.power);
    return vm;
  }

  #put(vm: SimVmState, event?: Parameters<typeof vmEvent>[0]): void {
    const former = this.#vms.get(vm.ref.value);
    this.#vms.set(vm.ref.value, vm);
    this.#tell('modify', vm, former);
    if (event) this.#post(vm, vmEvent(event, this.#subject(vm)));
  }

  #remove(vm: SimVmState): void {
    this.#vms.delete(vm.ref.value);
    this.pools.vmRemoved(vm.ref.value);
    for (const { backing } of disksOf(vm.config)) {
      if (isA('VirtualDeviceFileBackingInfo', backing)) this.#disks.delete(backing.fileName);
    }
    this.#news({ kind: 'leave', ref: vm.ref, changes: [] });
  }

  #keepDisks(config: SimVmState['config']): void {
    for (const { backing, capacityInKB } of disksOf(config)) {
      if (isA('VirtualDeviceFileBackingInfo', backing)) this.#disks.set(backing.fileName, capacityInKB * 1024);
    }
  }

  #requireFreeName(name: string): void {
    const holder = this.vms.find(({ config }) => config.name === name);
    if (holder) throw new MethodFault('DuplicateName', { name, object: holder.ref });
  }

  #setMaintenance(isIn: boolean): void {
    if (isIn === this.#inMaintenanceMode) throw new MethodFault('InvalidState');
    if (isIn && this.vms.some(({ power }) => power === 'poweredOn')) {
      throw new MethodFault('Timedout', {}, 'VMs run on the host');
    }
    this.#inMaintenanceMode = isIn;
    this.#news({ kind: 'modify', ref: HOST, changes: asChanges(this.#hostProperties(), ['runtime', 'summary']) });
  }

  #tell(kind: 'enter' | 'modify', vm: SimVmState, former?: SimVmState): void {
    if (this.#listeners.size === 0) return;
    const { clock } = this.options;
    const now = vmProperties(vm, clock);
    const names = former && vm.config === former.config ? AFTER_POWER : Object.keys(now);
    this.#news({ kind, ref: vm.ref, changes: asChanges(now, names) });
  }

  #news(...updates: HostUpdate[]): void {
    for (const listener of this.#listeners) listener({ updates, isPartial: false });
  }

  #hostProperties(): Readonly<Record<string, unknown>> {
    const { view, datastores } = this.options;
    const runtime = { ...hostRuntime(view), inMaintenanceMode: this.#inMaintenanceMode };
    return {
      name: this.options.name,
      runtime,
      summary: { ...hostSummary(view), runtime },
      hardware: hostHardware(view),
      overallStatus: 'green',
      configStatus: 'green',
      config: make('HostConfigInfo', { host: HOST, product: view.about, network: this.#network.info() }),
      datastore: datastores.map(({ name }) => moRef('Datastore', name)),
      network: this.#network.names.map((name) => moRef('Network', `HaNetwork-${name}`)),
    };
  }

  #everything(): HostUpdate[] {
    const { datastores, clock, interner } = this.options;
    const enter = (ref: ManagedObjectReference, said: Readonly<Record<string, unknown>>): HostUpdate => ({
      kind: 'enter',
      ref,
      changes: asChanges(said, Object.keys(said)),
    });
    return [
      enter(HOST, interner.share(this.#hostProperties())),
      ...datastores.map((datastore) => enter(moRef('Datastore', datastore.name), this.#datastore(datastore))),
      ...this.#network.names.map(enterNetwork),
      ...this.vms.map((vm) => enter(vm.ref, vmProperties(vm, clock))),
    ];
  }

  #datastore({ name, url, capacityBytes }: SimDatastore): Readonly<Record<string, unknown>> {
    const ref = moRef('Datastore', name);
    const used = this.vms.reduce(
      (sum, { config }) => sum + disksOf(config).reduce((bytes, disk) => bytes + disk.capacityInKB * 1024, 0) / 10,
      0,
    );
    const freeSpace = Math.max(0, Math.floor(capacityBytes - used));
    const limits = { maxFileSize: 64 * 2 ** 40, maxMemoryFileSize: 64 * 2 ** 40, maxVirtualDiskCapacity: 62 * 2 ** 40 };
    return {
      name,
      overallStatus: 'green',
      configStatus: 'green',
      summary: make('DatastoreSummary', {
        datastore: ref,
        name,
        url,
        capacity: capacityBytes,
        freeSpace,
        accessible: true,
        multipleHostAccess: false,
        type: 'VMFS',
        maintenanceMode: 'normal',
      }),
      info: make('VmfsDatastoreInfo', {
        name,
        url,
        freeSpace,
        ...limits,
        maxPhysicalRDMFileSize: 64 * 2 ** 40,
        maxVirtualRDMFileSize: 62 * 2 ** 40,
      }),
      capability: make('DatastoreCapability', {
        directoryHierarchySupported: true,
        rawDiskMappingsSupported: false,
        perFileThinProvisioningSupported: true,
        storageIORMSupported: false,
        nativeSnapshotSupported: false,
      }),
      host: [
        make('DatastoreHostMount', {
          key: HOST,
          mountInfo: make('HostMountInfo', {
            path: url.replace(/^ds:\/\//, '').replace(/\/$/, ''),
            accessMode: 'readWrite',
            mounted: true,
            accessible: true,
          }),
        }),
      ],
    };
  }
}

const AFTER_POWER = ['runtime', 'guest', 'guestHeartbeatStatus', 'summary', 'overallStatus'] as const;

function enterNetwork(name: string): HostUpdate {
  const ref = moRef('Network', `HaNetwork-${name}`);
  const summary = make('NetworkSummary', { network: ref, name, accessible: true, ipPoolName: '' });
  const said = { name, summary, overallStatus: 'green', configStatus: 'green' };
  return { kind: 'enter', ref, changes: asChanges(said, Object.keys(said)) };
}

/** Whether a card is on the port group. */
function isOn({ hardware }: SimVmState['config'], portGroup: string): boolean {
  return (hardware.device ?? []).some(
    ({ backing }) => isA('VirtualEthernetCardNetworkBackingInfo', backing) && backing.deviceName === portGroup,
  );
}

function asChanges(said: Readonly<Record<string, unknown>>, names: readonly string[]) {
  return names.map((name) => ({ name, value: said[name] }));
}

function reference(ref: ManagedObjectReference): object {
  return { _typeName: 'ManagedObjectReference', ...ref };
}
