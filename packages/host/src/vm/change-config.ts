// ReconfigVM's effects: makes a new configuration true, in the order prepare, live, write, clean up. All or nothing up to
// the write; when it returns the change is on disk.
import { rm } from 'node:fs/promises';
import { MethodFault, type VirtualMachineConfigInfo, type VirtualMachineConfigSpec } from '@vivarium/vim';
import { applyConfigSpec, type CleanupEffect, type PrepareEffect } from '@vivarium/vmx';
import type { Admission } from '../resource-pool/vm-resources.ts';
import { changeMachine } from './change-machine.ts';
import { describeHardware } from './hardware.ts';
import { makeDisk, removeDisk } from './own-disks.ts';
import type { PowerState } from './power-state.ts';
import { specEnvironment } from './spec-environment.ts';
import { findSuspendState } from './suspend-state.ts';
import { replaceVmx } from './vm-files.ts';
import type { VmHost } from './vm-host.ts';
import type { Hardware, Vmm } from './vmm.ts';

export interface ChangeTarget {
  readonly host: VmHost;
  readonly id: string;
  readonly vmxFile: string;
  readonly power: PowerState;
  /** While it runs. */
  readonly vmm: Vmm | undefined;
  readonly admission: Admission | undefined;
}

export interface AppliedChange {
  readonly config: VirtualMachineConfigInfo;
  /** What the machine is made of now, when the change touched that. */
  readonly hardware?: Hardware;
  /** Removes what the new configuration no longer names. Never fails the change. */
  finish(): Promise<void>;
}

export async function changeConfig(
  target: ChangeTarget,
  before: VirtualMachineConfigInfo,
  spec: VirtualMachineConfigSpec,
): Promise<AppliedChange> {
  const { host, vmxFile, vmm, admission } = target;
  const { config, effects } = applyConfigSpec(before, spec, specEnvironment(host, target.power, vmm));
  if (findSuspendState(config) !== findSuspendState(before)) {
    // Whoever could write that key could make a guest continue from a state that does not belong to its disks.
    throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.extraConfig' });
  }
  const making = new DiskMaking(target, [...madeFiles(effects.prepare), ...removedDisks(effects.cleanup)]);
  await making.begin();
  let hardware: Hardware | undefined;
  {
    await using undo = new AsyncDisposableStack();
    undo.defer(() => making.undo());
    for (const effect of effects.prepare) await prepare(target, effect, making);
    if (vmm && admission && effects.live.length > 0) {
      const former = () => describeHardware(target, before);
      hardware = await describeHardware(target, config);
      await changeMachine({ ...target, vmm, admission, hardware, config, before, former }, effects.live, undo);
    }
    await replaceVmx(host, vmxFile, config, before);
    undo.move();
  }
  return {
    config,
    ...(hardware ? { hardware } : {}),
    async finish() {
      await cleanUp(target, effects.cleanup);
      await making.end();
    },
  };
}

function removedDisks(effects: readonly CleanupEffect[]): string[] {
  return effects.flatMap((effect) => (effect.kind === 'deleteDisk' ? [effect.path] : []));
}

/** Datastore paths of the disks that the effects make where none was. */
export function madeFiles(effects: readonly PrepareEffect[]): string[] {
  return effects.flatMap((effect) => (effect.kind === 'createDisk' && !effect.replace ? [effect.path] : []));
}

/** Disks that come and go with a change: noted in the journal first. Those that were made go again when the change fails. */
export class DiskMaking {
  readonly #target: Pick<ChangeTarget, 'host' | 'id' | 'vmxFile'>;
  readonly #planned: readonly string[];
  readonly #made: string[] = [];

  constructor(target: Pick<ChangeTarget, 'host' | 'id' | 'vmxFile'>, planned: readonly string[]) {
    this.#target = target;
    this.#planned = planned;
  }

  /** Throws FileAlreadyExists when somebody else makes one of the disks now. */
  async begin(): Promise<void> {
    if (this.#planned.length === 0) return;
    const { host, id, vmxFile } = this.#target;
    await host.journal.begin(id, { files: this.#planned, vmx: host.paths.format(vmxFile) });
  }

  /** Datastore paths of the disks made so far. */
  get made(): readonly string[] {
    return this.#made;
  }

  async make(effect: PrepareEffect<'createDisk'>): Promise<void> {
    await makeDisk(this.#target.host, this.#target.vmxFile, effect);
    if (!effect.replace) this.#made.push(effect.path);
  }

  /** Never throws: at the next start a note of a change that was made is found to be so. */
  async end(): Promise<void> {
    if (this.#planned.length === 0) return;
    const { host, id } = this.#target;
    await host.journal.end(id).catch((error: unknown) => {
      host.log.warn({ vm: id, err: error }, 'the end of a change could not be noted');
    });
  }

  /** Never throws: what cannot be removed now stays in the journal, for the next start. */
  async undo(): Promise<void> {
    const { host, id, vmxFile } = this.#target;
    try {
      for (const path of this.#made) await removeDisk(host, vmxFile, path);
      await this.end();
    } catch (error) {
      host.log.warn({ vm: id, disks: this.#made, err: error }, 'the disks of a failed change could not be removed');
    }
  }
}

/** Makes the files that a configuration needs. */
export async function prepare(
  { host, vmm }: Pick<ChangeTarget, 'host' | 'vmm'>,
  effect: PrepareEffect,
  making: DiskMaking,
): Promise<void> {
  if (effect.kind === 'createDisk') return making.make(effect);
  // A disk cannot shrink again: growing is not undone, a larger disk than the configuration says is harmless.
  if (!vmm || !effect.deviceId) return host.disks.grow(effect.path, effect.capacityBytes);
  await vmm.devices.resizeDisk(effect.deviceId, effect.capacityBytes);
  await host.disks.recordCapacity(effect.path, effect.capacityBytes);
}

async function cleanUp({ host, vmxFile }: ChangeTarget, effects: readonly CleanupEffect[]): Promise<void> {
  for (const effect of effects) {
    try {
      if (effect.kind === 'deleteDisk') await removeDisk(host, vmxFile, effect.path);
      else await rm(host.paths.resolve(effect.path), { force: true });
    } catch (error) {
      host.log.warn({ path: effect.path, err: error }, 'a file that no VM names could not be removed');
    }
  }
}
