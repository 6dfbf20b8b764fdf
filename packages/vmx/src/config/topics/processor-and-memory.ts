// CPUs, memory and what of the host they are given.
import { make, type ResourceAllocationInfo, type VirtualMachineAffinityInfo } from '@vivarium/vim';
import type { VmxFile } from '../../text/vmx-file.ts';
import { readShares, type SharesTable, writeShares } from '../shares.ts';
import type { Topic } from '../topic.ts';
import { readFlag, readInteger, readText, readWord, write } from '../vmx-values.ts';

type Part =
  | 'hardware'
  | 'cpuAllocation'
  | 'memoryAllocation'
  | 'latencySensitivity'
  | 'memoryHotAddEnabled'
  | 'cpuHotAddEnabled'
  | 'cpuHotRemoveEnabled'
  | 'cpuAffinity'
  | 'memoryAffinity'
  | 'memoryReservationLockedToMax'
  | 'nestedHVEnabled'
  | 'vPMCEnabled'
  | 'swapPlacement';

/** What a VMX means that does not say how much memory. */
const DEFAULT_MEMORY_MB = 32;
export const sensitivities = ['low', 'normal', 'medium', 'high', 'custom'] as const;
export const swapPlacements = ['inherit', 'vmDirectory', 'hostLocal'] as const;

export const processorAndMemory: Topic<Part> = {
  keys: [
    'memsize',
    'numvcpus',
    'cpuid.corespersocket',
    'ich7m.present',
    'smc.present',
    'sched.cpu.min',
    'sched.cpu.max',
    'sched.cpu.units',
    'sched.cpu.shares',
    'sched.cpu.affinity',
    'sched.cpu.latencysensitivity',
    'sched.mem.min',
    'sched.mem.minsize',
    'sched.mem.max',
    'sched.mem.shares',
    'sched.mem.affinity',
    'sched.mem.pin',
    'mem.hotadd',
    'vcpu.hotadd',
    'vcpu.hotremove',
    'vhv.enable',
    'vpmc.enable',
    'vivarium.swapplacement',
  ],

  read(vmx, devices) {
    const numCPU = Math.max(1, readInteger(vmx, 'numvcpus') ?? 1);
    const cores = readInteger(vmx, 'cpuid.coresPerSocket') ?? 1;
    const memoryMB = Math.max(4, readInteger(vmx, 'memSize') ?? DEFAULT_MEMORY_MB);
    const cpuAffinity = readAffinity(vmx, 'sched.cpu.affinity');
    const memoryAffinity = readAffinity(vmx, 'sched.mem.affinity');
    return {
      hardware: make('VirtualHardware', {
        numCPU,
        // 0 = automatic: one socket, unless vCPUs may come one by one.
        numCoresPerSocket: cores > 0 ? cores : readFlag(vmx, 'vcpu.hotadd') ? 1 : numCPU,
        autoCoresPerSocket: cores <= 0,
        memoryMB,
        virtualICH7MPresent: readFlag(vmx, 'ich7m.present') ?? false,
        virtualSMCPresent: readFlag(vmx, 'smc.present') ?? false,
        device: [...devices],
        motherboardLayout: 'i440bxHostBridge',
        simultaneousThreads: 1,
      }),
      cpuAllocation: readAllocation(vmx, 'sched.cpu', cpuShares(numCPU)),
      memoryAllocation: readAllocation(vmx, 'sched.mem', memoryShares(memoryMB)),
      latencySensitivity: make('LatencySensitivity', {
        level: readWord(vmx, 'sched.cpu.latencySensitivity', sensitivities) ?? 'normal',
      }),
      memoryHotAddEnabled: readFlag(vmx, 'mem.hotadd') ?? false,
      cpuHotAddEnabled: readFlag(vmx, 'vcpu.hotadd') ?? false,
      cpuHotRemoveEnabled: readFlag(vmx, 'vcpu.hotremove') ?? false,
      ...(cpuAffinity ? { cpuAffinity } : {}),
      ...(memoryAffinity ? { memoryAffinity } : {}),
      memoryReservationLockedToMax: readFlag(vmx, 'sched.mem.pin') ?? false,
      nestedHVEnabled: readFlag(vmx, 'vhv.enable') ?? false,
      vPMCEnabled: readFlag(vmx, 'vpmc.enable') ?? false,
      swapPlacement: readWord(vmx, 'vivarium.swapPlacement', swapPlacements) ?? 'inherit',
    };
  },

  write(vmx, config) {
    const { hardware } = config;
    write(vmx, 'numvcpus', hardware.numCPU);
    write(vmx, 'cpuid.coresPerSocket', hardware.autoCoresPerSocket ? 0 : hardware.numCoresPerSocket, 1);
    write(vmx, 'memSize', hardware.memoryMB);
    write(vmx, 'ich7m.present', hardware.virtualICH7MPresent, false);
    write(vmx, 'smc.present', hardware.virtualSMCPresent, false);
    writeAllocation(vmx, 'sched.cpu', config.cpuAllocation);
    if (vmx.has('sched.cpu.min') || vmx.has('sched.cpu.max')) write(vmx, 'sched.cpu.units', 'mhz');
    writeAllocation(vmx, 'sched.mem', config.memoryAllocation);
    write(vmx, 'sched.mem.minSize', config.memoryAllocation?.reservation, 0);
    write(vmx, 'sched.cpu.latencySensitivity', config.latencySensitivity?.level, 'normal');
    write(vmx, 'mem.hotadd', config.memoryHotAddEnabled, false);
    write(vmx, 'vcpu.hotadd', config.cpuHotAddEnabled, false);
    write(vmx, 'vcpu.hotremove', config.cpuHotRemoveEnabled, false);
    write(vmx, 'sched.cpu.affinity', config.cpuAffinity?.affinitySet?.join(','), '');
    write(vmx, 'sched.mem.affinity', config.memoryAffinity?.affinitySet?.join(','), '');
    write(vmx, 'sched.mem.pin', config.memoryReservationLockedToMax, false);
    write(vmx, 'vhv.enable', config.nestedHVEnabled, false);
    write(vmx, 'vpmc.enable', config.vPMCEnabled, false);
    write(vmx, 'vivarium.swapPlacement', config.swapPlacement, 'inherit');
  },
};

/** Shares of a level: 500, 1000, 2000 for each vCPU. */
export function cpuShares(numCPU: number): SharesTable {
  return { low: 500 * numCPU, normal: 1000 * numCPU, high: 2000 * numCPU };
}

/** 5, 10, 20 for each MB. */
export function memoryShares(memoryMB: number): SharesTable {
  return { low: 5 * memoryMB, normal: 10 * memoryMB, high: 20 * memoryMB };
}

/** MHz for the CPU, MB for memory; -1 = no limit. */
function readAllocation(vmx: VmxFile, prefix: string, table: SharesTable): ResourceAllocationInfo {
  return make('ResourceAllocationInfo', {
    reservation: Math.max(0, readInteger(vmx, `${prefix}.min`) ?? 0),
    expandableReservation: false,
    limit: Math.max(-1, readInteger(vmx, `${prefix}.max`) ?? -1),
    shares: readShares(vmx, `${prefix}.shares`, table),
  });
}

function writeAllocation(vmx: VmxFile, prefix: string, allocation: ResourceAllocationInfo | undefined): void {
  write(vmx, `${prefix}.min`, allocation?.reservation, 0);
  write(vmx, `${prefix}.max`, allocation?.limit, -1);
  writeShares(vmx, `${prefix}.shares`, allocation?.shares);
}

function readAffinity(vmx: VmxFile, key: string): VirtualMachineAffinityInfo | undefined {
  const text = readText(vmx, key)?.trim() ?? 'all';
  if (!/^\d{1,4}(\s*,\s*\d{1,4}){0,1023}$/.test(text)) return undefined;
  return make('VirtualMachineAffinityInfo', { affinitySet: text.split(',').map(Number) });
}
