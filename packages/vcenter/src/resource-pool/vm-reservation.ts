// What a VM reserves of its pool and its host while it runs. Pure.
// Source: vSphere Resource Management, admission control: a VM powers on when what it reserves is unreserved, its memory overhead
// included; VirtualMachineRuntimeInfo.memoryOverhead is told of VMs that are off as well.
import type { Resources } from '@vivarium/drs/resource-pool';
import type { VirtualMachineSummary } from '@vivarium/vim';

type Told = Pick<VirtualMachineSummary, 'config' | 'runtime'>;

const NOTHING: Resources = { cpuMhz: 0, memoryMB: 0 };

/** Memory with its overhead. Of a VM that nothing was told of: nothing. */
export function reservationOf(summary: Told | undefined): Resources {
  if (!summary) return NOTHING;
  const { cpuReservation = 0, memoryReservation = 0 } = summary.config;
  return { cpuMhz: cpuReservation, memoryMB: memoryReservation + overheadMB(summary.runtime) };
}

export function overheadMB({ memoryOverhead = 0 }: Told['runtime']): number {
  return Math.ceil(memoryOverhead / 2 ** 20);
}
