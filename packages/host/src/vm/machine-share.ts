// What a VM is given while it runs, and its guest's memory, which follows that by the balloon.
import type { Logger } from '@vivarium/base';
import type { VmShare } from '../resource-pool/plan-shares.ts';
import type { Vmm } from './vmm.ts';

export interface MachineShareOptions {
  readonly log: Logger;
  readonly vm: string;
  /** A machine that is held is given something else. */
  readonly changed: () => void;
}

export class MachineShare {
  readonly #options: MachineShareOptions;
  #share: VmShare | undefined;
  #vmm: Vmm | undefined;

  constructor(options: MachineShareOptions) {
    this.#options = options;
  }

  /** VirtualMachineRuntimeInfo's maxCpuUsage and maxMemoryUsage; undefined while nothing runs. */
  get bounds(): { readonly cpuMhz: number; readonly memoryMB: number } | undefined {
    if (!this.#vmm || !this.#share) return undefined;
    return { cpuMhz: this.#share.maxCpuMhz, memoryMB: this.#share.maxMemoryMB };
  }

  /** It has changed: by the VM itself, or because of others in its pool. It may be told before the machine is there. */
  given(share: VmShare): void {
    const former = this.#share;
    this.#share = share;
    if (!this.#vmm) return;
    this.#options.changed();
    if (former?.balloonTargetMB !== share.balloonTargetMB) void this.#inflate(this.#vmm, share);
  }

  /** `targetMB`: the memory target that the machine has been told. */
  hold(vmm: Vmm, targetMB: number | undefined): void {
    this.#vmm = vmm;
    if (this.#share && this.#share.balloonTargetMB !== targetMB) void this.#inflate(vmm, this.#share);
  }

  letGo(): void {
    this.#vmm = undefined;
    this.#share = undefined;
  }

  async #inflate(vmm: Vmm, { balloonTargetMB }: VmShare): Promise<void> {
    try {
      await vmm.setMemoryTarget(balloonTargetMB);
    } catch (error) {
      this.#options.log.warn({ vm: this.#options.vm, err: error }, "a guest's memory does not follow its limit");
    }
  }
}
