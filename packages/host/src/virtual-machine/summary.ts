// VirtualMachine.summary: the digest that inventories are listed from. Pure.
import {
  type GuestInfo,
  isA,
  make,
  type VirtualMachineRuntimeInfo,
  type VirtualMachineStorageSummary,
  type VirtualMachineSummary,
} from '@vivarium/vim';
import type { VmView } from '../vm/vm-view.ts';
import { guestInfo } from './guest-info.ts';
import { runtimeInfo } from './runtime-info.ts';

/** `known`: of the same view, where they have been worked out already. */
export function summary(
  view: VmView,
  storage: VirtualMachineStorageSummary | undefined,
  known: { readonly runtime?: VirtualMachineRuntimeInfo; readonly guest?: GuestInfo } = {},
): VirtualMachineSummary {
  const guest = known.guest ?? guestInfo(view);
  return make('VirtualMachineSummary', {
    vm: view.ref,
    runtime: known.runtime ?? runtimeInfo(view),
    guest: make('VirtualMachineGuestSummary', {
      ...pick(guest, ['guestId', 'guestFullName', 'toolsStatus', 'toolsVersionStatus', 'toolsVersionStatus2']),
      ...pick(guest, ['toolsRunningStatus', 'hostName', 'ipAddress', 'hwVersion']),
    }),
    config: configSummary(view),
    storage,
    quickStats: quickStats(view),
    overallStatus: overallStatus(view),
  });
}

/** Red as long as the VM waits for an answer, as vSphere shows it; green otherwise. */
export function overallStatus(view: VmView): 'green' | 'red' {
  return view.question ? 'red' : 'green';
}

/** `ManagedEntity` heartbeat colour: gray without an agent. */
export function heartbeat(view: VmView): 'green' | 'gray' {
  return view.power === 'poweredOn' && view.tools === 'running' ? 'green' : 'gray';
}

function configSummary({ config }: VmView) {
  const devices = config.hardware.device ?? [];
  return make('VirtualMachineConfigSummary', {
    name: config.name,
    template: config.template,
    vmPathName: config.files.vmPathName ?? '',
    memorySizeMB: config.hardware.memoryMB,
    cpuReservation: config.cpuAllocation?.reservation ?? 0,
    memoryReservation: config.memoryAllocation?.reservation ?? 0,
    numCpu: config.hardware.numCPU,
    numEthernetCards: devices.filter((device) => isA('VirtualEthernetCard', device)).length,
    numVirtualDisks: devices.filter((device) => isA('VirtualDisk', device)).length,
    uuid: config.uuid,
    instanceUuid: config.instanceUuid,
    guestId: config.guestId,
    guestFullName: config.guestFullName,
    annotation: config.annotation ?? '',
    installBootRequired: false,
    managedBy: config.managedBy,
    tpmPresent: false,
    hwVersion: config.version,
  });
}

function quickStats(view: VmView) {
  const { stats } = view;
  return make('VirtualMachineQuickStats', {
    overallCpuUsage: stats?.cpuUsageMhz ?? 0,
    overallCpuDemand: stats?.cpuDemandMhz ?? 0,
    guestMemoryUsage: stats?.activeMB ?? 0,
    hostMemoryUsage: stats?.hostMemoryMB ?? 0,
    guestHeartbeatStatus: heartbeat(view),
    grantedMemory: stats?.grantedMB ?? 0,
    privateMemory: stats ? Math.max(0, stats.grantedMB - stats.sharedMB) : 0,
    sharedMemory: stats?.sharedMB ?? 0,
    swappedMemory: stats?.swappedMB ?? 0,
    balloonedMemory: stats?.balloonedMB ?? 0,
    compressedMemory: 0,
    uptimeSeconds: view.uptimeSeconds ?? 0,
  });
}

function pick<T extends object, K extends keyof T>(value: T, keys: readonly K[]): Partial<Pick<T, K>> {
  const picked: Partial<Pick<T, K>> = {};
  for (const key of keys) if (value[key] !== undefined) picked[key] = value[key];
  return picked;
}
