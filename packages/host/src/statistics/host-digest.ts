// What the machine did between two looks at it, and what its running VMs add up to, as vSphere's host counters. Pure.
import type { MetricValue } from '@vivarium/vmomi';
import { addDatastores, type DiskRates, maxLatencyMs } from './disk-figures.ts';
import { Figures, percent, sumOf } from './figures.ts';
import type { CpuTimes, MachineReading } from './machine-reading.ts';
import { addPorts } from './port-figures.ts';
import type { MemoryKind, VmDigest } from './vm-digest.ts';

export interface TimedReading {
  /** On the monotonic clock. */
  readonly atMs: number;
  readonly machine: MachineReading;
}

export interface HostFacts {
  readonly cpuMhz: number;
  readonly cores: number;
}

/** A running VM's part in the host's figures. */
export interface VmPart {
  readonly digest: VmDigest;
  readonly reservedMhz: number;
  readonly reservedMB: number;
}

export interface HostDigest {
  readonly values: readonly MetricValue[];
  readonly cpuMhz: number;
  readonly memoryMB: number;
  readonly uptimeSeconds: number;
}

export function hostDigest(
  before: TimedReading,
  after: TimedReading,
  facts: HostFacts,
  vms: readonly VmPart[],
): HostDigest {
  const duration = Math.max(0, after.atMs - before.atMs) / 1000;
  const { machine } = after;
  const cpus = cpuTimes(before.machine.cpus, machine.cpus);
  const capacityMhz = facts.cpuMhz * facts.cores;
  const cpuMhz = busyShare(cpus) * capacityMhz;
  const usedBytes = Math.max(0, machine.memoryBytes - machine.availableBytes);
  const figures = new Figures();
  if (duration > 0) {
    addCpu(figures, cpus, cpuMhz, capacityMhz, vms);
    addSwap(figures, before.machine, machine, duration);
    addDisks(
      figures,
      vms.flatMap(({ digest }) => digest.disks),
    );
    addPorts(figures, before.machine.nics, machine.nics, duration);
  }
  addMemory(figures, machine, usedBytes, vms);
  figures.add('sys.uptime.latest', machine.uptimeSeconds);
  return {
    values: figures.values,
    cpuMhz: Math.round(cpuMhz),
    memoryMB: Math.round(usedBytes / 2 ** 20),
    uptimeSeconds: machine.uptimeSeconds,
  };
}

/** The figures of a resource pool: those of its running VMs together. */
export function poolFigures(vms: readonly VmDigest[]): readonly MetricValue[] {
  const figures = new Figures();
  const memory = memorySum(vms);
  figures.add('cpu.usagemhz.average', sumOf(vms.map(({ cpuMhz }) => cpuMhz)) ?? 0);
  figures.add('mem.consumed.average', memory('consumed') ?? 0);
  figures.add('mem.granted.average', memory('granted') ?? 0);
  figures.add('mem.active.average', memory('active'));
  figures.add('mem.shared.average', memory('shared'));
  figures.add('mem.zero.average', memory('zero'));
  figures.add('mem.swapped.average', memory('swapped') ?? 0);
  figures.add('mem.vmmemctl.average', memory('ballooned'));
  return figures.values;
}

/** Share of real memory that merging saves, of all that is merged. */
export function savedByMerging({ merged }: MachineReading): number {
  return merged && merged.bytes > 0 ? 1 - merged.behindBytes / merged.bytes : 0;
}

function addCpu(
  figures: Figures,
  cpus: readonly CpuTimes[],
  cpuMhz: number,
  capacityMhz: number,
  vms: readonly VmPart[],
): void {
  const busyMs = cpus.reduce((sum, cpu) => sum + cpu.busyMs, 0);
  const idleMs = cpus.reduce((sum, cpu) => sum + cpu.idleMs, 0);
  figures.add('cpu.usage.average', percent(busyShare(cpus)));
  figures.add('cpu.usagemhz.average', cpuMhz);
  figures.add('cpu.utilization.average', percent(busyShare(cpus)));
  figures.add('cpu.used.summation', busyMs);
  figures.add('cpu.idle.summation', idleMs);
  figures.add('cpu.ready.summation', sumOf(vms.map(({ digest }) => digest.readyMs)) ?? 0);
  figures.add('cpu.demand.average', sumOf(vms.map(({ digest }) => digest.demandMhz)) ?? 0);
  figures.add('cpu.totalCapacity.average', capacityMhz);
  figures.add('cpu.reservedCapacity.average', sumOf(vms.map(({ reservedMhz }) => reservedMhz)) ?? 0);
  for (const [index, cpu] of cpus.entries()) {
    const instance = String(index);
    figures.add('cpu.usage.average', percent(busyShare([cpu])), instance);
    figures.add('cpu.utilization.average', percent(busyShare([cpu])), instance);
    figures.add('cpu.used.summation', cpu.busyMs, instance);
    figures.add('cpu.idle.summation', cpu.idleMs, instance);
  }
}

function addMemory(figures: Figures, machine: MachineReading, usedBytes: number, vms: readonly VmPart[]): void {
  const memory = memorySum(vms.map(({ digest }) => digest));
  const reservedMB = sumOf(vms.map((vm) => vm.reservedMB)) ?? 0;
  figures.add('mem.usage.average', percent(usedBytes / machine.memoryBytes));
  figures.add('mem.consumed.average', usedBytes / 1024);
  figures.add('mem.granted.average', memory('granted') ?? 0);
  figures.add('mem.active.average', memory('active'));
  figures.add('mem.shared.average', memory('shared'));
  figures.add('mem.zero.average', memory('zero'));
  figures.add('mem.sharedcommon.average', machine.merged && machine.merged.behindBytes / 1024);
  figures.add('mem.swapused.average', memory('swapped') ?? 0);
  figures.add('mem.vmmemctl.average', memory('ballooned'));
  figures.add('mem.totalCapacity.average', machine.memoryBytes / 2 ** 20);
  figures.add('mem.reservedCapacity.average', reservedMB);
  figures.add('mem.unreserved.average', Math.max(0, machine.memoryBytes / 1024 - reservedMB * 1024));
}

function addSwap(figures: Figures, before: MachineReading, after: MachineReading, duration: number): void {
  figures.add('mem.swapinRate.average', (after.swappedInBytes - before.swappedInBytes) / 1024 / duration);
  figures.add('mem.swapoutRate.average', (after.swappedOutBytes - before.swappedOutBytes) / 1024 / duration);
}

function addDisks(figures: Figures, disks: readonly DiskRates[]): void {
  const rate = (bytes: (disk: DiskRates) => number) =>
    disks.reduce((sum, disk) => sum + bytes(disk) / 1024 / disk.duration, 0);
  const read = rate((disk) => disk.readBytes);
  const write = rate((disk) => disk.writtenBytes);
  figures.add('disk.usage.average', read + write);
  figures.add('disk.read.average', read);
  figures.add('disk.write.average', write);
  figures.add('disk.maxTotalLatency.latest', maxLatencyMs(disks) ?? 0);
  addDatastores(figures, disks);
}

/** Kilobytes of all VMs that know; undefined when none does. */
function memorySum(vms: readonly VmDigest[]): (kind: MemoryKind) => number | undefined {
  return (kind) => {
    const bytes = sumOf(vms.map(({ memory }) => memory[kind]));
    return bytes === undefined ? undefined : bytes / 1024;
  };
}

function cpuTimes(before: readonly CpuTimes[], after: readonly CpuTimes[]): CpuTimes[] {
  return after.map((now, index) => ({
    busyMs: Math.max(0, now.busyMs - (before[index]?.busyMs ?? now.busyMs)),
    idleMs: Math.max(0, now.idleMs - (before[index]?.idleMs ?? now.idleMs)),
  }));
}

function busyShare(cpus: readonly CpuTimes[]): number {
  const busy = cpus.reduce((sum, cpu) => sum + cpu.busyMs, 0);
  const all = cpus.reduce((sum, cpu) => sum + cpu.busyMs + cpu.idleMs, 0);
  return all > 0 ? busy / all : 0;
}
