// How good a host would be for VMs, as numbers that are compared one after the other. Pure.
//
//   1. no host above 100 % of its CPU or memory where another is not (so an optional rule never overloads a host)
//   2. fewer optional rules broken
//   3. lower expected demand after placement, CPU or memory, whichever is higher; in steps of 1 %
//   4. more unreserved capacity left, in steps of 5 %
//   5. fewer running VMs
//   6. the order of morefs, which compareRanks leaves to its caller

import type { Amounts, HostLoad } from './host-load.ts';

export interface HostRank {
  /** Expected demand after placement / capacity. */
  readonly cpuLoad: number;
  readonly memoryLoad: number;
  readonly brokenRules: number;
  /** The unreserved part of the capacity after placement, of the scarcer resource. */
  readonly headroom: number;
  readonly vmCount: number;
}

const LOAD_STEPS = 100;
const HEADROOM_STEPS = 20;

export function rankHost(load: HostLoad, { reservation, demand, vmCount }: Amounts, brokenRules: number): HostRank {
  const { cpuMhz, memoryMB } = load.snapshot.capacity;
  return {
    cpuLoad: part(load.demandCpu + demand.cpuMhz, cpuMhz),
    memoryLoad: part(load.demandMemory + demand.memoryMB, memoryMB),
    brokenRules,
    headroom:
      1 -
      Math.max(
        part(load.reservedCpu + reservation.cpuMhz, cpuMhz),
        part(load.reservedMemory + reservation.memoryMB, memoryMB),
      ),
    vmCount: load.vmCount + vmCount,
  };
}

function part(amount: number, capacity: number): number {
  return amount === 0 ? 0 : amount / capacity;
}

/** Negative when `a` is the better host. */
export function compareRanks(a: HostRank, b: HostRank): number {
  const loadA = Math.max(a.cpuLoad, a.memoryLoad);
  const loadB = Math.max(b.cpuLoad, b.memoryLoad);
  return (
    Number(loadA > 1) - Number(loadB > 1) ||
    a.brokenRules - b.brokenRules ||
    compareSteps(loadA, loadB, LOAD_STEPS) ||
    compareSteps(b.headroom, a.headroom, HEADROOM_STEPS) ||
    a.vmCount - b.vmCount
  );
}

/** Infinity (a host that says it has no capacity) is not a number to subtract. */
function compareSteps(a: number, b: number, steps: number): number {
  const [stepA, stepB] = [Math.floor(a * steps), Math.floor(b * steps)];
  return stepA === stepB ? 0 : stepA < stepB ? -1 : 1;
}

/**
 * 1 to 5: the part of its demand that the VM can expect to get, in fifths, as the buckets of the VM DRS score are; one less for
 * each optional rule that is broken.
 */
export function ratingOf(rank: HostRank, { reservation, demand }: Amounts): number {
  const granted = (load: number, reserved: number, wanted: number) =>
    load <= 1 || wanted === 0 ? 1 : Math.max(1 / load, Math.min(1, reserved / wanted));
  const score = Math.min(
    granted(rank.cpuLoad, reservation.cpuMhz, demand.cpuMhz),
    granted(rank.memoryLoad, reservation.memoryMB, demand.memoryMB),
  );
  return Math.max(1, Math.min(5, 1 + Math.floor(score * 5)) - rank.brokenRules);
}
