// A simulated host: answers what vCenter asks of a host, from memory, at the speed and with the faults that it is told.
import { type Clock, dateTime, delay, type Random } from '@vivarium/base';
import {
  checkPowerState,
  type EventSubject,
  environmentBrowserMethods,
  fileSystemVolumes,
  type GuestFacts,
  type HostView,
  hostCapability,
  hostHardware,
  hostRuntime,
  hostSummary,
  keyStrokes,
  type VmRequest,
  vmEvent,
  vmReconfigured,
  vmRenamed,
} from '@vivarium/host/view';
import type { FolderAnswer, FolderRequest, HostNews, HostUpdate } from '@vivarium/vcenter';
import {
  type Event,
  type HostCertificateManagerCertificateInfo,
  isA,
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  make,
  moRef,
  type UsbScanCodeSpec,
  type VirtualDiskFlatVer2BackingInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import type { Settings } from '@vivarium/vmomi';
import { applyConfigSpec, type DiskProvisioning, type SpecEnvironment } from '@vivarium/vmx';
import type { Derived } from './derived.ts';
import { FILE_OBJECTS, type FileWorld, fileMethod } from './file-methods.ts';
import { folderRequest } from './folder-request.ts';
import { HostManagers } from './host-managers.ts';
import type { Interner } from './interner.ts';
import { newDatastore } from './new-datastore.ts';
import { datastoreProperties, datastoreRef, type SimDatastore } from './sim-datastore.ts';
import { parentOf, type SimEntry, type SimFiles } from './sim-files.ts';
import type { SimMachine } from './sim-machine.ts';
import { SimNetwork } from './sim-network.ts';
import { SimPools } from './sim-pools.ts';
import { performanceMethod, type SimPerformance } from './sim-statistics.ts';
import { disksOf, type SimVmState, started, stopped, suspended, vmProperties } from './sim-vm.ts';

export interface SimHostOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly interner: Interner;
  readonly view: HostView;
  readonly machine: SimMachine;
  readonly datastores: readonly SimDatastore[];
  /** The files of a datastore that comes over the network, by where it is: all hosts see the same. */
  readonly sharedFiles: (name: string, url: string) => SimFiles;
  readonly derived: Derived;
  /** The host's certificate, and its advanced options as they come: the same for all. */
  readonly certificate: HostCertificateManagerCertificateInfo | undefined;
  readonly settings: Settings;
  /** How long a task takes, in milliseconds, by method. */
  readonly taskMs: (method: string) => number;
  /** A fault that a call is to fail with. */
  readonly faultOf?: (method: string, vm: string | undefined) => MethodFault | undefined;
  /** What a VM's guest says when it has started. */
  readonly guestOf: (vm: MoRef<'VirtualMachine'>, config: SimVmState['config']) => GuestFacts;
}

const HOST = moRef('HostSystem', 'ha-host');
const NETWORK_SYSTEM = moRef('HostNetworkSystem', 'ha-networksystem');
const LIMITS = { maxRunningVms: 1024, maxVcpus: 32, maxVmMemoryMB: 64 * 1024 };
/** Of a datastore that is made later. */
const DATASTORE_BYTES = 2 ** 40;
const MACHINE_TYPES = { q35: 'pc-q35-11.0', pc: 'pc-i440fx-11.0' } as const;

type Method = (vm: SimVmState, args: Record<string, unknown>) => unknown;

export class SimHost {
  readonly options: SimHostOptions;
  readonly pools = new SimPools();
  readonly #vms = new Map<string, SimVmState>();
  readonly #byName = new Map<string, string>();
  #datastores: readonly SimDatastore[] = [];
  readonly #managers: HostManagers;
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
    Destroy_Task: (vm) => this.#destroy(this.#allowed(vm, 'destroy')),
    UnregisterVM: (vm) => {
      this.#forget(this.#allowed(vm, 'unregister'));
    },
    PutUsbScanCodes: (vm, { spec }) => {
      checkPowerState('console', vm.power);
      return keyStrokes(spec as UsbScanCodeSpec).length;
    },
    RefreshStorageInfo: () => undefined,
    Reload: () => undefined,
  };

  constructor(options: SimHostOptions) {
    this.options = options;
    this.#network = new SimNetwork(options.machine.network);
    this.#managers = new HostManagers({
      ...options,
      volumes: () => options.derived.of(this.#datastores, volumesOf),
      datastores: () => this.#datastores.map(datastoreRef),
      network: () => this.#network.info(),
      isVm: ({ value }) => this.#vms.has(value),
    });
    this.#datastores = options.datastores;
    for (const datastore of options.datastores) this.#use(datastore);
    this.#startedMs = Date.parse(options.view.bootTime);
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
  changeNetwork(method: string, args: Readonly<Record<string, unknown>>): unknown {
    const answer = this.#network.query(method, args);
    if (answer !== undefined) return answer;
    const isInUse = (portGroup: string) => this.vms.some(({ config }) => isOn(config, portGroup));
    const { added, removed } = this.#network.change(method, args, isInUse);
    if (this.#listeners.size === 0) return undefined;
    this.#news(
      ...added.map(enterNetwork),
      ...removed.map((name) => ({ kind: 'leave', ref: networkRef(name), changes: [] }) as const),
      modified(HOST, this.#hostProperties(), ['config', 'network']),
      modified(NETWORK_SYSTEM, this.#network.properties()),
    );
    return method === 'UpdateNetworkConfig' ? { _typeName: 'HostNetworkConfigResult' } : undefined;
  }

  /** Makes a VM run that is as long up as its host: the simulator begins with a past. */
  powerOn(vm: SimVmState): void {
    this.#put({ ...this.#booted(this.#allowed(vm, 'powerOn')), bootTime: this.options.view.bootTime });
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
    if (FILE_OBJECTS.has(target.type)) return this.#fileMethod(target.type, method, args);
    if (target.type === 'EnvironmentBrowser') return this.#environmentMethod(method, args);
    if (target.type === 'HostDatastoreSystem') return this.#datastoreSystemMethod(method, args);
    if (target.type === 'Datastore') return this.#datastoreMethod(target.value, method, args);
    const managed = await this.#managers.perform(target, method, args);
    if (managed) {
      if (managed.isChanged) this.#managersChanged();
      return managed.result;
    }
    if (target.type === 'ResourcePool') return this.pools.perform(target.value, method, args);
    if (target.type === 'PerformanceManager') return performanceMethod(this.#performance(), method, args);
    if (method === 'CreateVM_Task') return reference(this.create(args['config'] as VirtualMachineConfigSpec).ref);
    if (method === 'RegisterVM_Task') return this.#register(String(args['path']), args['name'] as string | undefined);
    if (method === 'EnterMaintenanceMode_Task') return this.#setMaintenance(true);
    if (method === 'ExitMaintenanceMode_Task') return this.#setMaintenance(false);
    if (method === 'ReleaseManagement') return undefined; // there is one vCenter
    throw new MethodFault('NotSupported');
  }

  /** What the /folder door does on a real host. */
  folder(request: FolderRequest): Promise<FolderAnswer> {
    return folderRequest(this.#fileWorld(), request);
  }

  #fileWorld(): FileWorld {
    const { clock, random } = this.options;
    const filesOf = (datastore: string) => this.#datastores.find(({ name }) => name === datastore)?.files;
    return { nowMs: clock.now(), random, filesOf };
  }

  #fileMethod(type: string, method: string, args: Record<string, unknown>): unknown {
    const run = fileMethod(type, method);
    if (!run) throw new MethodFault('NotSupported');
    return run(this.#fileWorld(), args);
  }

  #environmentMethod(method: string, args: Record<string, unknown>): unknown {
    const handlers = environmentBrowserMethods({
      datastores: () => this.#datastores.map((one) => this.#datastoreProperties(one)),
      networks: () => this.#network.names.map(networkSummary),
      limits: this.#limits(),
      capability: this.options.derived.of(LIMITS, hostCapability),
    }) as Readonly<Record<string, ((args: Record<string, unknown>) => unknown) | undefined>>;
    const run = handlers[method];
    if (!run) throw new MethodFault('NotSupported');
    return run(args);
  }

  #datastoreSystemMethod(method: string, args: Record<string, unknown>): unknown {
    if (method === 'QueryAvailableDisksForVmfs' || method === 'QueryUnresolvedVmfsVolumes') return [];
    if (method === 'RemoveDatastore') return this.#unmount((args['datastore'] as ManagedObjectReference).value);
    const { clock, random } = this.options;
    const now = { random, capacityBytes: DATASTORE_BYTES, sharedFiles: this.options.sharedFiles };
    const made = newDatastore(method, args, now);
    if (!made) throw new MethodFault('NotSupported');
    if (this.#datastores.some(({ name }) => name === made.name)) {
      throw new MethodFault('DuplicateName', { name: made.name, object: datastoreRef(made) });
    }
    this.#datastores = [...this.#datastores, made];
    this.#use(made);
    this.#news({
      kind: 'enter',
      ref: datastoreRef(made),
      changes: changesOf(datastoreProperties(made, HOST, dateTime(clock))),
    });
    this.#managersChanged('datastore');
    return reference(datastoreRef(made));
  }

  #datastoreMethod(name: string, method: string, { newName }: Record<string, unknown>): unknown {
    const datastore = this.#datastores.find((one) => one.name === name);
    if (!datastore) throw new MethodFault('ManagedObjectNotFound', { obj: moRef('Datastore', name) });
    switch (method) {
      case 'RefreshDatastore':
      case 'RefreshDatastoreStorageInfo': {
        const properties = this.#datastoreProperties(datastore);
        return this.#news(modified(datastoreRef(datastore), properties, ['summary', 'info']));
      }
      case 'DestroyDatastore':
      case 'Destroy_Task':
        return this.#unmount(name);
      case 'RenameDatastore':
      case 'Rename_Task':
        // Its configurations name their files by its name; a real host refuses it while there are VMs on it.
        throw new MethodFault(
          'NotSupported',
          {},
          `a simulated datastore keeps its name, ${String(newName)} it cannot be`,
        );
      default:
        throw new MethodFault('NotSupported');
    }
  }

  /** Its files are in use by this host's VMs. */
  #use(datastore: SimDatastore): void {
    const vmOf = (holds: (vm: SimVmState) => boolean) => this.vms.find(holds);
    datastore.files.addUser({
      configOf: (path) => {
        const text = `[${datastore.name}] ${path}`;
        return vmOf(({ config }) => config.files.vmPathName === text)?.config;
      },
      isHeld: (path) => {
        const text = `[${datastore.name}] ${path}`;
        return vmOf((vm) => vm.power === 'poweredOn' && filesOf(vm.config).includes(text)) !== undefined;
      },
    });
  }

  /** Fault: ResourceInUse, when a VM is on it. */
  #unmount(name: string): void {
    if (!this.#datastores.some((one) => one.name === name)) throw new MethodFault('NotFound');
    if (this.vms.some(({ config }) => filesOf(config).some((path) => path.startsWith(`[${name}]`)))) {
      throw new MethodFault('ResourceInUse', { type: 'Datastore', name });
    }
    this.#datastores = this.#datastores.filter((one) => one.name !== name);
    this.#news({ kind: 'leave', ref: moRef('Datastore', name), changes: [] });
    this.#managersChanged('datastore');
  }

  #managersChanged(...besides: string[]): void {
    this.#news(
      modified(HOST, this.#hostProperties(), ['config', ...besides]),
      ...this.#managers.all().map(([ref, properties]) => modified(ref, properties)),
    );
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

  #limits() {
    const { threads, memoryBytes } = this.options.view.facts;
    return { numCPUs: threads, memoryMB: Math.floor(memoryBytes / 2 ** 20), hostThreads: threads };
  }

  #environment(powerState: SimVmState['power']): SpecEnvironment {
    const { random } = this.options;
    return {
      datastores: this.#datastores.map(({ name, url }) => ({
        name,
        url,
        ref: moRef('Datastore', name),
        volumeNames: [],
      })),
      networks: this.#network.names.map((name) => ({ name, ref: networkRef(name) })),
      findDisk: (path) => {
        const entry = this.#findFile(path);
        if (entry?.kind !== 'disk') return undefined;
        return { ...entry.disk, contentId: 'fffffffe' };
      },
      exists: (path) => this.#findFile(path) !== undefined,
      now: new Date(this.options.clock.now()).toISOString(),
      random,
      powerState,
      defaultDatastore: this.#datastores[0]?.name ?? '',
      limits: this.#limits(),
      machineTypes: MACHINE_TYPES,
    };
  }

  /** By the path as a configuration has it. */
  #findFile(text: string): SimEntry | undefined {
    const place = this.#place(text);
    return place?.files.find(place.path);
  }

  #place(text: string): { readonly files: SimFiles; readonly path: string } | undefined {
    const [, name, path = ''] = /^\[([^\]]*)\] ?(.*)$/s.exec(text) ?? [];
    const files = this.#datastores.find((datastore) => datastore.name === name)?.files;
    return files && { files, path };
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
    this.#putFile(config.files.vmPathName ?? '', {
      kind: 'vmx',
      modifiedMs: this.options.clock.now(),
      config: undefined,
    });
    this.#keepDisks(config);
    this.#vms.set(state.ref.value, state);
    this.#byName.set(config.name, state.ref.value);
    this.#tell('enter', state);
    return state;
  }

  #register(path: string, name: string | undefined): unknown {
    const place = this.#place(path);
    const entry = place?.files.find(place.path);
    if (!place || !entry) throw new MethodFault('NotFound');
    if (entry.kind === 'file')
      throw new MethodFault('NotSupported', {}, 'an uploaded configuration cannot be registered');
    if (entry.kind !== 'vmx') throw new MethodFault('InvalidVmConfig', { property: 'path' });
    const { config } = entry;
    if (!config) throw new MethodFault('AlreadyExists', { name: path });
    this.#requireFreeName(name ?? config.name);
    return reference(this.#add(name === undefined ? config : { ...config, name }).ref);
  }

  #reconfigure(vm: SimVmState, spec: VirtualMachineConfigSpec): void {
    if (spec.name !== undefined && spec.name !== vm.config.name) this.#requireFreeName(spec.name);
    const { config, effects } = applyConfigSpec(vm.config, spec, this.#environment(vm.power));
    this.#keepDisks(config);
    for (const effect of effects.cleanup) this.#dropFile(effect.path);
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
    if (former && former.config.name !== vm.config.name) {
      this.#byName.delete(former.config.name);
      this.#byName.set(vm.config.name, vm.ref.value);
    }
    this.#tell('modify', vm, former);
    if (event) this.#post(vm, vmEvent(event, this.#subject(vm)));
  }

  #destroy(vm: SimVmState): void {
    this.#remove(vm);
    const vmx = vm.config.files.vmPathName ?? '';
    for (const path of filesOf(vm.config)) this.#dropFile(path);
    const place = this.#place(vmx);
    if (place) place.files.removeIfEmpty(parentOf(place.path));
  }

  /** Its files stay, for whoever registers it. */
  #forget(vm: SimVmState): void {
    this.#remove(vm);
    const modifiedMs = this.options.clock.now();
    this.#putFile(vm.config.files.vmPathName ?? '', { kind: 'vmx', modifiedMs, config: vm.config });
  }

  #remove(vm: SimVmState): void {
    this.#vms.delete(vm.ref.value);
    if (this.#byName.get(vm.config.name) === vm.ref.value) this.#byName.delete(vm.config.name);
    this.pools.vmRemoved(vm.ref.value);
    this.#news({ kind: 'leave', ref: vm.ref, changes: [] });
  }

  #keepDisks(config: SimVmState['config']): void {
    const modifiedMs = this.options.clock.now();
    for (const { backing, capacityInKB } of disksOf(config)) {
      if (!isA('VirtualDiskFlatVer2BackingInfo', backing)) continue;
      const capacityBytes = capacityInKB * 1024;
      const known = this.#findFile(backing.fileName);
      if (known?.kind === 'disk' && known.disk.capacityBytes === capacityBytes) continue;
      const provisioning = provisioningOf(backing);
      const disk = { capacityBytes, provisioning, adapter: 'lsilogic', uuid: backing.uuid ?? '' } as const;
      this.#putFile(backing.fileName, {
        kind: 'disk',
        modifiedMs,
        disk: known?.kind === 'disk' ? { ...known.disk, capacityBytes } : disk,
      });
    }
  }

  #putFile(text: string, entry: SimEntry): void {
    const place = this.#place(text);
    if (place) place.files.putDeep(place.path, entry);
  }

  #dropFile(text: string): void {
    const place = this.#place(text);
    if (place?.files.find(place.path)) place.files.remove(place.path);
  }

  #requireFreeName(name: string): void {
    const holder = this.#byName.get(name);
    if (holder !== undefined) throw new MethodFault('DuplicateName', { name, object: moRef('VirtualMachine', holder) });
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
    const { view } = this.options;
    const runtime = { ...hostRuntime(view), inMaintenanceMode: this.#inMaintenanceMode };
    return {
      name: this.options.name,
      runtime,
      summary: { ...hostSummary(view), runtime },
      hardware: hostHardware(view),
      overallStatus: 'green',
      configStatus: 'green',
      capability: this.options.derived.of(LIMITS, hostCapability),
      config: make('HostConfigInfo', { host: HOST, product: view.about, ...this.#managers.config() }),
      configManager: this.#managers.references,
      datastore: this.#datastores.map(datastoreRef),
      network: this.#network.names.map(networkRef),
    };
  }

  #datastoreProperties(datastore: SimDatastore) {
    return datastoreProperties(datastore, HOST, dateTime(this.options.clock));
  }

  #everything(): HostUpdate[] {
    const { clock, interner } = this.options;
    const enter = (ref: ManagedObjectReference, said: Readonly<Record<string, unknown>>): HostUpdate => ({
      kind: 'enter',
      ref,
      changes: changesOf(said),
    });
    const managers = [...this.#managers.all(), [NETWORK_SYSTEM, this.#network.properties()] as const];
    return [
      enter(HOST, { ...this.#hostProperties(), hardware: interner.share(hostHardware(this.options.view)) }),
      ...this.#datastores.map((datastore) => enter(datastoreRef(datastore), this.#datastoreProperties(datastore))),
      ...this.#network.names.map(enterNetwork),
      ...managers.map(([ref, properties]) => enter(ref, properties)),
      ...this.vms.map((vm) => enter(vm.ref, vmProperties(vm, clock))),
    ];
  }
}

const AFTER_POWER = ['runtime', 'guest', 'guestHeartbeatStatus', 'summary', 'overallStatus'] as const;

/** The volumes of a host's datastores: their space is the same whenever it is asked for. */
function volumesOf(datastores: readonly SimDatastore[]) {
  return fileSystemVolumes(
    datastores.map((datastore) => {
      const { info, host } = datastoreProperties(datastore, HOST, new Date(0).toISOString());
      return { info, mount: host[0]?.mountInfo };
    }),
  );
}

function networkRef(name: string): MoRef<'Network'> {
  return moRef('Network', `HaNetwork-${name}`);
}

function networkSummary(name: string) {
  return make('NetworkSummary', { network: networkRef(name), name, accessible: true, ipPoolName: '' });
}

function enterNetwork(name: string): HostUpdate {
  const said = { name, summary: networkSummary(name), overallStatus: 'green', configStatus: 'green' };
  return { kind: 'enter', ref: networkRef(name), changes: changesOf(said) };
}

function modified(
  ref: ManagedObjectReference,
  said: Readonly<Record<string, unknown>>,
  names: readonly string[] = Object.keys(said),
): HostUpdate {
  return { kind: 'modify', ref, changes: asChanges(said, names) };
}

/** Datastore paths of the files that a VM is made of. */
function filesOf(config: SimVmState['config']): string[] {
  const disks = disksOf(config).flatMap(({ backing }) =>
    isA('VirtualDeviceFileBackingInfo', backing) ? [backing.fileName] : [],
  );
  return [config.files.vmPathName ?? '', ...disks];
}

function provisioningOf({ thinProvisioned, eagerlyScrub }: VirtualDiskFlatVer2BackingInfo): DiskProvisioning {
  if (thinProvisioned) return 'thin';
  return eagerlyScrub ? 'eagerZeroedThick' : 'lazyZeroedThick';
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

function changesOf(said: Readonly<Record<string, unknown>>) {
  return asChanges(said, Object.keys(said));
}

function reference(ref: ManagedObjectReference): object {
  return { _typeName: 'ManagedObjectReference', ...ref };
}
