// What a VM that is not running is taken to want once it runs: all that it is configured with, as DRS assumes at initial placement.

import type { Resources } from '../resource-pool/allocation.ts';

export interface ConfiguredSize {
  readonly numCpu: number;
  readonly memoryMB: number;
  readonly reservation: Resources;
  /** Infinity where there is none. */
  readonly limit: Resources;
}

/** `mhzPerCpu`: what one logical CPU of the hosts does. */
export function expectedDemand(vm: ConfiguredSize, mhzPerCpu: number): Resources {
  return {
    cpuMhz: Math.max(vm.reservation.cpuMhz, Math.min(vm.limit.cpuMhz, vm.numCpu * mhzPerCpu)),
    memoryMB: Math.max(vm.reservation.memoryMB, Math.min(vm.limit.memoryMB, vm.memoryMB)),
  };
}
