// One look at the machine: what its processors, its memory and its network cards have done so far. Reads /proc and /sys.
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { vmnicName } from '../network/adapters/physical-adapter.ts';
import type { DeviceCounters } from '../network/linux/device-counters.ts';
import { readDeviceCounters } from '../network/linux/device-counters.ts';
import { readPhysicalDevices } from '../network/machine/machine-network.ts';
import type { NetworkProvider } from '../network/provider.ts';

export interface CpuTimes {
  /** Milliseconds since the machine's start. */
  readonly busyMs: number;
  readonly idleMs: number;
}

export interface MachineReading {
  /** Logical CPUs in the order of their numbers. */
  readonly cpus: readonly CpuTimes[];
  readonly memoryBytes: number;
  /** Memory that could be had without swapping. */
  readonly availableBytes: number;
  /** Since the machine's start. */
  readonly swappedInBytes: number;
  readonly swappedOutBytes: number;
  /** Pages of all processes that are merged, and the memory that stands behind them; absent without KSM. */
  readonly merged?: { readonly bytes: number; readonly behindBytes: number };
  /** By vmnic. */
  readonly nics: ReadonlyMap<string, DeviceCounters>;
  readonly uptimeSeconds: number;
}

/** USER_HZ is 100 on x86. */
const TICK_MS = 10;
const PAGE_BYTES = 4096;

/** How to look. `network`: the host's; one that has no adapters of its own speaks by the machine's. */
export function machineReader(network: Pick<NetworkProvider, 'adapterCounters'>): () => MachineReading {
  // Which cards the machine has is asked once: hot-plugged ones are seen after a restart.
  const cards = readPhysicalDevices().map(({ device }, index) => ({ device, name: vmnicName(index) }));
  return () => {
    const own = network.adapterCounters();
    const swap = readFileSync('/proc/vmstat', 'latin1');
    const merged = readMerged();
    const devices = readDeviceCounters();
    return {
      cpus: parseCpuTimes(readFileSync('/proc/stat', 'latin1')),
      ...parseMemory(readFileSync('/proc/meminfo', 'latin1')),
      swappedInBytes: number(swap, /^pswpin (\d+)$/m) * PAGE_BYTES,
      swappedOutBytes: number(swap, /^pswpout (\d+)$/m) * PAGE_BYTES,
      ...(merged ? { merged } : {}),
      nics:
        own.size > 0
          ? own
          : new Map(
              cards.flatMap(({ device, name }) => {
                const counters = devices.get(device);
                return counters ? [[name, counters] as const] : [];
              }),
            ),
      uptimeSeconds: Math.floor(uptime()),
    };
  };
}

/** The lines `cpuN` of /proc/stat (proc(5)): user nice system idle iowait irq softirq steal. Stolen time is nobody's here. */
export function parseCpuTimes(stat: string): CpuTimes[] {
  return [...stat.matchAll(/^cpu\d+ (.+)$/gm)].map(([, fields = '']) => {
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0] = fields.split(' ').map(Number);
    return { busyMs: (user + nice + system + irq + softirq) * TICK_MS, idleMs: (idle + iowait) * TICK_MS };
  });
}

export function parseMemory(meminfo: string): Pick<MachineReading, 'memoryBytes' | 'availableBytes'> {
  return {
    memoryBytes: number(meminfo, /^MemTotal:\s+(\d+) kB$/m) * 1024,
    availableBytes: number(meminfo, /^MemAvailable:\s+(\d+) kB$/m) * 1024,
  };
}

function readMerged(): MachineReading['merged'] {
  try {
    const pages = (name: string) => Number(readFileSync(`/sys/kernel/mm/ksm/${name}`, 'latin1'));
    const behindBytes = pages('pages_shared') * PAGE_BYTES;
    return { bytes: pages('pages_sharing') * PAGE_BYTES + behindBytes, behindBytes };
  } catch {
    return undefined; // a kernel without KSM
  }
}

function number(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}
