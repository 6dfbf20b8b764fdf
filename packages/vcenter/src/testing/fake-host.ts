// A host for tests: says what the test makes it say, and does what a host does to its list of VMs, its switches and port groups.
// Differences from a real one: a VM is a name, a UUID, a power state and its network cards; tasks end at once; nothing is plugged.
import {
  type HostPortGroupSpec,
  type HostVirtualSwitchSpec,
  type HttpNfcLeaseInfo,
  type ManagedObjectReference,
  MethodFault,
  make,
  moRef,
  moRefKey,
} from '@vivarium/vim';
import { type FolderRequest, HostUnreachable, type HostUpdate } from '../host-link/host-link.ts';
import {
  configOf,
  configTargetOf,
  enterNetwork,
  enterVm,
  type FakeVm,
  HOST,
  networkRef,
  runtimeOf,
} from './fake-host-said.ts';
import { FakeLink } from './fake-link.ts';
import { FakePools } from './fake-pools.ts';

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
  readonly leases = new Map<string, { readonly info: HttpNfcLeaseInfo; readonly failed: PromiseWithResolvers<void> }>();
  readonly transfers: Omit<FolderRequest, 'body' | 'signal'>[] = [];
  /** The vCenter that manages it. */
  managedBy: string | undefined;
  /** It has the authority of the test's vCenter in its list. */
  trustsCenter = false;
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
    this.tell(enterVm(this, made));
    return made;
  }

  removeVm(vm: FakeVm): void {
    this.vms.delete(vm.ref.value);
    this.tell({ kind: 'leave', ref: vm.ref, changes: [] });
  }

  changed(vm: FakeVm): void {
    this.tell({ ...enterVm(this, vm), kind: 'modify' });
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
    // Nobody sends the rest: their leases time out.
    for (const lease of this.leases.keys()) this.#endLease(lease, 'HttpNfcLeaseAbort');
  }

  connect(): FakeLink {
    if (!this.isReachable) throw new HostUnreachable(`${this.address} does not answer`);
    const link = new FakeLink(this);
    this.#links.add(link);
    return link;
  }

  tell(...updates: HostUpdate[]): void {
    for (const link of this.#links) link.push({ updates, isPartial: false });
  }

  perform(target: ManagedObjectReference, method: string, args: Record<string, unknown>): unknown {
    this.calls.push({ method, target: moRefKey(target), args });
    if (target.type === 'HostNetworkSystem') return this.#changeNetwork(method, args);
    if (method === 'QueryConfigTarget') return configTargetOf(this);
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
    if (target.type === 'HttpNfcLease') return this.#endLease(target.value, method);
    if (target.type === 'SessionManager') return { id: `ticket-of-${this.address}` };
    if (method === 'EnterMaintenanceMode_Task' || method === 'ExitMaintenanceMode_Task') {
      this.inMaintenanceMode = method === 'EnterMaintenanceMode_Task';
      this.tell({ kind: 'modify', ref: target, changes: [{ name: 'runtime', value: runtimeOf(this) }] });
      return undefined;
    }
    const vm = this.vms.get(target.value);
    if (method === 'CreateVM_Task') return this.#create(args['config'] as Record<string, unknown>);
    if (method === 'RegisterVM_Task') return this.#register(String(args['path']), String(args['name']));
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
    this.leases.set(lease.value, { info, failed: Promise.withResolvers() });
    return lease;
  }

  /** A VM whose import is aborted goes; one whose import is complete stays. */
  #endLease(lease: string, method: string): void {
    if (method === 'HttpNfcLeaseProgress') return;
    const { value } = this.leases.get(lease)?.info.entity ?? {};
    const vm = value === undefined ? undefined : this.vms.get(value);
    this.leases.delete(lease);
    if (vm && method === 'HttpNfcLeaseAbort') this.removeVm(vm);
  }

  /** Knows of files only that those of a folder called `missing` are not there. */
  #touchFiles(method: string, args: Record<string, unknown>): unknown {
    const [name] = Object.values(args).filter((value) => String(value).includes('missing/'));
    if (name !== undefined) throw new MethodFault('FileNotFound', { file: String(name) });
    return method === 'CreateVirtualDisk_Task' ? args['name'] : undefined;
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
      this.tell({ kind: 'leave', ref: networkRef(pgName), changes: [] });
    } else throw new MethodFault('NotSupported');
    this.tell({ kind: 'modify', ref: HOST, changes: [{ name: 'config', value: configOf(this) }] });
    return undefined;
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

  #register(vmPathName: string, name: string): unknown {
    const { ref } = this.addVm({ name, vmPathName });
    return { _typeName: 'ManagedObjectReference', ...ref };
  }
}

/** Networks of the cards that a specification adds. */
function nicsOf(spec: object): string[] {
  const { deviceChange = [] } = spec as { deviceChange?: { device: { backing?: { deviceName?: string } } }[] };
  return deviceChange.flatMap(({ device }) => device.backing?.deviceName ?? []);
}
