// The VMs of a simulated host: which there are, and what the methods of VirtualMachine do to them.

import type { Clock } from '@vivarium/base';
import {
  checkPowerState,
  type EventSubject,
  type GuestFacts,
  keyStrokes,
  type VmRequest,
  vmEvent,
  vmReconfigured,
  vmRenamed,
  vmUpgraded,
} from '@vivarium/host/view';
import {
  isA,
  keepSame,
  MethodFault,
  make,
  moRef,
  type UsbScanCodeSpec,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { applyConfigSpec, type SpecEnvironment, upgradeSpec } from '@vivarium/vmx';
import type { Interner } from './interner.ts';
import { entered, left, modified, type SimNews } from './sim-news.ts';
import type { SimStorage } from './sim-storage.ts';
import {
  filesOf,
  HOST,
  type SimVmState,
  started,
  stopped,
  suspended,
  type VmProperty,
  vmProperties,
} from './sim-vm.ts';

export interface SimVmsOptions {
  readonly hostName: string;
  readonly cpuMhz: number;
  readonly clock: Clock;
  readonly interner: Interner;
  readonly news: SimNews;
  readonly storage: SimStorage;
  readonly environment: (powerState: SimVmState['power']) => SpecEnvironment;
  /** What a VM's guest says when it has started. */
  readonly guestOf: (vm: SimVmState['ref'], config: VirtualMachineConfigInfo) => GuestFacts;
  /** Throws when no VM may start. */
  readonly admit: () => void;
  readonly removed: (vm: string) => void;
}

type Args = Readonly<Record<string, unknown>>;

export class SimVms {
  readonly #options: SimVmsOptions;
  readonly #vms = new Map<string, SimVmState>();
  readonly #byName = new Map<string, string>();
  /** Files of VMs that run, by how many run with them: a datastore asks each of its hosts about each file that goes. */
  readonly #held = new Map<string, number>();
  #last = 0;

  constructor(options: SimVmsOptions) {
    this.#options = options;
  }

  get all(): readonly SimVmState[] {
    return [...this.#vms.values()];
  }

  find(id: string): SimVmState | undefined {
    return this.#vms.get(id);
  }

  /** Of the VM whose .vmx is at a datastore path. */
  configOf(path: string): VirtualMachineConfigInfo | undefined {
    for (const { config } of this.#vms.values()) if (config.files.vmPathName === path) return config;
    return undefined;
  }

  isHeld(path: string): boolean {
    return this.#held.has(path);
  }

  /** Whether a file of a VM is on the datastore. */
  isOn(datastore: string): boolean {
    return this.all.some(({ config }) => filesOf(config).some((path) => path.startsWith(`[${datastore}]`)));
  }

  isOnNetwork(portGroup: string): boolean {
    return this.all.some(({ config }) =>
      (config.hardware.device ?? []).some(
        ({ backing }) => isA('VirtualEthernetCardNetworkBackingInfo', backing) && backing.deviceName === portGroup,
      ),
    );
  }

  /** What `create` would make of a specification, without making it. */
  plan(spec: VirtualMachineConfigSpec): VirtualMachineConfigInfo {
    return applyConfigSpec(undefined, spec, this.#options.environment('poweredOff')).config;
  }

  /** As `plan`, of what was planned before. Its disks are made: what is planned next asks them how large they are. */
  planMore(former: VirtualMachineConfigInfo, spec: VirtualMachineConfigSpec): VirtualMachineConfigInfo {
    const { config } = applyConfigSpec(former, spec, this.#options.environment('poweredOff'));
    this.#options.storage.keepDisks(config);
    return config;
  }

  /** Makes a VM at once, as CreateVM_Task does in its time. Faults: those of CreateVM_Task. */
  create(spec: VirtualMachineConfigSpec): SimVmState {
    this.#requireFreeName(spec.name ?? '');
    return this.add(this.#options.interner.share(this.plan(spec)));
  }

  /** A VM of a configuration that is worked out already, on one of this host's datastores. */
  add(config: VirtualMachineConfigInfo): SimVmState {
    const { cpuMhz, storage, news, clock } = this.#options;
    this.#last += 1;
    const state: SimVmState = {
      ref: moRef('VirtualMachine', String(this.#last)),
      config,
      power: 'poweredOff',
      guest: undefined,
      bootTime: undefined,
      suspendTime: undefined,
      cpuMhz,
      load: { cpuUsageMhz: 0, memoryMB: 0 },
    };
    storage.putVmx(config.files.vmPathName ?? '', undefined);
    storage.keepDisks(config);
    this.#vms.set(state.ref.value, state);
    this.#byName.set(config.name, state.ref.value);
    if (news.isHeard) news.tell(entered(state.ref, vmProperties(state, clock)));
    return state;
  }

  /** Takes a VM away with its files, whatever it does; no error when there is none. */
  discard(id: string): void {
    const vm = this.#vms.get(id);
    if (!vm) return;
    if (vm.power !== 'poweredOff') this.#put(stopped(vm));
    this.#destroy(vm);
  }

  /** Faults: NotFound, AlreadyExists, DuplicateName, InvalidVmConfig, NotSupported. */
  register(path: string, name: string | undefined): SimVmState {
    const entry = this.#options.storage.find(path);
    if (!entry) throw new MethodFault('NotFound');
    if (entry.kind === 'file')
      throw new MethodFault('NotSupported', {}, 'an uploaded configuration cannot be registered');
    if (entry.kind !== 'vmx') throw new MethodFault('InvalidVmConfig', { property: 'path' });
    const { config } = entry;
    if (!config) throw new MethodFault('AlreadyExists', { name: path });
    this.#requireFreeName(name ?? config.name);
    return this.add(name === undefined ? config : { ...config, name });
  }

  /** Makes a VM run that is as long up as its host: the simulator begins with a past. */
  powerOn(vm: SimVmState, bootTime: string): void {
    this.#put({ ...this.#booted(allowed(vm, 'powerOn')), bootTime });
  }

  suspend(vm: SimVmState): void {
    this.#put(suspended(this.#booted(allowed(vm, 'powerOn')), this.#options.clock));
  }

  /** A method of VirtualMachine. Faults: as the real host's. */
  perform(id: string, method: string, args: Args): unknown {
    const vm = this.#vms.get(id);
    if (!vm) throw new MethodFault('ManagedObjectNotFound', { obj: moRef('VirtualMachine', id) });
    switch (method) {
      case 'PowerOnVM_Task':
        this.#options.admit();
        return this.#put(this.#booted(allowed(vm, 'powerOn')), 'VmPoweredOnEvent');
      case 'PowerOffVM_Task':
        return this.#put(stopped(allowed(vm, 'powerOff')), 'VmPoweredOffEvent');
      case 'SuspendVM_Task':
      case 'StandbyGuest':
        return this.#put(suspended(allowed(vm, 'suspend'), this.#options.clock), 'VmSuspendedEvent');
      case 'ResetVM_Task':
        return this.#put(this.#booted(allowed(vm, 'reset')), 'VmResettingEvent');
      case 'ShutdownGuest':
        return this.#put(stopped(allowed(vm, 'shutdownGuest')), 'VmGuestShutdownEvent');
      case 'RebootGuest':
        return this.#put(this.#booted(allowed(vm, 'rebootGuest')), 'VmGuestRebootEvent');
      case 'ReconfigVM_Task':
        return this.#reconfigure(vm, args['spec'] as VirtualMachineConfigSpec);
      case 'UpgradeVM_Task':
        return this.#upgrade(allowed(vm, 'upgrade'), args['version'] as string | undefined);
      case 'Rename_Task':
        return this.#reconfigure(vm, make('VirtualMachineConfigSpec', { name: String(args['newName']) }));
      case 'Destroy_Task':
        return this.#destroy(allowed(vm, 'destroy'));
      case 'UnregisterVM':
        return this.#unregister(allowed(vm, 'unregister'));
      case 'PutUsbScanCodes':
        checkPowerState('console', vm.power);
        return keyStrokes(args['spec'] as UsbScanCodeSpec).length;
      case 'RefreshStorageInfo':
      case 'Reload':
        return undefined;
      default:
        throw new MethodFault('NotSupported');
    }
  }

  #reconfigure(vm: SimVmState, spec: VirtualMachineConfigSpec): void {
    const changed = this.#change(vm, spec);
    const subject = this.#subject(changed);
    const [before, now] = [vm.config.name, changed.config.name];
    this.#options.news.post(subject, before === now ? vmReconfigured(subject, spec) : vmRenamed(subject, before, now));
  }

  #upgrade(vm: SimVmState, version: string | undefined): void {
    const spec = upgradeSpec(vm.config, version);
    const subject = this.#subject(this.#change(vm, spec));
    this.#options.news.post(subject, vmUpgraded(subject, spec.version ?? ''));
  }

  #change(vm: SimVmState, spec: VirtualMachineConfigSpec): SimVmState {
    const { environment, storage } = this.#options;
    if (spec.name !== undefined && spec.name !== vm.config.name) this.#requireFreeName(spec.name);
    const { config, effects } = applyConfigSpec(vm.config, spec, environment(vm.power));
    storage.keepDisks(config);
    for (const effect of effects.cleanup) storage.drop(effect.path);
    const changed = { ...vm, config: keepSame(vm.config, config) };
    this.#put(changed);
    return changed;
  }

  #booted(vm: SimVmState): SimVmState {
    const { clock, guestOf } = this.#options;
    const { memoryMB, numCPU } = vm.config.hardware;
    const load = { cpuUsageMhz: Math.round((vm.cpuMhz * numCPU) / 20), memoryMB: Math.floor(memoryMB / 2) };
    return { ...started(vm, clock, guestOf(vm.ref, vm.config)), load };
  }

  #put(vm: SimVmState, event?: Parameters<typeof vmEvent>[0]): void {
    const { clock, news } = this.#options;
    const former = this.#vms.get(vm.ref.value);
    this.#vms.set(vm.ref.value, vm);
    if (former && former.config.name !== vm.config.name) {
      this.#byName.delete(former.config.name);
      this.#byName.set(vm.config.name, vm.ref.value);
    }
    if (vm.power === 'poweredOn') this.#hold(vm, 1);
    if (former?.power === 'poweredOn') this.#hold(former, -1);
    if (news.isHeard) news.tell(modified(vm.ref, vmProperties(vm, clock, changedBy(former, vm))));
    if (event) news.post(this.#subject(vm), vmEvent(event, this.#subject(vm)));
  }

  #hold({ config }: SimVmState, change: 1 | -1): void {
    for (const path of filesOf(config)) {
      const count = (this.#held.get(path) ?? 0) + change;
      if (count > 0) this.#held.set(path, count);
      else this.#held.delete(path);
    }
  }

  #destroy(vm: SimVmState): void {
    const { storage } = this.#options;
    this.#remove(vm);
    for (const path of filesOf(vm.config)) storage.drop(path);
    storage.dropFolderOf(vm.config.files.vmPathName ?? '');
  }

  /** Its files stay, for whoever registers it. */
  #unregister(vm: SimVmState): void {
    this.#remove(vm);
    this.#options.storage.putVmx(vm.config.files.vmPathName ?? '', vm.config);
  }

  #remove({ ref, config }: SimVmState): void {
    this.#vms.delete(ref.value);
    if (this.#byName.get(config.name) === ref.value) this.#byName.delete(config.name);
    this.#options.removed(ref.value);
    this.#options.news.tell(left(ref));
  }

  #requireFreeName(name: string): void {
    const holder = this.#byName.get(name);
    if (holder !== undefined) throw new MethodFault('DuplicateName', { name, object: moRef('VirtualMachine', holder) });
  }

  #subject(vm: SimVmState): EventSubject {
    return { host: { ref: HOST, name: this.#options.hostName }, ref: vm.ref, name: vm.config.name };
  }
}

const AFTER_POWER = ['runtime', 'guest', 'guestHeartbeatStatus', 'summary', 'overallStatus'] as const;

/** The properties that may be others now; undefined: any. Of the configuration a power operation changes what is connected. */
function changedBy(
  former: SimVmState | undefined,
  { config, power, bootTime }: SimVmState,
): readonly VmProperty[] | undefined {
  if (former === undefined) return undefined;
  if (config === former.config) return AFTER_POWER;
  return power === former.power && bootTime === former.bootTime ? undefined : [...AFTER_POWER, 'config'];
}

function allowed(vm: SimVmState, request: VmRequest): SimVmState {
  checkPowerState(request, vm.power);
  return vm;
}
