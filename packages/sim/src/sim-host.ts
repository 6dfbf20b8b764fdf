// A simulated host: answers what vCenter asks of a host, from memory, at the speed and with the faults that it is told.
import { type Clock, delay, type Random } from '@vivarium/base';
import {
  environmentBrowserMethods,
  fileSystemVolumes,
  type HostView,
  hostCapability,
  hostHardware,
  hostRuntime,
  hostSummary,
  ovfManagerHandlers,
} from '@vivarium/host/view';
import type { FolderAnswer, FolderRequest, HostNews, HostUpdate } from '@vivarium/vcenter';
import {
  box,
  type Event,
  type HostCertificateManagerCertificateInfo,
  type ImportSpec,
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  make,
  moRef,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import type { Settings } from '@vivarium/vmomi';
import type { SpecEnvironment } from '@vivarium/vmx';
import type { Derived } from './derived.ts';
import { FILE_OBJECTS } from './file-methods.ts';
import { HostManagers } from './host-managers.ts';
import { datastoreProperties, datastoreRef, type SimDatastore } from './sim-datastore.ts';
import { SimImports } from './sim-imports.ts';
import type { SimMachine } from './sim-machine.ts';
import { SimNetwork } from './sim-network.ts';
import { entered, left, modified, SimNews } from './sim-news.ts';
import { SimPools } from './sim-pools.ts';
import { performanceMethod, type SimPerformance } from './sim-statistics.ts';
import { SimStorage, type SimStorageOptions } from './sim-storage.ts';
import { HOST, type SimVmState, vmProperties } from './sim-vm.ts';
import { SimVms, type SimVmsOptions } from './sim-vms.ts';

export interface SimHostOptions
  extends Pick<SimStorageOptions, 'datastores' | 'sharedFiles'>,
    Pick<SimVmsOptions, 'interner' | 'guestOf'> {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly view: HostView;
  readonly machine: SimMachine;
  readonly derived: Derived;
  /** The host's certificate, and its advanced options as they come: the same for all. */
  readonly certificate: HostCertificateManagerCertificateInfo | undefined;
  readonly settings: Settings;
  /** How long a task takes, in milliseconds, by method. */
  readonly taskMs: (method: string) => number;
  /** A fault that a call is to fail with. */
  readonly faultOf?: (method: string, vm: string | undefined) => MethodFault | undefined;
}

const NETWORK_SYSTEM = moRef('HostNetworkSystem', 'ha-networksystem');
const LIMITS = { maxRunningVms: 1024, maxVcpus: 32, maxVmMemoryMB: 64 * 1024 };
const MACHINE_TYPES = { q35: 'pc-q35-11.0', pc: 'pc-i440fx-11.0' } as const;

export class SimHost {
  readonly options: SimHostOptions;
  readonly pools = new SimPools();
  readonly #news: SimNews;
  readonly #storage: SimStorage;
  readonly #vms: SimVms;
  readonly #network: SimNetwork;
  readonly #managers: HostManagers;
  /** Most hosts import nothing. */
  #imports: SimImports | undefined;
  readonly #startedMs: number;
  readonly #seed: number;
  #inMaintenanceMode = false;

  constructor(options: SimHostOptions) {
    this.options = options;
    this.#news = new SimNews(options.clock);
    this.#network = new SimNetwork(options.machine.network);
    this.#storage = new SimStorage({
      ...options,
      users: {
        configOf: (path) => this.#vms.configOf(path),
        isHeld: (path) => this.#vms.isHeld(path),
        isOn: (datastore) => this.#vms.isOn(datastore),
      },
      changed: (update, isAnother) => {
        this.#news.tell(update);
        if (isAnother) this.#managersChanged('datastore');
      },
    });
    this.#vms = new SimVms({
      ...options,
      hostName: options.name,
      cpuMhz: options.view.facts.cpuMhz,
      news: this.#news,
      storage: this.#storage,
      environment: (powerState) => this.#environment(powerState),
      admit: () => {
        if (this.#inMaintenanceMode) throw new MethodFault('InvalidState', {}, 'the host is in maintenance mode');
      },
      removed: (vm) => this.pools.vmRemoved(vm),
    });
    this.#managers = new HostManagers({
      ...options,
      volumes: () => options.derived.of(this.#storage.datastores, volumesOf),
      datastores: () => this.#storage.datastores.map(datastoreRef),
      network: () => this.#network.info(),
      isVm: ({ value }) => this.#vms.find(value) !== undefined,
    });
    this.#startedMs = Date.parse(options.view.bootTime);
    this.#seed = Number.parseInt(options.view.facts.uuid.slice(-6), 16) || 0;
  }

  get vms(): readonly SimVmState[] {
    return this.#vms.all;
  }

  /** See SimVms.plan. */
  planVm(spec: VirtualMachineConfigSpec): SimVmState['config'] {
    return this.#vms.plan(spec);
  }

  /** See SimVms.planMore. */
  planMore(config: SimVmState['config'], spec: VirtualMachineConfigSpec): SimVmState['config'] {
    return this.#vms.planMore(config, spec);
  }

  /** See SimVms.add. */
  adopt(config: SimVmState['config']): SimVmState {
    return this.#vms.add(config);
  }

  /** Makes a VM run that is as long up as its host. */
  powerOn(vm: SimVmState): void {
    this.#vms.powerOn(vm, this.options.view.bootTime);
  }

  /** As one that was suspended before the simulator began. */
  suspend(vm: SimVmState): void {
    this.#vms.suspend(vm);
  }

  /** DatastoreInfo.url of a datastore that the host mounts. */
  datastoreUrl(name: string): string | undefined {
    return this.#storage.datastores.find((one) => one.name === name)?.url;
  }

  /** Whether there is something at a datastore path. */
  hasFile(path: string): boolean {
    return this.#storage.find(path) !== undefined;
  }

  /** The port groups that VMs can be on. */
  get networkNames(): readonly string[] {
    return this.#network.names;
  }

  /** A method of its HostNetworkSystem, at once. */
  changeNetwork(method: string, args: Readonly<Record<string, unknown>>): unknown {
    const answer = this.#network.query(method, args);
    if (answer !== undefined) return answer;
    const { added, removed } = this.#network.change(method, args, (name) => this.#vms.isOnNetwork(name));
    if (!this.#news.isHeard) return undefined;
    this.#news.tell(
      ...added.map(enterNetwork),
      ...removed.map((name) => left(networkRef(name))),
      modified(HOST, this.#hostProperties(), ['config', 'network']),
      modified(NETWORK_SYSTEM, this.#network.properties()),
    );
    return method === 'UpdateNetworkConfig' ? { _typeName: 'HostNetworkConfigResult' } : undefined;
  }

  /** A call that ends at once, or (for tasks) after its time. Faults as the real host's. */
  async perform(
    target: ManagedObjectReference,
    method: string,
    args: Record<string, unknown>,
    { signal, chainId = 0 }: { readonly signal?: AbortSignal; readonly chainId?: number } = {},
  ): Promise<unknown> {
    const vm = target.type === 'VirtualMachine' ? this.#vms.find(target.value) : undefined;
    const takesMs = this.options.taskMs(method);
    if (takesMs > 0) await delay(this.options.clock, takesMs, signal);
    const fault = this.options.faultOf?.(method, vm?.config.name);
    if (fault) throw fault;
    this.#news.chainId = chainId; // nothing below waits before it changes something
    if (FILE_OBJECTS.has(target.type)) return this.#storage.fileMethod(target.type, method, args);
    switch (target.type) {
      case 'VirtualMachine':
        return this.#vms.perform(target.value, method, args);
      case 'HostNetworkSystem':
        return this.changeNetwork(method, args);
      case 'EnvironmentBrowser':
        return this.#environmentMethod(method, args);
      case 'HostDatastoreSystem':
        return this.#storage.systemMethod(method, args);
      case 'Datastore':
        return this.#storage.datastoreMethod(target.value, method);
      case 'OvfManager':
        return this.#ovfMethod(method, args);
      case 'HttpNfcLease':
        return this.imports.perform(target, method, args);
      case 'ResourcePool':
        if (method === 'ImportVApp') return this.imports.begin(args['spec'] as ImportSpec);
        return this.pools.perform(target.value, method, args);
      case 'PerformanceManager':
        return performanceMethod(this.#performance(), method, args);
      case 'Folder':
        return this.#folderMethod(method, args);
      case 'HostSystem':
        return this.#hostMethod(method);
      default: {
        const managed = await this.#managers.perform(target, method, args);
        if (!managed) throw new MethodFault('NotSupported');
        if (managed.isChanged) this.#managersChanged();
        return managed.result;
      }
    }
  }

  get imports(): SimImports {
    this.#imports ??= new SimImports({
      ...this.options,
      create: (spec) => this.#vms.create(spec),
      discard: (vm) => this.#vms.discard(vm),
    });
    return this.#imports;
  }

  /** What the /folder door does on a real host. */
  folder(request: FolderRequest): Promise<FolderAnswer> {
    return this.#storage.folder(request);
  }

  /** Everything, then what changes, until it is stopped. */
  listen(listener: (news: HostNews) => void): () => void {
    return this.#news.listen(listener, this.#everything());
  }

  onEvent(listener: (event: Event) => void): () => void {
    return this.#news.onEvent(listener);
  }

  #ovfMethod(method: string, args: Record<string, unknown>): unknown {
    const names = this.#network.names;
    const handlers = ovfManagerHandlers({
      datastoreName: ({ value }) => value,
      networkNames: () => names,
      networkName: ({ value }) => names.find((name) => networkRef(name).value === value),
    }) as Readonly<Record<string, ((args: Record<string, unknown>) => unknown) | undefined>>;
    const run = handlers[method];
    if (!run) throw new MethodFault('NotSupported');
    return run(args);
  }

  #folderMethod(method: string, args: Record<string, unknown>): unknown {
    switch (method) {
      case 'CreateVM_Task':
        return box('ManagedObjectReference', this.#vms.create(args['config'] as VirtualMachineConfigSpec).ref);
      case 'RegisterVM_Task': {
        const { ref } = this.#vms.register(String(args['path']), args['name'] as string | undefined);
        return box('ManagedObjectReference', ref);
      }
      default:
        throw new MethodFault('NotSupported');
    }
  }

  #hostMethod(method: string): void {
    switch (method) {
      case 'EnterMaintenanceMode_Task':
        return this.#setMaintenance(true);
      case 'ExitMaintenanceMode_Task':
        return this.#setMaintenance(false);
      case 'ClaimManagement':
      case 'ReleaseManagement':
        return; // there is one vCenter
      default:
        throw new MethodFault('NotSupported');
    }
  }

  #environmentMethod(method: string, args: Record<string, unknown>): unknown {
    const handlers = environmentBrowserMethods({
      datastores: () => this.#storage.datastores.map((one) => this.#storage.properties(one)),
      networks: () => this.#network.names.map(networkSummary),
      limits: this.#limits(),
      capability: this.options.derived.of(LIMITS, hostCapability),
    }) as Readonly<Record<string, ((args: Record<string, unknown>) => unknown) | undefined>>;
    const run = handlers[method];
    if (!run) throw new MethodFault('NotSupported');
    return run(args);
  }

  #managersChanged(...besides: string[]): void {
    this.#news.tell(
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

  #limits() {
    const { threads, memoryBytes } = this.options.view.facts;
    return { numCPUs: threads, memoryMB: Math.floor(memoryBytes / 2 ** 20), hostThreads: threads };
  }

  #environment(powerState: SimVmState['power']): SpecEnvironment {
    const { random } = this.options;
    return {
      datastores: this.#storage.datastores.map(({ name, url }) => ({
        name,
        url,
        ref: moRef('Datastore', name),
        volumeNames: [],
      })),
      networks: this.#network.names.map((name) => ({ name, ref: networkRef(name) })),
      findDisk: (path) => {
        const entry = this.#storage.find(path);
        if (entry?.kind !== 'disk') return undefined;
        return { ...entry.disk, contentId: 'fffffffe' };
      },
      exists: (path) => this.#storage.find(path) !== undefined,
      now: new Date(this.options.clock.now()).toISOString(),
      random,
      powerState,
      defaultDatastore: this.#storage.datastores[0]?.name ?? '',
      limits: this.#limits(),
      machineTypes: MACHINE_TYPES,
    };
  }

  #setMaintenance(isIn: boolean): void {
    if (isIn === this.#inMaintenanceMode) throw new MethodFault('InvalidState');
    if (isIn && this.vms.some(({ power }) => power === 'poweredOn')) {
      throw new MethodFault('Timedout', {}, 'VMs run on the host');
    }
    this.#inMaintenanceMode = isIn;
    this.#news.tell(modified(HOST, this.#hostProperties(), ['runtime', 'summary']));
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
      datastore: this.#storage.datastores.map(datastoreRef),
      network: this.#network.names.map(networkRef),
    };
  }

  #everything(): HostUpdate[] {
    const { clock, interner, view } = this.options;
    return [
      entered(HOST, { ...this.#hostProperties(), hardware: interner.share(hostHardware(view)) }),
      ...this.#storage.datastores.map((one) => entered(datastoreRef(one), this.#storage.properties(one))),
      ...this.#network.names.map(enterNetwork),
      ...this.#managers.all().map(([ref, properties]) => entered(ref, properties)),
      entered(NETWORK_SYSTEM, this.#network.properties()),
      ...this.vms.map((vm) => entered(vm.ref, vmProperties(vm, clock))),
    ];
  }
}

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
  return entered(networkRef(name), said);
}
