// A host as it fills up while a set of VMs is placed.

import type { Resources } from '../resource-pool/allocation.ts';
import type { HostSnapshot } from '../snapshot/host-snapshot.ts';

/** What VMs that share a fate (kept on one host by a rule) need together. */
export interface Amounts {
  readonly reservation: Resources;
  readonly demand: Resources;
  readonly vmCount: number;
}

export interface HostLoad {
  readonly snapshot: HostSnapshot;
  reservedCpu: number;
  reservedMemory: number;
  demandCpu: number;
  demandMemory: number;
  vmCount: number;
}

export function newHostLoad(snapshot: HostSnapshot): HostLoad {
  return {
    snapshot,
    reservedCpu: snapshot.reserved.cpuMhz,
    reservedMemory: snapshot.reserved.memoryMB,
    demandCpu: snapshot.demand.cpuMhz,
    demandMemory: snapshot.demand.memoryMB,
    vmCount: snapshot.vmCount,
  };
}

/** `sign` 1 puts the VMs there, -1 takes them away. */
export function addLoad(load: HostLoad, { reservation, demand, vmCount }: Amounts, sign: 1 | -1): void {
  load.reservedCpu += sign * reservation.cpuMhz;
  load.reservedMemory += sign * reservation.memoryMB;
  load.demandCpu += sign * demand.cpuMhz;
  load.demandMemory += sign * demand.memoryMB;
  load.vmCount += sign * vmCount;
}

/** Whether what is reserved fits. A VM that reserves nothing fits on any host. */
export function hasRoom(load: HostLoad, { reservation, vmCount }: Amounts): boolean {
  const { capacity, limits } = load.snapshot;
  return (
    (reservation.cpuMhz === 0 || load.reservedCpu + reservation.cpuMhz <= capacity.cpuMhz) &&
    (reservation.memoryMB === 0 || load.reservedMemory + reservation.memoryMB <= capacity.memoryMB) &&
    load.vmCount + vmCount <= limits.maxRunningVms
  );
}
