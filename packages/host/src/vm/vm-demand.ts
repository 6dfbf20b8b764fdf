// What a VM asks of its host while it runs, from its configuration. Pure.
import { allocationOf } from '@vivarium/drs/resource-pool';
import { isA, type VirtualMachineConfigInfo } from '@vivarium/vim';
import type { VmDemand } from '../resource-pool/share-tree.ts';

// What a VMM needs besides the guest's memory, in MB. Measured with QEMU 11: a demo VM of 256 MB takes 59 MB without its guest's
// memory, and under emulation 82 MB of translated code (256 MB at most, which few guests reach).
const VMM_MB = 48;
const VCPU_MB = 4;
/** Page tables and dirty logs: a part of the guest's memory. */
const TABLES = 1 / 256;
const TRANSLATION_MB = 96;
/** QEMU's display adapter has no less. */
const MIN_VIDEO_MB = 16;

export function vmDemand(config: VirtualMachineConfigInfo, accelerator: 'kvm' | 'tcg'): VmDemand {
  const { numCPU, memoryMB } = config.hardware;
  return {
    numCPU,
    memoryMB,
    cpu: allocationOf(config.cpuAllocation, { of: 'vmCpu', numCpu: numCPU }),
    memory: allocationOf(config.memoryAllocation, { of: 'vmMemory', memoryMB }),
    overheadMB: memoryOverheadMB(config, accelerator),
  };
}

/** VirtualMachineRuntimeInfo.memoryOverhead, in MB: what is reserved for the VMM itself. */
export function memoryOverheadMB(config: VirtualMachineConfigInfo, accelerator: 'kvm' | 'tcg'): number {
  const { numCPU, memoryMB, device = [] } = config.hardware;
  const card = device.find((candidate) => isA('VirtualMachineVideoCard', candidate));
  const videoMB = isA('VirtualMachineVideoCard', card) ? (card.videoRamSizeInKB ?? 0) / 1024 : 0;
  const translation = accelerator === 'tcg' ? TRANSLATION_MB : 0;
  return Math.ceil(VMM_MB + VCPU_MB * numCPU + TABLES * memoryMB + Math.max(MIN_VIDEO_MB, videoMB) + translation);
}
