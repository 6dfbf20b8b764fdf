// The root resource pool of a host: all that the machine has, unlimited. Pure.
import { make, type ResourceConfigSpec, type ResourcePoolRuntimeInfo } from '@vivarium/vim';
import { refs } from '../inventory/refs.ts';

export interface PoolCapacity {
  readonly cpuMhz: number;
  readonly memoryBytes: number;
}

export function poolConfig(capacity: PoolCapacity): ResourceConfigSpec {
  const allocation = (reservation: number) =>
    make('ResourceAllocationInfo', {
      reservation,
      expandableReservation: false,
      limit: reservation,
      shares: make('SharesInfo', { shares: 4000, level: 'normal' }),
    });
  return make('ResourceConfigSpec', {
    entity: refs.resourcePool,
    cpuAllocation: allocation(capacity.cpuMhz),
    memoryAllocation: allocation(Math.floor(capacity.memoryBytes / 2 ** 20)),
  });
}

/** `used`: what the running VMs use now. */
export function poolRuntime(
  capacity: PoolCapacity,
  used: { readonly cpuMhz: number; readonly memoryBytes: number },
): ResourcePoolRuntimeInfo {
  const usage = (maxUsage: number, overallUsage: number) =>
    make('ResourcePoolResourceUsage', {
      reservationUsed: 0,
      reservationUsedForVm: 0,
      unreservedForPool: maxUsage,
      unreservedForVm: maxUsage,
      overallUsage,
      maxUsage,
    });
  return make('ResourcePoolRuntimeInfo', {
    memory: usage(capacity.memoryBytes, used.memoryBytes),
    cpu: usage(capacity.cpuMhz, used.cpuMhz),
    overallStatus: 'green',
  });
}
