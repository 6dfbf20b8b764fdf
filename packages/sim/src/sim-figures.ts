// Which figures simulated hosts and VMs have, and what they come to by how busy these are at a moment. Pure.
import { type CounterName, counterKey } from '@vivarium/vmomi';

/** A VM at the end of a period. */
export interface VmMoment {
  /** Share of its processors. */
  readonly load: number;
  readonly periodS: number;
  readonly numCPU: number;
  readonly cpuMhz: number;
  readonly memoryKB: number;
  readonly consumedKB: number;
  readonly upSeconds: number;
  readonly hasGuest: boolean;
}

/** A host at the end of a period. */
export interface HostMoment {
  readonly mhz: number;
  /** Share of its processors. */
  readonly load: number;
  readonly periodS: number;
  readonly consumedKB: number;
  readonly memoryBytes: number;
  readonly upSeconds: number;
}

export interface Figure<Moment> {
  readonly counter: number;
  /** In the counter's unit; rounded and not below 0 when it is told. */
  readonly of: (moment: Moment) => number;
}

export const VM_FIGURES: readonly Figure<VmMoment>[] = [
  figure('cpu.usage.average', ({ load }) => load * 10_000),
  figure('cpu.usagemhz.average', ({ load, numCPU, cpuMhz }) => load * numCPU * cpuMhz),
  figure('cpu.used.summation', ({ load, numCPU, periodS }) => load * numCPU * periodS * 1000),
  figure('cpu.ready.summation', ({ load, periodS }) => load ** 2 * periodS * 1000),
  figure('mem.usage.average', ({ load }) => (0.2 + load) * 10_000),
  figure('mem.active.average', ({ load, memoryKB }) => (0.2 + load) * memoryKB),
  figure('mem.consumed.average', ({ consumedKB }) => consumedKB),
  figure('mem.granted.average', ({ consumedKB }) => consumedKB),
  figure('mem.vmmemctl.average', () => 0),
  figure('mem.swapped.average', () => 0),
  figure('disk.usage.average', ({ load }) => load * 4_000),
  figure('disk.maxTotalLatency.latest', ({ load }) => 1 + load * 20),
  figure('net.usage.average', ({ load }) => load * 8_000),
  figure('net.received.average', ({ load }) => load * 5_000),
  figure('net.transmitted.average', ({ load }) => load * 3_000),
  figure('sys.uptime.latest', ({ upSeconds }) => upSeconds),
  figure('sys.heartbeat.summation', ({ hasGuest, periodS }) => (hasGuest ? periodS / 20 : 0)),
];

export const HOST_FIGURES: readonly Figure<HostMoment>[] = [
  figure('cpu.usage.average', ({ load }) => load * 10_000),
  figure('cpu.usagemhz.average', ({ mhz }) => mhz),
  figure('cpu.ready.summation', ({ load, periodS }) => load ** 2 * periodS * 1000),
  figure('mem.usage.average', ({ consumedKB, memoryBytes }) => ((consumedKB * 1024) / memoryBytes) * 10_000),
  figure('mem.consumed.average', ({ consumedKB }) => consumedKB),
  figure('disk.usage.average', ({ load }) => load * 40_000),
  figure('net.usage.average', ({ load }) => load * 80_000),
  figure('sys.uptime.latest', ({ upSeconds }) => upSeconds),
];

function figure<Moment>(name: CounterName, of: (moment: Moment) => number): Figure<Moment> {
  return { counter: counterKey(name), of };
}
