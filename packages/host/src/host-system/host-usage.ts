// How busy the machine is, between two looks: the host's quickStats.
import { cpus, freemem, totalmem, uptime } from 'node:os';
import type { MachineFacts } from './machine-facts.ts';

export interface HostUsage {
  readonly cpuMhz: number;
  readonly memoryMB: number;
  readonly uptimeSeconds: number;
}

export interface UsageSampler {
  /** What was used since the last call. */
  sample(): HostUsage;
}

export function hostUsage(facts: Pick<MachineFacts, 'cpuMhz' | 'cores'>): UsageSampler {
  let last = busyTime();
  return {
    sample() {
      const now = busyTime();
      const total = now.total - last.total;
      const share = total > 0 ? (now.busy - last.busy) / total : 0;
      last = now;
      return {
        cpuMhz: Math.round(share * facts.cpuMhz * facts.cores),
        memoryMB: Math.round((totalmem() - freemem()) / 2 ** 20),
        uptimeSeconds: Math.floor(uptime()),
      };
    },
  };
}

function busyTime(): { busy: number; total: number } {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.irq + times.idle;
    busy += all - times.idle;
    total += all;
  }
  return { busy, total };
}
