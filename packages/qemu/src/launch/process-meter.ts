// What a VMM uses, read from /proc: time, memory, and how its virtual CPUs fared with the scheduler. Reads a handful of small
// files on the spot, some 100 microseconds for a VM. Nothing that would walk page tables (smaps): that takes milliseconds a GB.
import { readdirSync, readFileSync } from 'node:fs';
import { parseStat, type VmProcess } from './process-identity.ts';

export interface VcpuUsage {
  readonly index: number;
  /** Time on a processor so far. */
  readonly runNs: number;
  /** Time so far that it could have run and no processor was free. */
  readonly readyNs: number;
}

export interface ProcessUsage {
  /** CPU time so far, of all threads that ever were. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Memory that lies in the machine's swap space. */
  readonly swappedBytes: number;
  /** By index. Empty where the kernel keeps no scheduler statistics. */
  readonly vcpus: readonly VcpuUsage[];
  /** Memory whose pages are merged with equal ones (KSM); absent where the kernel does not say. */
  readonly mergedBytes?: number;
  /** Memory that KSM found to be all zeroes. */
  readonly zeroBytes?: number;
}

// Linux fixes both for x86: USER_HZ and the base page.
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

export class ProcessMeter {
  readonly #process: VmProcess;
  /** Threads by id: the index of the virtual CPU that they run, if they run one. */
  #threads: ReadonlyMap<string, number | undefined> = new Map();

  constructor(process: VmProcess) {
    this.#process = process;
  }

  /** `undefined` when the process is gone. */
  read(): ProcessUsage | undefined {
    const stat = parseStat(this.#file('stat') ?? '');
    if (!stat || stat.startTime !== this.#process.startTime) return undefined;
    const merged = parseKsm(this.#file('ksm_stat'));
    return {
      cpuSeconds: stat.cpuTicks / TICKS_PER_SECOND,
      residentBytes: stat.residentPages * PAGE_BYTES,
      swappedBytes: parseSwap(this.#file('status')),
      vcpus: this.#vcpus(),
      ...merged,
    };
  }

  #vcpus(): VcpuUsage[] {
    let names: string[] = [];
    try {
      names = readdirSync(`/proc/${this.#process.pid}/task`);
    } catch {
      // It has just ended.
    }
    // A thread keeps its name, so only new ones are asked for it.
    const known = this.#threads;
    this.#threads = new Map(
      names.map((id) => [id, known.has(id) ? known.get(id) : parseVcpuName(this.#file(`task/${id}/comm`))]),
    );
    return [...this.#threads]
      .flatMap(([id, index]) => {
        if (index === undefined) return [];
        const times = parseSchedule(this.#file(`task/${id}/schedstat`));
        return times ? [{ index, ...times }] : [];
      })
      .sort((a, b) => a.index - b.index);
  }

  #file(name: string): string | undefined {
    try {
      return readFileSync(`/proc/${this.#process.pid}/${name}`, 'latin1');
    } catch {
      return undefined; // the process or the thread ended while we read, or the kernel has no such file
    }
  }
}

/** QEMU names the threads of its virtual CPUs `CPU 0/KVM` or `CPU 0/TCG` (-name debug-threads=on). */
function parseVcpuName(name: string | undefined): number | undefined {
  const index = /^CPU (\d+)\//.exec(name ?? '')?.[1];
  return index === undefined ? undefined : Number(index);
}

/** /proc/PID/task/TID/schedstat: nanoseconds on a processor, nanoseconds waiting for one, turns. */
export function parseSchedule(text: string | undefined): Omit<VcpuUsage, 'index'> | undefined {
  const [runNs, readyNs] = (text ?? '').trim().split(' ').map(Number);
  return runNs === undefined || readyNs === undefined || !Number.isFinite(runNs + readyNs)
    ? undefined
    : { runNs, readyNs };
}

function parseSwap(status: string | undefined): number {
  return Number(/^VmSwap:\s+(\d+) kB$/m.exec(status ?? '')?.[1] ?? 0) * 1024;
}

/** /proc/PID/ksm_stat, since Linux 6.1 (zero pages since 6.6). */
export function parseKsm(text: string | undefined): Pick<ProcessUsage, 'mergedBytes' | 'zeroBytes'> {
  const bytes = (name: string) => {
    const pages = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1];
    return pages === undefined ? undefined : Number(pages) * PAGE_BYTES;
  };
  const [mergedBytes, zeroBytes] = [bytes('ksm_merging_pages'), bytes('ksm_zero_pages')];
  return {
    ...(mergedBytes === undefined ? {} : { mergedBytes }),
    ...(zeroBytes === undefined ? {} : { zeroBytes }),
  };
}
