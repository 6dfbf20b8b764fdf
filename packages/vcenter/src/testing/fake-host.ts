// A host for tests: says what the test makes it say, and does what a host does to its list of VMs, its switches and port groups.
// Differences from a real one: a VM is a name, a UUID, a power state and its network cards; tasks end at once; nothing is plugged.
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  type AboutInfo,
  type Event,
  type HostPortGroupSpec,
  type HostVirtualSwitchSpec,
  type ManagedObjectReference,
  MethodFault,
  make,
  moRef,
  moRefKey,
} from '@vivarium/vim';
import { FOLDER_PAGE_HEADER } from '@vivarium/vmomi';
import {
  type FolderAnswer,
  type FolderRequest,
  type HostDialer,
  type HostLink,
  type HostNews,
  type HostTarget,
  HostUnreachable,
  type HostUpdate,
  type ManagementClaim,
  type NfcRequest,
  type RunOptions,
} from '../host-link/host-link.ts';
import { FakePools } from './fake-pools.ts';

interface FakeVm {
  readonly ref: ManagedObjectReference;
  name: string;
  instanceUuid: string;
  vmPathName: string;
  powerState: 'poweredOn' | 'poweredOff' | 'suspended';
  /** Names of the networks that its cards are on. */
  nics: readonly string[];
}

const ABOUT = make('AboutInfo', {
  name: 'VMware ESXi',
  fullName: 'VMware ESXi 9.0.0',
  vendor: 'VMware, Inc.',
  version: '9.0.0',
  build: '1',
  osType: 'vmnix-x86',
  productLineId: 'embeddedEsx',
  apiType: 'HostAgent',
  apiVersion: '9.0.0.0',
});

export class FakeHost {
  readonly address: string;
  readonly uuid: string;
  readonly vms = new Map<string, FakeVm>();
  readonly calls: { readonly method: string; readonly target: string; readonly args: Record<string, unknown> }[] = [];
  /** Name → url. */
  readonly datastores = new Map<string, string>();
  readonly networks = new Set<string>(['VM Network']);
  readonly switches = new Map<string, HostVirtualSwitchSpec>();
  readonly portGroups = new Map<string, HostPortGroupSpec>();
  /** A method of HostNetworkSystem that is refused; of a VM: `PowerOnVM_Task web`. */
  refuses: string | undefined;
  readonly pools = new FakePools();
  /** What /folder has: content by `[datastore] path`. */
  readonly files = new Map<string, string>();
  /** Imports under way. */
  readonly leases = new Map<
    string,
    { readonly said: Readonly<Record<string, unknown>>; readonly failed: PromiseWithResolvers<void> }
  >();
  readonly transfers: Omit<FolderRequest, 'body' | 'signal'>[] = [];
  /** The vCenter that manages it. */
  managedBy: string | undefined;
  inMaintenanceMode = false;
  isReachable = true;
  /** Of each datastore. */
  freeBytes = 1;
  #lastVm = 0;
  readonly #links = new Set<FakeLink>();

  constructor(address: string, options: { readonly datastores?: Readonly<Record<string, string>> } = {}) {
    this.address = address;
    this.uuid = `uuid-of-${address}`;
    const datastores = options.datastores ?? { datastore1: `ds:///vmfs/volumes/${address}/` };
    for (const [name, url] of Object.entries(datastores)) this.datastores.set(name, url);
  }

  claim(instanceUuid: string, force: boolean): void {
    if (this.managedBy !== undefined && this.managedBy !== instanceUuid && !force) {
      throw new MethodFault('AlreadyBeingManaged', { ipAddress: this.managedBy });
    }
    this.managedBy = instanceUuid;
  }

  addVm(vm: Partial<FakeVm> & { readonly name: string }): FakeVm {
    const made: FakeVm = {
      ref: moRef('VirtualMachine', String(++this.#lastVm)),
      instanceUuid: `instance-of-${vm.name}-${this.address}`,
      vmPathName: `[datastore1] ${vm.name}/${vm.name}.vmx`,
      powerState: 'poweredOff',
      nics: ['VM Network'],
      ...vm,
    };
    this.vms.set(made.ref.value, made);
    this.tell(this.enter(made));
    return made;
  }

  removeVm(vm: FakeVm): void {
    this.vms.delete(vm.ref.value);
    this.tell({ kind: 'leave', ref: vm.ref, changes: [] });
  }

  changed(vm: FakeVm): void {
    this.tell({ ...this.enter(vm), kind: 'modify' });
  }

  /** The host's process dies, or the cable is cut. */
  cut(): void {
    this.isReachable = false;
    for (const link of this.#links) link.fail(new HostUnreachable(`${this.address} is gone`));
    this.#links.clear();
  }

  /** Whoever was connected is no longer, and can do nothing any more; the host is there for others. */
  sever(): void {
    for (const link of this.#links) link.fail(new HostUnreachable('severed'));
    this.#links.clear();
  }

  connect(): FakeLink {
    if (!this.isReachable) throw new HostUnreachable(`${this.address} does not answer`);
    const link = new FakeLink(this);
    this.#links.add(link);
    return link;
  }

  everything(): HostUpdate[] {
    const hostRef = moRef('HostSystem', 'ha-host');
    const datastores = [...this.datastores].map(([name, url]) => ({ name, url, ref: moRef('Datastore', url) }));
    const networks = [...this.networks].map((name) => ({ name, ref: moRef('Network', `HaNetwork-${name}`) }));
    const runtime = this.#runtime();
    const host = {
      name: this.address,
      runtime,
      summary: make('HostListSummary', {
        host: hostRef,
        runtime,
        hardware: make('HostHardwareSummary', {
          vendor: 'v',
          model: 'm',
          uuid: this.uuid,
          memorySize: 8 * 2 ** 30,
          cpuModel: 'c',
          cpuMhz: 2000,
          numCpuPkgs: 1,
          numCpuCores: 4,
          numCpuThreads: 4,
          numNics: 1,
          numHBAs: 1,
        }),
        config: make('HostConfigSummary', {
          name: this.address,
          port: 443,
          vmotionEnabled: false,
          faultToleranceEnabled: false,
        }),
        quickStats: make('HostListSummaryQuickStats', { overallMemoryUsage: this.vms.size * 100 }),
        overallStatus: 'green',
        rebootRequired: false,
      }),
      datastore: datastores.map(({ ref }) => ref),
      network: networks.map(({ ref }) => ref),
      config: this.#config(),
    };
    return [
      enter(hostRef, host),
      ...[...this.vms.values()].map((vm) => this.enter(vm)),
      ...datastores.map(({ name, url, ref }) =>
        enter(ref, {
          name,
          info: make('VmfsDatastoreInfo', {
            name,
            url,
            freeSpace: 1,
            maxFileSize: 1,
            maxMemoryFileSize: 1,
            maxPhysicalRDMFileSize: 1,
            maxVirtualRDMFileSize: 1,
          }),
          summary: make('DatastoreSummary', {
            datastore: ref,
            name,
            url,
            capacity: 2,
            freeSpace: this.freeBytes,
            accessible: true,
            type: 'VMFS',
          }),
          host: [
            make('DatastoreHostMount', { key: hostRef, mountInfo: make('HostMountInfo', { accessMode: 'readWrite' }) }),
          ],
        }),
      ),
      ...networks.map(({ name }) => enterNetwork(name)),
    ];
  }

  enter(vm: FakeVm): HostUpdate {
    const datastore = /^\[([^\]]*)\]/.exec(vm.vmPathName)?.[1] ?? '';
    const runtime = make('VirtualMachineRuntimeInfo', {
      host: moRef('HostSystem', 'ha-host'),
      connectionState: 'connected',
      powerState: vm.powerState,
      faultToleranceState: 'notConfigured',
      toolsInstallerMounted: false,
      numMksConnections: 0,
      recordReplayState: 'inactive',
      onlineStandby: false,
      consolidationNeeded: false,
    });
    return enter(vm.ref, {
      name: vm.name,
      runtime,
      config: {
        _typeName: 'VirtualMachineConfigInfo',
        name: vm.name,
        instanceUuid: vm.instanceUuid,
        files: make('VirtualMachineFileInfo', { vmPathName: vm.vmPathName }),
        hardware: {
          device: vm.nics.map((deviceName, index) =>
            make('VirtualVmxnet3', {
              key: 4000 + index,
              backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName, useAutoDetect: false }),
            }),
          ),
        },
      },
      summary: make('VirtualMachineSummary', {
        vm: vm.ref as never,
        runtime,
        config: make('VirtualMachineConfigSummary', {
          name: vm.name,
          template: false,
          vmPathName: vm.vmPathName,
          instanceUuid: vm.instanceUuid,
        }),
        quickStats: make('VirtualMachineQuickStats', { guestHeartbeatStatus: 'gray' }),
        overallStatus: 'green',
      }),
      datastore: [moRef('Datastore', this.datastores.get(datastore) ?? '')],
      network: vm.nics.map((name) => moRef('Network', `HaNetwork-${name}`)),
    });
  }

  tell(...updates: HostUpdate[]): void {
    for (const link of this.#links) link.push({ updates, isPartial: false });
  }

  perform(target: ManagedObjectReference, method: string, args: Record<string, unknown>): unknown {
    this.calls.push({ method, target: moRefKey(target), args });
    if (target.type === 'HostNetworkSystem') return this.#changeNetwork(method, args);
    if (method === 'QueryConfigTarget') return this.#configTarget();
    if (target.type === 'ResourcePool' && method !== 'ImportVApp')
      return this.pools.perform(target.value, method, args);
    if (target.type === 'FileManager' || target.type === 'VirtualDiskManager') return this.#touchFiles(method, args);
    if (method === 'ClaimManagement') return this.claim(String(args['instanceUuid']), args['force'] === true);
    if (method === 'ReleaseManagement') {
      if (args['instanceUuid'] === this.managedBy) this.managedBy = undefined;
      return undefined;
    }
    if (method === 'ImportVApp')
      return this.#import(args['spec'] as { configSpec: { name: string; instanceUuid: string } });
    if (target.type === 'HttpNfcLease') return undefined;
    if (target.type === 'SessionManager') return { id: `ticket-of-${this.address}` };
    if (method === 'EnterMaintenanceMode_Task' || method === 'ExitMaintenanceMode_Task') {
      this.inMaintenanceMode = method === 'EnterMaintenanceMode_Task';
      this.tell({ kind: 'modify', ref: target, changes: [{ name: 'runtime', value: this.#runtime() }] });
      return undefined;
    }
    const vm = this.vms.get(target.value);
    if (method === 'CreateVM_Task') return this.#create(args['config'] as Record<string, unknown>);
    if (!vm) throw new MethodFault('NotSupported');
    if (this.refuses === `${method} ${vm.name}`) {
      throw new MethodFault('PlatformConfigFault', { text: 'refused by the test' });
    }
    if (method === 'PowerOnVM_Task') {
      if (vm.powerState === 'poweredOn') {
        throw new MethodFault('InvalidPowerState', { requestedState: 'poweredOn', existingState: 'poweredOn' });
      }
      vm.powerState = 'poweredOn';
    } else if (method === 'PowerOffVM_Task') vm.powerState = 'poweredOff';
    else if (method === 'SuspendVM_Task') vm.powerState = 'suspended';
    else if (method === 'Rename_Task') vm.name = String(args['newName']);
    else if (method === 'ReconfigVM_Task') {
      const spec = args['spec'] as { instanceUuid?: string };
      if (spec.instanceUuid) vm.instanceUuid = spec.instanceUuid;
      vm.nics = [...vm.nics, ...nicsOf(spec)];
    } else if (method === 'Destroy_Task' || method === 'UnregisterVM') {
      this.removeVm(vm);
      return undefined;
    } else throw new MethodFault('NotSupported');
    this.changed(vm);
    return undefined;
  }

  /** The VM is there at once, with one disk to come. */
  #import({ configSpec }: { configSpec: { name: string; instanceUuid: string } }): unknown {
    const { name, instanceUuid } = configSpec;
    const vm = this.addVm({ name, instanceUuid });
    const lease = moRef('HttpNfcLease', `lease-${name}`);
    const url = `https://*:8443/nfc/secret-of-${name}/disk-0.vmdk`;
    const info = make('HttpNfcLeaseInfo', {
      lease,
      entity: vm.ref as never,
      deviceUrl: [
        make('HttpNfcLeaseDeviceUrl', { key: '/1/2000', importKey: '/disk', url, sslThumbprint: 'AA', disk: true }),
      ],
      totalDiskCapacityInKB: 1,
      leaseTimeout: 300,
    });
    this.leases.set(lease.value, { said: { state: 'ready', info }, failed: Promise.withResolvers() });
    return lease;
  }

  /** Knows of files only that those of a folder called `missing` are not there. */
  #touchFiles(method: string, args: Record<string, unknown>): unknown {
    const [name] = Object.values(args).filter((value) => String(value).includes('missing/'));
    if (name !== undefined) throw new MethodFault('FileNotFound', { file: String(name) });
    return method === 'CreateVirtualDisk_Task' ? args['name'] : undefined;
  }

  #configTarget(): unknown {
    const target = { name: '', configurationTag: [] };
    return make('ConfigTarget', {
      numCpus: 1,
      numCpuCores: 1,
      numNumaNodes: 1,
      smcPresent: false,
      maxMemMBOptimalPerf: 1024,
      datastore: [...this.datastores].map(([name, url]) => ({
        ...target,
        datastore: make('DatastoreSummary', {
          datastore: moRef('Datastore', url),
          name,
          url,
          capacity: 2,
          freeSpace: 1,
          accessible: true,
          type: 'VMFS',
        }),
      })) as never,
      network: [...this.networks].map((name) => ({
        ...target,
        network: make('NetworkSummary', {
          network: moRef('Network', `HaNetwork-${name}`),
          name,
          accessible: true,
          ipPoolName: '',
        }),
      })) as never,
    });
  }

  #changeNetwork(method: string, args: Record<string, unknown>): unknown {
    if (this.refuses === method) throw new MethodFault('PlatformConfigFault', { text: 'refused by the test' });
    const { vswitchName, spec, portgrp, pgName } = args as {
      vswitchName: string;
      spec: HostVirtualSwitchSpec;
      portgrp: HostPortGroupSpec;
      pgName: string;
    };
    if (method === 'AddVirtualSwitch' || method === 'UpdateVirtualSwitch') this.switches.set(vswitchName, spec);
    else if (method === 'RemoveVirtualSwitch') this.switches.delete(vswitchName);
    else if (method === 'AddPortGroup' || method === 'UpdatePortGroup') {
      if (!this.switches.has(portgrp.vswitchName)) throw new MethodFault('NotFound');
      this.portGroups.set(portgrp.name, portgrp);
      if (!this.networks.has(portgrp.name)) {
        this.networks.add(portgrp.name);
        this.tell(enterNetwork(portgrp.name));
      }
    } else if (method === 'RemovePortGroup') {
      if ([...this.vms.values()].some(({ nics }) => nics.includes(pgName))) {
        throw new MethodFault('ResourceInUse', { type: 'HostPortGroup', name: pgName });
      }
      this.portGroups.delete(pgName);
      this.networks.delete(pgName);
      this.tell({ kind: 'leave', ref: moRef('Network', `HaNetwork-${pgName}`), changes: [] });
    } else throw new MethodFault('NotSupported');
    const host = moRef('HostSystem', 'ha-host');
    this.tell({ kind: 'modify', ref: host, changes: [{ name: 'config', value: this.#config() }] });
    return undefined;
  }

  #runtime() {
    return make('HostRuntimeInfo', {
      connectionState: 'connected',
      powerState: 'poweredOn',
      inMaintenanceMode: this.inMaintenanceMode,
    });
  }

  #config(): object {
    return {
      _typeName: 'HostConfigInfo',
      network: {
        _typeName: 'HostNetworkInfo',
        vswitch: [...this.switches].map(([name, spec]) => ({ name, spec, mtu: spec.mtu, pnic: [] })),
        portgroup: [...this.portGroups.values()].map((spec) => ({ spec })),
      },
    };
  }

  #create(config: Record<string, unknown>): unknown {
    const name = String(config['name']);
    if ([...this.vms.values()].some((vm) => vm.name === name)) {
      throw new MethodFault('DuplicateName', { name, object: moRef('VirtualMachine', '0') });
    }
    const { vmPathName } = (config['files'] ?? {}) as { vmPathName?: string };
    const datastore = /^\[([^\]]*)\]/.exec(vmPathName ?? '')?.[1] ?? 'datastore1';
    const { ref } = this.addVm({
      name,
      instanceUuid: String(config['instanceUuid']),
      vmPathName: `[${datastore}] ${name}/${name}.vmx`,
      nics: nicsOf(config),
    });
    return { _typeName: 'ManagedObjectReference', ...ref };
  }
}

function enter(ref: ManagedObjectReference, said: object): HostUpdate {
  return { kind: 'enter', ref, changes: Object.entries(said).map(([name, value]) => ({ name, value })) };
}

function enterNetwork(name: string): HostUpdate {
  const ref = moRef('Network', `HaNetwork-${name}`);
  return enter(ref, {
    name,
    summary: make('NetworkSummary', { network: ref, name, accessible: true, ipPoolName: '' }),
  });
}

/** Networks of the cards that a specification adds. */
function nicsOf(spec: object): string[] {
  const { deviceChange = [] } = spec as { deviceChange?: { device: { backing?: { deviceName?: string } } }[] };
  return deviceChange.flatMap(({ device }) => device.backing?.deviceName ?? []);
}

function answer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): FolderAnswer {
  return { status, headers: { 'content-type': 'text/plain', ...headers }, body: Readable.from([Buffer.from(text)]) };
}

class FakeLink implements HostLink {
  readonly about: AboutInfo = ABOUT;
  readonly #host: FakeHost;
  readonly #news: HostNews[] = [];
  #wake = Promise.withResolvers<void>();
  #error: Error | undefined;
  /** Told after the news that came before. */
  #afterNews: (() => void)[] = [];

  constructor(host: FakeHost) {
    this.#host = host;
  }

  async hardwareUuid(): Promise<string> {
    return this.#host.uuid;
  }

  async *updates(signal: AbortSignal): AsyncIterable<HostNews> {
    const stop = () => this.#wake.resolve();
    signal.addEventListener('abort', stop);
    yield { updates: this.#host.everything(), isPartial: false };
    while (!signal.aborted) {
      const next = this.#news.shift();
      if (next) {
        yield next;
        continue;
      }
      for (const tell of this.#afterNews.splice(0)) tell();
      if (this.#error) throw this.#error;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }

  async *events(): AsyncIterable<readonly Event[]> {}

  /** The picture is the host's own name of the VM. */
  async screen({ value }: ManagedObjectReference): Promise<Uint8Array> {
    if (!this.#host.isReachable) throw new HostUnreachable(`${this.#host.address} does not answer`);
    return Buffer.from(value);
  }

  async call(target: ManagedObjectReference, method: string, args: object): Promise<unknown> {
    if (this.#error) throw this.#error;
    if (!this.#host.isReachable) throw new HostUnreachable(`${this.#host.address} does not answer`);
    return this.#host.perform(target, method, args as Record<string, unknown>);
  }

  async run(target: ManagedObjectReference, method: string, args: object, options: RunOptions = {}): Promise<unknown> {
    options.signal?.throwIfAborted();
    const result = await this.call(target, method, args);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#afterNews.push(() => (this.#error ? reject(this.#error) : resolve()));
    this.#wake.resolve();
    await promise;
    return result;
  }

  push(news: HostNews): void {
    this.#news.push(news);
    this.#wake.resolve();
  }

  fail(error: Error): void {
    this.#error = error;
    this.#wake.resolve();
  }

  async folder({ method, datastore, path, headers, body }: FolderRequest): Promise<FolderAnswer> {
    if (this.#error) throw this.#error;
    if (!this.#host.isReachable) throw new HostUnreachable(`${this.#host.address} does not answer`);
    const sent = body ? await buffer(body) : undefined;
    this.#host.transfers.push({ method, datastore, path, headers });
    const file = `[${datastore}] ${path}`;
    const content = this.#host.files.get(file);
    if (method === 'PUT') {
      this.#host.files.set(file, sent?.toString() ?? '');
      return answer(content === undefined ? 201 : 200, '');
    }
    if (path === '' && content === undefined) return answer(200, `page of ${file}`, { [FOLDER_PAGE_HEADER]: 'true' });
    if (content === undefined) return answer(404, `File ${file} was not found`);
    if (method === 'DELETE') this.#host.files.delete(file);
    return method === 'DELETE' ? answer(204, '') : answer(200, method === 'HEAD' ? '' : content);
  }

  async nfc({ lease, file, body }: NfcRequest): Promise<FolderAnswer> {
    this.#host.files.set(`nfc ${lease}/${file}`, (await buffer(body)).toString());
    return answer(200, '');
  }

  async *watch(
    ref: ManagedObjectReference,
    _paths: readonly string[],
    signal: AbortSignal,
  ): AsyncIterable<Readonly<Record<string, unknown>>> {
    const over = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => over.resolve(), { once: true });
    const lease = this.#host.leases.get(ref.value);
    if (!lease) throw new MethodFault('ManagedObjectNotFound', { obj: ref as never });
    yield lease.said;
    await Promise.race([over.promise, lease.failed.promise]);
    if (!signal.aborted) yield { state: 'error', error: make('LocalizedMethodFault', { fault: make('Timedout', {}) }) };
  }

  close(): void {}
}

/** Reaches the hosts of a test by their address; the password is 'right'. */
export class FakeDialer implements HostDialer {
  readonly hosts = new Map<string, FakeHost>();

  add(host: FakeHost): FakeHost {
    this.hosts.set(host.address, host);
    return host;
  }

  async introduce(
    target: HostTarget,
    { password }: { readonly password: string },
    { instanceUuid, force }: ManagementClaim,
  ): Promise<HostLink> {
    if (password !== 'right') throw new MethodFault('InvalidLogin');
    this.hosts.get(target.address)?.claim(instanceUuid, force);
    return this.dial(target);
  }

  async dial({ address }: HostTarget): Promise<HostLink> {
    const host = this.hosts.get(address);
    if (!host) throw new HostUnreachable(`${address} is not known`);
    return host.connect();
  }
}
