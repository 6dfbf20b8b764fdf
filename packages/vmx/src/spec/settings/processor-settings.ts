// CPUs, memory, allocations of a spec.
import {
  MethodFault,
  make,
  type ResourceAllocationInfo,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import type { SharesTable } from '../../config/shares.ts';
import { cpuShares, memoryShares, sensitivities, swapPlacements } from '../../config/topics/processor-and-memory.ts';
import type { SpecEnvironment } from '../../environment.ts';
import { checkShares } from '../check-shares.ts';
import { checkRange, invalidArgument } from '../invalid-argument.ts';

const MIN_MEMORY_MB = 4;
/** vSphere's memory sizes are multiples of 4 MB. */
const MEMORY_STEP_MB = 4;

export function applyProcessor(
  config: VirtualMachineConfigInfo,
  spec: VirtualMachineConfigSpec,
  env: SpecEnvironment,
): VirtualMachineConfigInfo {
  const numCPU =
    spec.numCPUs === undefined ? config.hardware.numCPU : checkRange(spec.numCPUs, 1, env.limits.numCPUs, 'numCPUs');
  const memoryMB = spec.memoryMB === undefined ? config.hardware.memoryMB : checkMemory(spec.memoryMB, env);
  const cpuAllocation = allocation(config.cpuAllocation, spec.cpuAllocation, cpuShares(numCPU), 'cpuAllocation');
  const memoryAllocation = allocation(
    config.memoryAllocation,
    spec.memoryAllocation,
    memoryShares(memoryMB),
    'memoryAllocation',
  );
  const isPinned = spec.memoryReservationLockedToMax ?? config.memoryReservationLockedToMax ?? false;
  if ((memoryAllocation.reservation ?? 0) > memoryMB) throw invalidArgument('memoryAllocation.reservation');
  return {
    ...config,
    hardware: {
      ...config.hardware,
      numCPU,
      ...cores(config, spec, numCPU),
      memoryMB,
      ...given(spec, 'virtualICH7MPresent'),
      ...given(spec, 'virtualSMCPresent'),
    },
    cpuAllocation,
    memoryAllocation: isPinned ? { ...memoryAllocation, reservation: memoryMB } : memoryAllocation,
    memoryReservationLockedToMax: isPinned,
    ...given(spec, 'memoryHotAddEnabled'),
    ...given(spec, 'cpuHotAddEnabled'),
    ...given(spec, 'cpuHotRemoveEnabled'),
    ...given(spec, 'nestedHVEnabled'),
    ...given(spec, 'vPMCEnabled'),
    ...latency(spec),
    ...affinity(spec, env),
    ...swap(spec),
  };
}

function given<K extends keyof VirtualMachineConfigSpec>(spec: VirtualMachineConfigSpec, key: K) {
  return spec[key] === undefined ? {} : ({ [key]: spec[key] } as Pick<VirtualMachineConfigSpec, K>); // the one key
}

function checkMemory(memoryMB: number, env: SpecEnvironment): number {
  if (!Number.isInteger(memoryMB) || memoryMB % MEMORY_STEP_MB !== 0) throw invalidArgument('memoryMB');
  if (memoryMB < MIN_MEMORY_MB || memoryMB > env.limits.memoryMB) {
    throw new MethodFault('MemorySizeNotSupported', {
      memorySizeMB: memoryMB,
      minMemorySizeMB: MIN_MEMORY_MB,
      maxMemorySizeMB: env.limits.memoryMB,
    });
  }
  return memoryMB;
}

/** Whole sockets only. 0 = automatic (vSphere 8). A number of CPUs that the sockets no longer fit falls back to one core each. */
function cores(config: VirtualMachineConfigInfo, spec: VirtualMachineConfigSpec, numCPU: number) {
  const { numCoresPerSocket } = spec;
  if (numCoresPerSocket === 0) return { numCoresPerSocket: numCPU, autoCoresPerSocket: true };
  if (numCoresPerSocket === undefined) {
    if (config.hardware.autoCoresPerSocket) return { numCoresPerSocket: numCPU };
    if (numCPU % (config.hardware.numCoresPerSocket ?? 1) !== 0) throw invalidArgument('numCoresPerSocket');
    return {};
  }
  checkRange(numCoresPerSocket, 1, numCPU, 'numCoresPerSocket');
  if (numCPU % numCoresPerSocket !== 0) throw invalidArgument('numCoresPerSocket');
  return { numCoresPerSocket, autoCoresPerSocket: false };
}

function allocation(
  current: ResourceAllocationInfo | undefined,
  wanted: ResourceAllocationInfo | undefined,
  table: SharesTable,
  name: string,
): ResourceAllocationInfo {
  const reservation = wanted?.reservation ?? current?.reservation ?? 0;
  const limit = wanted?.limit ?? current?.limit ?? -1;
  checkRange(reservation, 0, Number.MAX_SAFE_INTEGER, `${name}.reservation`);
  checkRange(limit, -1, Number.MAX_SAFE_INTEGER, `${name}.limit`);
  if (limit >= 0 && reservation > limit) throw invalidArgument(`${name}.limit`);
  return make('ResourceAllocationInfo', {
    reservation,
    expandableReservation: false,
    limit,
    shares: checkShares(wanted?.shares ?? current?.shares, table, `configSpec.${name}.shares`),
  });
}

function latency({ latencySensitivity }: VirtualMachineConfigSpec) {
  if (!latencySensitivity) return {};
  const level = sensitivities.find((known) => known === latencySensitivity.level);
  if (level === undefined) throw invalidArgument('latencySensitivity.level');
  return { latencySensitivity: make('LatencySensitivity', { level }) };
}

/** An empty set ends the affinity. */
function affinity({ cpuAffinity, memoryAffinity }: VirtualMachineConfigSpec, env: SpecEnvironment) {
  for (const number of cpuAffinity?.affinitySet ?? [])
    checkRange(number, 0, Math.max(0, env.limits.hostThreads - 1), 'cpuAffinity');
  return { ...(cpuAffinity ? { cpuAffinity } : {}), ...(memoryAffinity ? { memoryAffinity } : {}) };
}

function swap({ swapPlacement }: VirtualMachineConfigSpec) {
  if (swapPlacement === undefined) return {};
  if (!swapPlacements.some((known) => known === swapPlacement)) throw invalidArgument('swapPlacement');
  return { swapPlacement };
}
