// One host's truth in vCenter's inventory and graph. Takes the host's news in order: first which entities there are (datastores,
// networks, VMs: the inventory changes), then what they are like (the graph changes).
import type { Logger } from '@vivarium/base';
import {
  type HostConfigInfo,
  type HostListSummary,
  type HostNetworkConfig,
  type HostNetworkInfo,
  type HostRuntimeInfo,
  keepSame,
  type ManagedObjectReference,
  type MoRef,
  moRef,
  moRefKey,
  type VirtualMachineConfigInfo,
  type VirtualMachineRuntimeInfo,
} from '@vivarium/vim';
import type { ObjectGraph } from '@vivarium/vmomi';
import { portgroupRef } from '../distributed-switch/hidden-network.ts';
import { shownConfig, shownNetwork } from '../distributed-switch/hide-networks.ts';
import type { HostNews, HostUpdate } from '../host-link/host-link.ts';
import { HOST_MANAGERS } from '../host-link/what-to-watch.ts';
import { plainName } from '../inventory/entity-name.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { MemberLists } from '../inventory/member-lists.ts';
import type { ExpectedVms } from './expected-vms.ts';
import { placeShared } from './place-shared.ts';
import { placeVms } from './place-vms.ts';
import { planVms, type ReportedVm, type VmElsewhere, type VmStep } from './plan-vms.ts';
import { ReferenceMap } from './reference-map.ts';
import type { SharedIndex } from './shared-index.ts';
import type { SharedObjects } from './shared-objects.ts';
import type { VmIndex } from './vm-index.ts';

export interface MirrorOptions {
  readonly host: MoRef<'HostSystem'>;
  readonly inventory: Inventory;
  readonly graph: ObjectGraph;
  readonly lists: MemberLists;
  readonly shared: SharedObjects;
  readonly index: SharedIndex;
  readonly vms: VmIndex;
  readonly expected: ExpectedVms;
  readonly log: Logger;
  /** A VM of the inventory on another host that has this instance UUID. */
  readonly elsewhere: (instanceUuid: string) => VmElsewhere | undefined;
  /** What only the host can mend; told after the inventory is right. */
  readonly mend: (step: MendStep) => void;
  readonly events: MirrorEvents;
  /** What the host told of a VM is in the graph. */
  readonly vmShown: (vm: MoRef<'VirtualMachine'>) => void;
}

export type MendStep =
  /** Another VM has its instance UUID by right. */
  | { readonly kind: 'reidentify'; readonly ref: MoRef<'VirtualMachine'>; readonly vm: ReportedVm }
  /** Another host runs the same files. */
  | { readonly kind: 'unregister'; readonly vm: ReportedVm };

/** What happened to VMs that nobody did through vCenter, for the event log. */
export interface MirrorEvents {
  /** By CreateVM_Task here. */
  vmCreated(vm: MoRef<'VirtualMachine'>): void;
  vmRegistered(vm: MoRef<'VirtualMachine'>): void;
  /** Nobody here asked for it. */
  vmDiscovered(vm: MoRef<'VirtualMachine'>): void;
  vmRemoved(vm: MoRef<'VirtualMachine'>, name: string): void;
  vmRenamed(vm: MoRef<'VirtualMachine'>, oldName: string, newName: string): void;
  vmRelocated(vm: MoRef<'VirtualMachine'>, from: MoRef<'HostSystem'>): void;
  /** It gets a UUID of its own: `other` has this one. */
  vmUuidConflict(vm: MoRef<'VirtualMachine'>, other: MoRef<'VirtualMachine'>, instanceUuid: string): void;
  vmUuidChanged(vm: MoRef<'VirtualMachine'>, oldUuid: string, newUuid: string): void;
}

interface Report {
  readonly ref: ManagedObjectReference;
  readonly said: Record<string, unknown>;
  /** Of a VM: the version of the references that its configuration is shown with. */
  configShownBy?: number;
}

export class HostMirror {
  readonly refs: ReferenceMap;
  readonly #options: MirrorOptions;
  readonly #reports = new Map<string, Report>();
  /** Reported and not taken in yet, by key of the object: names of properties, with what was taken in of each before. */
  readonly #changed = new Map<string, Map<string, unknown>>();
  #isStructureChanged = false;
  /** VMs that the host has no more; all that has changed of the structure, unless `#isStructureChanged`. */
  #gone: ManagedObjectReference[] = [];
  /** Some VM here is not what it says it is: what becomes of it may depend on any other. */
  #hasConflicts = false;
  #isConnected = false;
  /** What is noted now is shown once that is over. */
  #isSettling = false;

  constructor(options: MirrorOptions) {
    this.#options = options;
    const { host, inventory } = options;
    this.refs = new ReferenceMap((key) => inventory.find(portgroupRef(key))?.name);
    const owner = this.#owner();
    this.refs.set(moRef('HostSystem', 'ha-host'), host);
    this.refs.setOneWay(moRef('ComputeResource', 'ha-compute-res'), owner);
    const pool = inventory.find(owner)?.resourcePool;
    if (pool) this.refs.setOneWay(moRef('ResourcePool', 'ha-root-pool'), pool);
    this.refs.setOneWay(moRef('EnvironmentBrowser', 'ha-env-browser'), environmentBrowserOf(owner));
    this.refs.set(moRef('HostDatastoreBrowser', 'ha-host-datastorebrowser'), browserOf(host));
    for (const [ref, record] of options.vms.onHost(host)) this.refs.set(moRef('VirtualMachine', record.hostKey), ref);
  }

  /** Whether the host is there and has told everything. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** A connection begins: everything is told anew. */
  begin(): void {
    this.#reports.clear();
    this.#changed.clear();
    this.#isStructureChanged = true;
    this.#gone = [];
    this.#isSettling = false;
  }

  /** Takes in what the host tells; resolves when inventory and graph show it. */
  async apply({ updates, isPartial }: HostNews): Promise<void> {
    for (const update of updates) this.#note(update);
    if (isPartial) return;
    if (this.#isStructureChanged || this.#gone.length > 0) {
      const isAll = this.#isStructureChanged || this.#hasConflicts;
      const gone = this.#gone;
      this.#isStructureChanged = false;
      this.#gone = [];
      this.#isSettling = true;
      await this.#options.inventory.exclusively(() => (isAll ? this.#settleStructure() : this.#removeVms(gone)));
      this.#isSettling = false;
    }
    this.#isConnected = true;
    this.#publish();
    this.#options.lists.flush();
  }

  /** A datastore is called differently here from now on, and so is whatever lies on it. */
  datastoreRenamed(ref: MoRef<'Datastore'>, centerName: string): void {
    const hostName = this.refs.hostDatastoreName(ref);
    const local = this.refs.hostOf(ref);
    if (hostName === undefined || !local || !this.refs.nameDatastore(ref, hostName, plainName(centerName))) return;
    this.#touch(local);
    this.#touchAll('VirtualMachine');
    if (this.#isConnected && !this.#isSettling) this.#publish();
  }

  /** The connection is lost, or an administrator has cut it: what is shown is what was known last. */
  lost(connectionState: 'notResponding' | 'disconnected'): void {
    this.#isConnected = false;
    const { graph, host, vms } = this.#options;
    const object = graph.find(host);
    object?.update({
      'runtime.connectionState': connectionState,
      ...(object.getPath('summary.runtime') ? { 'summary.runtime.connectionState': connectionState } : {}),
      overallStatus: connectionState === 'notResponding' ? 'red' : 'green',
    });
    for (const [ref] of vms.onHost(host)) {
      const vm = graph.find(ref);
      if (!vm?.getPath('runtime')) continue;
      vm.update({ 'runtime.connectionState': 'disconnected', 'summary.runtime.connectionState': 'disconnected' });
    }
  }

  /** The host leaves the inventory: what it shared is no longer here. */
  withdraw(): MoRef<'Datastore' | 'Network'>[] {
    const { shared, host } = this.#options;
    return this.#sharedRefs().filter((ref) => !shared.withdraw(ref, host));
  }

  /** The host's network as the host tells it, with what carries distributed switches. */
  hostNetwork(): HostNetworkInfo | undefined {
    const [report] = this.#ofTypes('HostSystem');
    return (report?.said['config'] as HostConfigInfo | undefined)?.network;
  }

  /** Whether the host has this VM and runs it. */
  vmState(ref: MoRef<'VirtualMachine'>): { readonly isClaimed: boolean; readonly isRunning: boolean } {
    const local = this.refs.hostOf(ref);
    const report = local && this.#reports.get(moRefKey(local));
    return { isClaimed: this.#isConnected && report !== undefined, isRunning: isRunning(report) };
  }

  #note({ kind, ref, changes }: HostUpdate): void {
    const key = moRefKey(ref);
    if (kind === 'leave') {
      this.#reports.delete(key);
      this.#changed.delete(key);
      if (ref.type === 'VirtualMachine') this.#gone.push(ref);
      else this.#isStructureChanged = true;
      return;
    }
    const report = this.#reports.get(key) ?? { ref, said: {} };
    if (!this.#reports.has(key)) {
      this.#reports.set(key, report);
      this.#isStructureChanged = true;
    }
    const names = this.#changed.get(key) ?? new Map<string, unknown>();
    this.#changed.set(key, names);
    for (const { name, value: told } of changes) {
      const before = report.said[name];
      const value = ref.type === 'VirtualMachine' ? keepSame(before, told) : told;
      // Told again as it was: there is nothing to show.
      if (ref.type === 'VirtualMachine' && value === before) continue;
      if (changesIdentity(ref.type, name, before, value)) this.#isStructureChanged = true;
      if (value === undefined) delete report.said[name];
      else report.said[name] = value;
      if (!names.has(name)) names.set(name, before);
    }
  }

  /** Without a look at all the others: many go one after the other. */
  #removeVms(gone: readonly ManagedObjectReference[]): Promise<void> {
    const { inventory, host, expected, events } = this.#options;
    const steps = gone.flatMap((local): VmStep[] => {
      const ref = this.refs.centerOf(local) as MoRef<'VirtualMachine'> | undefined;
      const record = ref && inventory.find(ref);
      return record?.host.value === host.value ? [{ kind: 'remove', ref: ref as MoRef<'VirtualMachine'> }] : [];
    });
    return placeVms({ steps, inventory, host, refs: this.refs, expected, events });
  }

  async #settleStructure(): Promise<void> {
    const { inventory, index, expected, elsewhere, host, vms, events, mend } = this.#options;
    const isRenamed = await placeShared({
      inventory,
      index,
      host,
      reports: this.#ofTypes('Datastore', 'Network'),
      refs: this.refs,
      withdraw: (ref) => this.#options.shared.withdraw(ref, host),
    });
    if (isRenamed) this.#touchAll('VirtualMachine');
    const steps = planVms({
      reported: this.#reportedVms(),
      own: vms.onHost(host),
      elsewhere: (uuid) => elsewhere(uuid),
    });
    this.#hasConflicts = steps.some((step) => step.kind === 'ignore' || ('sharesUuid' in step && step.sharesUuid));
    await placeVms({ steps, inventory, host, refs: this.refs, expected, events });
    for (const step of steps) {
      if (step.kind === 'remove') continue;
      const local = moRef('VirtualMachine', step.vm.hostKey);
      if (step.kind === 'ignore') mend({ kind: 'unregister', vm: step.vm });
      else if (step.kind !== 'move' && step.sharesUuid) {
        mend({ kind: 'reidentify', ref: this.refs.centerOf(local) as MoRef<'VirtualMachine'>, vm: step.vm });
      }
      // What has just got its place is shown as a whole.
      if (step.kind === 'add' || step.kind === 'move') this.#touch(local);
    }
  }

  #publish(): void {
    const { graph } = this.#options;
    for (const [key, names] of this.#changed) {
      const report = this.#reports.get(key);
      if (!report) continue;
      const { ref, said } = report;
      if (ref.type === 'VirtualMachine') {
        this.#publishVm(report, names);
        continue;
      }
      const changes: Record<string, unknown> = {};
      for (const name of names.keys()) changes[name] = this.refs.toCenter(said[name]);
      if (ref.type === 'Datastore' || ref.type === 'Network') this.#publishShared(report);
      else if (ref.type === 'HostSystem') graph.find(this.#options.host)?.update(this.#hostFace(changes));
      else this.#publishManager(ref, changes);
    }
    this.#changed.clear();
  }

  #publishShared({ ref, said }: Report): void {
    const ours = this.refs.centerOf(ref) as MoRef<'Datastore' | 'Network'> | undefined;
    if (!ours) return;
    const inOurWords = this.refs.toCenter(said);
    const browser = browserOf(ours as MoRef<'Datastore'>);
    const local = said['browser'] as ManagedObjectReference | undefined;
    if (local) this.refs.set(local, browser);
    const own = ref.type === 'Datastore' ? { browser } : {};
    this.#options.shared.report(ours, this.#options.host, this.#owner(), { ...inOurWords, ...own });
  }

  #publishVm(report: Report, names: ReadonlyMap<string, unknown>): void {
    const { graph, inventory, lists } = this.#options;
    const { ref: local, said } = report;
    const ref = this.refs.centerOf(local) as MoRef<'VirtualMachine'> | undefined;
    const object = ref && graph.find(ref);
    const record = ref && inventory.find(ref);
    if (!object || !record) return;
    const changes: Record<string, unknown> = {};
    for (const [name, former] of names) {
      // A configuration is large, and changes in few places. Others have names of port groups in them.
      const isComparable = name === 'config' && report.configShownBy === this.refs.version;
      changes[name] = isComparable
        ? this.refs.changesToCenter(said[name], { former, mapped: object.getPath(name) })
        : this.refs.toCenter(said[name]);
      if (name === 'config') report.configShownBy = this.refs.version;
    }
    for (const property of ['datastore', 'network'] as const) {
      if (!(property in changes)) continue;
      const now = (changes[property] as MoRef[] | undefined) ?? [];
      const former = (object.getPath(property) as MoRef[] | undefined) ?? [];
      for (const one of former) if (!now.some(({ value }) => value === one.value)) lists.remove(one, 'vm', ref);
      for (const one of now) if (!former.some(({ value }) => value === one.value)) lists.add(one, 'vm', ref);
    }
    const { name: _name, resourcePool: _pool, ...rest } = changes;
    object.update({ ...rest, ...vmNames(rest, record.name), resourcePool: record.resourcePool });
    if ('summary' in rest) this.#options.vmShown(ref);
  }

  #publishManager(local: ManagedObjectReference, changes: Record<string, unknown>): void {
    const { graph, host } = this.#options;
    const entry = Object.entries(HOST_MANAGERS).find(([, type]) => type === local.type);
    if (!entry) return;
    const ref = managerOf(host, entry[0], entry[1]);
    this.refs.set(local, ref);
    graph.find(ref as MoRef)?.update(this.#networkFace(changes));
  }

  /** A HostNetworkSystem's properties. */
  #networkFace(changes: Record<string, unknown>): Record<string, unknown> {
    const { host, inventory } = this.#options;
    const info = changes['networkInfo'] as HostNetworkInfo | undefined;
    const config = changes['networkConfig'] as HostNetworkConfig | undefined;
    return {
      ...changes,
      ...(info ? { networkInfo: shownNetwork(info, host, inventory) } : {}),
      ...(config ? { networkConfig: shownConfig(config, host, inventory) } : {}),
    };
  }

  /** The host under the name that vCenter has for it, with what is listed here and not there. */
  #hostFace(changes: Record<string, unknown>): Record<string, unknown> {
    const { inventory, host, graph } = this.#options;
    const { name: _name, vm: _vm, datastore: _datastore, network: _network, ...rest } = changes;
    const name = inventory.find(host)?.name;
    const summary = rest['summary'] as HostListSummary | undefined;
    const runtime = (rest['runtime'] ?? graph.find(host)?.getPath('runtime')) as HostRuntimeInfo | undefined;
    const connected = runtime && { ...runtime, connectionState: 'connected' as const };
    const config = rest['config'] as HostConfigInfo | undefined;
    return {
      ...rest,
      ...(config?.network ? { config: { ...config, network: shownNetwork(config.network, host, inventory) } } : {}),
      ...(rest['configManager'] ? { configManager: this.#managers(rest['configManager'] as object) } : {}),
      ...(connected ? { runtime: connected, overallStatus: 'green' } : {}),
      ...(summary
        ? { summary: { ...summary, runtime: connected ?? summary.runtime, config: { ...summary.config, name } } }
        : {}),
    };
  }

  /** Of the host's managers those that vCenter shows. */
  #managers(configManager: object): object {
    const shown: Record<string, unknown> = { _typeName: 'HostConfigManager' };
    for (const [name, type] of Object.entries(HOST_MANAGERS)) {
      if (name in configManager) shown[name] = managerOf(this.#options.host, name, type);
    }
    return shown;
  }

  #reportedVms(): ReportedVm[] {
    const urls = this.#datastoreUrls();
    return this.#ofTypes('VirtualMachine').flatMap((report) => {
      const { ref, said } = report;
      const config = said['config'] as VirtualMachineConfigInfo | undefined;
      const vmPathName = config?.files.vmPathName ?? String(said['name'] ?? '');
      const datastore = /^\[([^\]]*)\]/.exec(vmPathName)?.[1];
      return [
        {
          hostKey: ref.value,
          name: String(said['name'] ?? ''),
          instanceUuid: config?.instanceUuid ?? '',
          vmPathName,
          datastoreUrl: urls.get(datastore) ?? '',
          isRunning: isRunning(report),
        },
      ];
    });
  }

  #datastoreUrls(): ReadonlyMap<unknown, string | undefined> {
    return new Map(
      this.#ofTypes('Datastore').map(({ said }) => [said['name'], (said['info'] as { url?: string } | undefined)?.url]),
    );
  }

  #ofTypes(...types: readonly string[]): Report[] {
    return [...this.#reports.values()].filter(({ ref }) => types.includes(ref.type));
  }

  #sharedRefs(): MoRef<'Datastore' | 'Network'>[] {
    return this.#ofTypes('Datastore', 'Network').flatMap(({ ref }) => {
      const ours = this.refs.centerOf(ref) as MoRef<'Datastore' | 'Network'> | undefined;
      return ours ? [ours] : [];
    });
  }

  #touchAll(type: string): void {
    for (const { ref } of this.#ofTypes(type)) this.#touch(ref);
  }

  #touch(local: ManagedObjectReference): void {
    const report = this.#reports.get(moRefKey(local));
    if (report) this.#changed.set(moRefKey(local), new Map(Object.keys(report.said).map((name) => [name, undefined])));
  }

  #owner(): MoRef<'ComputeResource'> {
    return this.#options.inventory.get(this.#options.host).parent as MoRef<'ComputeResource'>;
  }
}

export function environmentBrowserOf(owner: MoRef<'ComputeResource'>): MoRef<'EnvironmentBrowser'> {
  return moRef('EnvironmentBrowser', `envbrowser-${numberOf(owner.value)}`);
}

export function browserOf({ value }: MoRef<'Datastore' | 'HostSystem'>): MoRef<'HostDatastoreBrowser'> {
  return moRef('HostDatastoreBrowser', `datastoreBrowser-${value}`);
}

export function managerOf(host: MoRef<'HostSystem'>, name: string, type: string): ManagedObjectReference {
  return moRef(type as 'OptionManager', `${name}-${numberOf(host.value)}`);
}

function numberOf(id: string): string {
  return id.replace(/^\D+/, '');
}

/** Whether it may be another entity now, or called differently. */
function changesIdentity(type: string, name: string, before: unknown, after: unknown): boolean {
  if (type !== 'VirtualMachine') return (type === 'Datastore' || type === 'Network') && name === 'name';
  if (name === 'name') return before !== after;
  if (name !== 'config') return false;
  const [was, is] = [before, after] as (VirtualMachineConfigInfo | undefined)[];
  return was?.instanceUuid !== is?.instanceUuid || was?.files.vmPathName !== is?.files.vmPathName;
}

function isRunning(report: Report | undefined): boolean {
  return (report?.said['runtime'] as VirtualMachineRuntimeInfo | undefined)?.powerState !== 'poweredOff';
}

/** A VM that is called differently here shows that name in all places. */
function vmNames(changes: Record<string, unknown>, name: string): Record<string, unknown> {
  const config = changes['config'] as VirtualMachineConfigInfo | undefined;
  const summary = changes['summary'] as { config?: object } | undefined;
  return {
    ...(config && config.name !== name ? { config: { ...config, name } } : {}),
    ...(summary?.config ? { summary: { ...summary, config: { ...summary.config, name } } } : {}),
  };
}
