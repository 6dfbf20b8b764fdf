// What a VM used between two looks at it, as vSphere's counters. Pure. What was not measured has no counter.
//
// CPU time of a VM is all of its VMM's (`used`); `run`, `ready` and `wait` are those of the threads of its virtual CPUs, by the
// kernel's scheduler. A virtual CPU's thread sleeps when the guest halts the CPU (and, seldom and short, for QEMU's own
// lock): wait and idle are the same time here.
import type { MetricValue } from '@vivarium/vmomi';
import type { PortStatistics } from '../network/provider.ts';
import type { VmStats } from '../vm/vm-view.ts';
import type { VcpuTimes, VmmUsage } from '../vm/vmm.ts';
import { addDisks, type DiskPlace, type DiskRates, diskRates } from './disk-figures.ts';
import { Figures, percent, sumOf } from './figures.ts';
import { addPorts } from './port-figures.ts';

/** One look. */
export interface VmReading {
  /** On the monotonic clock. */
  readonly atMs: number;
  readonly usage: VmmUsage;
  /** Counters of the VM's adapters, by device key. */
  readonly nics: ReadonlyMap<string, PortStatistics>;
  /** Answers of the guest's agent so far; undefined = it has never answered. */
  readonly heartbeats?: number;
}

/** What does not change by itself. */
export interface VmFacts {
  /** The host's clock: one core's worth of MHz. */
  readonly cpuMhz: number;
  readonly numCpu: number;
  readonly memoryBytes: number;
  /** By id of the machine model. */
  readonly disks: ReadonlyMap<string, DiskPlace>;
  readonly uptimeSeconds?: number;
  /** Share of shared memory that sharing really saves: 1 − pages behind it / pages of it, on the whole machine. */
  readonly savedByMerging: number;
}

/** The digest of an interval that hosts, pools and quickStats add up. Bytes, bytes a second, milliseconds. */
export interface VmDigest {
  readonly stats: VmStats;
  readonly values: readonly MetricValue[];
  readonly cpuMhz: number;
  readonly demandMhz: number;
  readonly readyMs: number | undefined;
  readonly memory: Readonly<Record<MemoryKind, number | undefined>>;
  readonly disks: readonly DiskRates[];
}

export type MemoryKind = 'consumed' | 'granted' | 'active' | 'shared' | 'zero' | 'swapped' | 'ballooned';

/** Two looks at one machine, the earlier first. Of one look alone (given twice) the memory is known, the load is not. */
export function vmDigest(before: VmReading, after: VmReading, facts: VmFacts): VmDigest {
  const duration = Math.max(0, after.atMs - before.atMs) / 1000;
  const memory = memoryOf(after.usage, facts);
  const vcpus = vcpuTimes(before.usage.vcpus, after.usage.vcpus);
  const readyMs = sumOf(vcpus.map(({ readyNs }) => readyNs / 1e6));
  const used = Math.max(0, after.usage.cpuSeconds - before.usage.cpuSeconds);
  const mhz = (seconds: number) => (duration > 0 ? (seconds / duration) * facts.cpuMhz : 0);
  const cpuMhz = mhz(used);
  const demandMhz = mhz(used + (readyMs ?? 0) / 1000);
  const disks = duration > 0 ? diskRates(before.usage.disks, after.usage.disks, facts.disks, duration) : [];
  const figures = new Figures();
  if (duration > 0) {
    addCpu(figures, { used, vcpus, readyMs, duration, cpuMhz, demandMhz }, facts);
    const throttled = difference(before.usage.throttledNs, after.usage.throttledNs);
    figures.add('cpu.maxlimited.summation', throttled === undefined ? undefined : throttled / 1e6);
    addDisks(figures, disks);
    addPorts(figures, before.nics, after.nics, duration);
    figures.add('sys.heartbeat.summation', difference(before.heartbeats, after.heartbeats));
  }
  addMemory(figures, memory, facts);
  figures.add('sys.uptime.latest', facts.uptimeSeconds);
  return {
    stats: statsOf(cpuMhz, demandMhz, after.usage, memory),
    values: figures.values,
    cpuMhz,
    demandMhz,
    readyMs,
    memory,
    disks,
  };
}

interface Cpu {
  /** Seconds. */
  readonly used: number;
  readonly vcpus: readonly VcpuTimes[];
  readonly readyMs: number | undefined;
  readonly duration: number;
  readonly cpuMhz: number;
  readonly demandMhz: number;
}

function addCpu(figures: Figures, { used, vcpus, readyMs, duration, cpuMhz, demandMhz }: Cpu, facts: VmFacts): void {
  const all = facts.numCpu * duration;
  figures.add('cpu.usage.average', percent(used / all));
  figures.add('cpu.usagemhz.average', cpuMhz);
  figures.add('cpu.used.summation', used * 1000);
  if (vcpus.length === 0 || readyMs === undefined) return;
  const runMs = vcpus.reduce((sum, { runNs }) => sum + runNs / 1e6, 0);
  const waitMs = Math.max(0, vcpus.length * duration * 1000 - runMs - readyMs);
  figures.add('cpu.demand.average', demandMhz);
  figures.add('cpu.run.summation', runMs);
  figures.add('cpu.system.summation', Math.max(0, used * 1000 - runMs));
  figures.add('cpu.ready.summation', readyMs);
  figures.add('cpu.readiness.average', percent(readyMs / 1000 / all));
  figures.add('cpu.wait.summation', waitMs);
  figures.add('cpu.idle.summation', waitMs);
  for (const { index, runNs, readyNs } of vcpus) {
    const [run, ready] = [runNs / 1e6, readyNs / 1e6];
    const wait = Math.max(0, duration * 1000 - run - ready);
    const instance = String(index);
    figures.add('cpu.usagemhz.average', (run / 1000 / duration) * facts.cpuMhz, instance);
    figures.add('cpu.used.summation', run, instance);
    figures.add('cpu.run.summation', run, instance);
    figures.add('cpu.ready.summation', ready, instance);
    figures.add('cpu.wait.summation', wait, instance);
    figures.add('cpu.idle.summation', wait, instance);
  }
}

function addMemory(figures: Figures, memory: VmDigest['memory'], facts: VmFacts): void {
  const kiloBytes = (bytes: number | undefined) => (bytes === undefined ? undefined : bytes / 1024);
  figures.add(
    'mem.usage.average',
    memory.active === undefined ? undefined : percent(memory.active / facts.memoryBytes),
  );
  figures.add('mem.active.average', kiloBytes(memory.active));
  figures.add('mem.consumed.average', kiloBytes(memory.consumed));
  figures.add('mem.granted.average', kiloBytes(memory.granted));
  figures.add('mem.shared.average', kiloBytes(memory.shared));
  figures.add('mem.zero.average', kiloBytes(memory.zero));
  figures.add('mem.swapped.average', kiloBytes(memory.swapped));
  figures.add('mem.vmmemctl.average', kiloBytes(memory.ballooned));
}

/** The VMM's own memory is part of consumed and granted: Linux does not say which of its pages are the guest's. */
function memoryOf(usage: VmmUsage, { savedByMerging }: VmFacts): VmDigest['memory'] {
  const { residentBytes, sharedBytes, zeroBytes } = usage;
  return {
    granted: residentBytes,
    consumed: Math.max(0, residentBytes - (sharedBytes ?? 0) * savedByMerging),
    active: usage.activeBytes,
    shared: sharedBytes === undefined ? undefined : sharedBytes + (zeroBytes ?? 0),
    zero: zeroBytes,
    swapped: usage.swappedBytes,
    ballooned: usage.balloonedBytes,
  };
}

/** Of the virtual CPUs that were there both times: one that was plugged in between has no full interval. */
function vcpuTimes(before: readonly VcpuTimes[], after: readonly VcpuTimes[]): VcpuTimes[] {
  return after.flatMap(({ index, runNs, readyNs }) => {
    const then = before.find((vcpu) => vcpu.index === index);
    if (!then) return [];
    return { index, runNs: Math.max(0, runNs - then.runNs), readyNs: Math.max(0, readyNs - then.readyNs) };
  });
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return after === undefined ? undefined : after - (before ?? 0);
}

function statsOf(cpuMhz: number, demandMhz: number, usage: VmmUsage, memory: VmDigest['memory']): VmStats {
  const megaBytes = (bytes: number) => Math.round(bytes / 2 ** 20);
  return {
    cpuUsageMhz: Math.round(cpuMhz),
    cpuDemandMhz: Math.round(demandMhz),
    hostMemoryMB: megaBytes(memory.consumed ?? 0),
    grantedMB: megaBytes(usage.residentBytes),
    sharedMB: megaBytes(memory.shared ?? 0),
    swappedMB: megaBytes(usage.swappedBytes),
    balloonedMB: megaBytes(usage.balloonedBytes ?? 0),
    ...(usage.activeBytes === undefined ? {} : { activeMB: megaBytes(usage.activeBytes) }),
  };
}
