// A simulated VM: a real configuration, and a guest that is nothing but what it says of itself.
import { type Clock, dateTime } from '@vivarium/base';
import {
  type GuestFacts,
  guestInfo,
  heartbeat,
  memoryOverheadMB,
  overallStatus,
  type PowerState,
  runtimeInfo,
  summary,
  type VmStats,
  type VmView,
  vmCapability,
} from '@vivarium/host/view';
import {
  type GuestInfo,
  isA,
  type MoRef,
  make,
  moRef,
  type VirtualMachineConfigInfo,
  type VirtualMachineRuntimeInfo,
  type VirtualMachineStorageSummary,
} from '@vivarium/vim';
import { connectForPowerOn, disconnectForPowerOff } from '@vivarium/vmx';

/** Every host's own name for itself. */
export const HOST = moRef('HostSystem', 'ha-host');
const ENVIRONMENT_BROWSER = moRef('EnvironmentBrowser', 'ha-env-browser');

export interface SimVmState {
  readonly ref: MoRef<'VirtualMachine'>;
  readonly config: VirtualMachineConfigInfo;
  readonly power: PowerState;
  readonly guest: GuestFacts | undefined;
  readonly bootTime: string | undefined;
  readonly suspendTime: string | undefined;
  readonly cpuMhz: number;
  readonly load: { readonly cpuUsageMhz: number; readonly memoryMB: number };
}

/** The state after a start: devices are connected, the guest has its address. Pure. */
export function started(state: SimVmState, clock: Clock, guest: GuestFacts): SimVmState {
  const config = connectForPowerOn(state.config);
  return { ...state, config, power: 'poweredOn', guest, bootTime: dateTime(clock), suspendTime: undefined };
}

export function stopped(state: SimVmState): SimVmState {
  const config = disconnectForPowerOff(state.config);
  return { ...state, config, power: 'poweredOff', guest: undefined, bootTime: undefined, suspendTime: undefined };
}

export function suspended(state: SimVmState, clock: Clock): SimVmState {
  return { ...state, power: 'suspended', guest: undefined, suspendTime: dateTime(clock) };
}

/** What properties are made of; what several of them have in common is worked out once, and only when one wants it. */
class Parts {
  readonly state: SimVmState;
  readonly view: VmView;
  readonly #clock: Clock;
  #storage: VirtualMachineStorageSummary | undefined;
  #runtime: VirtualMachineRuntimeInfo | undefined;
  #guest: GuestInfo | undefined;

  constructor(state: SimVmState, clock: Clock) {
    this.state = state;
    this.view = viewOf(state, clock);
    this.#clock = clock;
  }

  get storage(): VirtualMachineStorageSummary {
    this.#storage ??= storageSummary(this.state, this.#clock);
    return this.#storage;
  }

  get runtime(): VirtualMachineRuntimeInfo {
    this.#runtime ??= runtimeInfo(this.view);
    return this.#runtime;
  }

  get guest(): GuestInfo {
    this.#guest ??= guestInfo(this.view);
    return this.#guest;
  }
}

const PROPERTIES = {
  name: ({ state }) => state.config.name,
  config: ({ state }) => state.config,
  runtime: ({ runtime }) => runtime,
  guest: ({ guest }) => guest,
  guestHeartbeatStatus: ({ view }) => heartbeat(view),
  summary: ({ view, storage, runtime, guest }) => summary(view, storage, { runtime, guest }),
  overallStatus: ({ view }) => overallStatus(view),
  configStatus: () => 'green',
  capability: () => vmCapability,
  environmentBrowser: () => ENVIRONMENT_BROWSER,
  datastore: ({ state }) => datastoresOf(state.config),
  network: ({ state }) => networksOf(state.config),
  rootSnapshot: () => [],
  storage: ({ state, storage }) => storageInfo(state, storage),
  resourceConfig: ({ state }) => resourceConfig(state),
} as const satisfies Record<string, (parts: Parts) => unknown>;

export type VmProperty = keyof typeof PROPERTIES;

const ALL = Object.keys(PROPERTIES) as VmProperty[];

/** VirtualMachine's properties as a host reports them: those that are named, in that order. Pure but for the clock. */
export function vmProperties(
  state: SimVmState,
  clock: Clock,
  names: readonly VmProperty[] = ALL,
): Readonly<Record<string, unknown>> {
  const parts = new Parts(state, clock);
  const said: Record<string, unknown> = {};
  for (const name of names) said[name] = (PROPERTIES[name] as (parts: Parts) => unknown)(parts);
  return said;
}

function storageInfo(
  { config }: SimVmState,
  { committed, uncommitted, unshared, timestamp }: VirtualMachineStorageSummary,
) {
  return make('VirtualMachineStorageInfo', {
    perDatastoreUsage: datastoresOf(config).map((datastore) =>
      make('VirtualMachineUsageOnDatastore', { datastore, committed, uncommitted, unshared }),
    ),
    timestamp,
  });
}

function resourceConfig({ ref, config: { cpuAllocation, memoryAllocation } }: SimVmState) {
  if (!cpuAllocation || !memoryAllocation) return undefined;
  return make('ResourceConfigSpec', { entity: ref, cpuAllocation, memoryAllocation });
}

function viewOf(state: SimVmState, clock: Clock): VmView {
  const { guest, bootTime, suspendTime } = state;
  const isOn = state.power === 'poweredOn';
  return {
    ref: state.ref,
    host: HOST,
    config: state.config,
    power: state.power,
    tools: guest ? 'running' : isOn ? 'unknown' : 'notRunning',
    ...(guest ? { guest } : {}),
    ...(isOn ? { stats: statsOf(state) } : {}),
    ...(bootTime && isOn ? { bootTime, uptimeSeconds: Math.floor((clock.now() - Date.parse(bootTime)) / 1000) } : {}),
    ...(suspendTime ? { suspendTime } : {}),
    consoles: 0,
    crashed: false,
    cpuMhz: state.cpuMhz,
    overheadMB: memoryOverheadMB(state.config, 'kvm'),
  };
}

/** Nothing is short on a simulated host: no VM waits for a processor, and no memory is taken back. */
function statsOf({ load: { cpuUsageMhz, memoryMB } }: SimVmState): VmStats {
  return {
    cpuUsageMhz,
    cpuDemandMhz: cpuUsageMhz,
    hostMemoryMB: memoryMB,
    grantedMB: memoryMB,
    activeMB: Math.floor(memoryMB / 2),
    sharedMB: 0,
    swappedMB: 0,
    balloonedMB: 0,
  };
}

/** Thin disks are a tenth full; nothing else takes room. */
function storageSummary({ config }: SimVmState, clock: Clock): VirtualMachineStorageSummary {
  const bytes = disksOf(config).reduce((sum, { capacityInKB }) => sum + capacityInKB * 1024, 0);
  const committed = Math.floor(bytes / 10);
  return make('VirtualMachineStorageSummary', {
    committed,
    uncommitted: bytes - committed,
    unshared: committed,
    timestamp: dateTime(clock),
  });
}

export function disksOf(config: VirtualMachineConfigInfo) {
  return (config.hardware.device ?? []).filter((device) => isA('VirtualDisk', device));
}

/** Datastore paths of the files that a VM is made of: its .vmx is the first. */
export function filesOf(config: VirtualMachineConfigInfo): string[] {
  const disks = disksOf(config).flatMap(({ backing }) =>
    isA('VirtualDeviceFileBackingInfo', backing) ? [backing.fileName] : [],
  );
  return [config.files.vmPathName ?? '', ...disks];
}

function datastoresOf(config: VirtualMachineConfigInfo): MoRef<'Datastore'>[] {
  const named = (config.hardware.device ?? []).flatMap(({ backing }) =>
    isA('VirtualDeviceFileBackingInfo', backing) && backing.datastore ? [backing.datastore] : [],
  );
  const own = /^\[([^\]]*)\]/.exec(config.files.vmPathName ?? '')?.[1];
  return unique([...(own === undefined ? [] : [moRef('Datastore', own)]), ...named]);
}

function networksOf(config: VirtualMachineConfigInfo): MoRef<'Network'>[] {
  return unique(
    (config.hardware.device ?? []).flatMap(({ backing }) =>
      isA('VirtualEthernetCardNetworkBackingInfo', backing) && backing.network ? [backing.network] : [],
    ),
  );
}

function unique<T extends { readonly value: string }>(refs: readonly T[]): T[] {
  return [...new Map(refs.map((ref) => [ref.value, ref])).values()];
}
