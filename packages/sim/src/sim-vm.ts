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
  isA,
  type MoRef,
  make,
  moRef,
  type VirtualMachineConfigInfo,
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

/** VirtualMachine's properties as a host reports them. Pure but for the clock. */
export function vmProperties(state: SimVmState, clock: Clock): Readonly<Record<string, unknown>> {
  const view = viewOf(state, clock);
  const storage = storageSummary(state, clock);
  const { config, ref } = state;
  const { cpuAllocation, memoryAllocation } = config;
  const runtime = runtimeInfo(view);
  const guest = guestInfo(view);
  return {
    name: config.name,
    config,
    runtime,
    guest,
    guestHeartbeatStatus: heartbeat(view),
    summary: summary(view, storage, { runtime, guest }),
    overallStatus: overallStatus(view),
    configStatus: 'green',
    capability: vmCapability,
    environmentBrowser: ENVIRONMENT_BROWSER,
    datastore: datastoresOf(config),
    network: networksOf(config),
    rootSnapshot: [],
    storage: make('VirtualMachineStorageInfo', {
      perDatastoreUsage: datastoresOf(config).map((datastore) =>
        make('VirtualMachineUsageOnDatastore', {
          datastore,
          committed: storage.committed,
          uncommitted: storage.uncommitted,
          unshared: storage.unshared,
        }),
      ),
      timestamp: storage.timestamp,
    }),
    ...(cpuAllocation && memoryAllocation
      ? { resourceConfig: make('ResourceConfigSpec', { entity: ref, cpuAllocation, memoryAllocation }) }
      : {}),
  };
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
