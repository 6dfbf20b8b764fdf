// ReconfigVM's effects: makes a new configuration true, in the order prepare, live, write, clean up. All or nothing up to
// the write; when it returns the change is on disk.

import { rm } from 'node:fs/promises';
import { dateTime } from '@vivarium/base';
import { MethodFault, type VirtualMachineConfigInfo, type VirtualMachineConfigSpec } from '@vivarium/vim';
import { applyConfigSpec, type CleanupEffect, type LiveEffect, type PrepareEffect } from '@vivarium/vmx';
import { describeHardware, portKey } from './hardware.ts';
import type { PowerState } from './power-state.ts';
import { specEnvironment } from './spec-environment.ts';
import { writeVmx } from './vm-files.ts';
import type { VmHost } from './vm-host.ts';
import type { Hardware, Vmm } from './vmm.ts';

export interface ChangeTarget {
  readonly host: VmHost;
  readonly id: string;
  readonly vmxFile: string;
  readonly power: PowerState;
  readonly vmm: Vmm | undefined;
}

export interface AppliedChange {
  readonly config: VirtualMachineConfigInfo;
  /** Removes what the new configuration no longer names. Never fails the change. */
  finish(): Promise<void>;
}

export async function changeConfig(
  target: ChangeTarget,
  before: VirtualMachineConfigInfo,
  spec: VirtualMachineConfigSpec,
): Promise<AppliedChange> {
  const { host, vmxFile } = target;
  const { config, effects } = applyConfigSpec(before, spec, specEnvironment(host, target.power, target.vmm));
  await using undo = new AsyncDisposableStack();
  const made = effects.prepare.filter((effect) => effect.kind === 'createDisk').map((effect) => effect.path);
  if (made.length > 0) {
    await host.journal.begin(target.id, { files: made, vmx: host.paths.format(vmxFile) });
    undo.defer(() => host.journal.end(target.id));
  }
  for (const effect of effects.prepare) await prepare(target, effect, undo);
  if (target.vmm && effects.live.length > 0) {
    const hardware = await describeHardware(host, vmxFile, config);
    const live: LiveTarget = { ...target, vmm: target.vmm, hardware, config };
    for (const effect of effects.live) await applyLive(live, effect, undo);
  }
  await writeVmx(vmxFile, config);
  undo.move();
  if (made.length > 0) await host.journal.end(target.id);
  return { config, finish: () => cleanUp(host, effects.cleanup) };
}

/** Makes the files that a configuration needs; each made file's undo is registered. */
export async function prepare(
  target: Pick<ChangeTarget, 'host' | 'vmm'>,
  effect: PrepareEffect,
  undo: AsyncDisposableStack,
): Promise<void> {
  const { host, vmm } = target;
  if (effect.kind === 'createDisk') {
    await host.disks.create(effect);
    undo.defer(() => host.disks.remove(effect.path));
    return;
  }
  // A disk cannot shrink again: growing is not undone, a larger disk than the configuration says is harmless.
  if (vmm && effect.deviceId) await vmm.devices.resizeDisk(effect.deviceId, effect.capacityBytes);
  else await host.disks.grow(effect.path, effect.capacityBytes);
}

interface LiveTarget extends ChangeTarget {
  readonly vmm: Vmm;
  readonly hardware: Hardware;
  readonly config: VirtualMachineConfigInfo;
}

type Executors = {
  [K in LiveEffect['kind']]: (target: LiveTarget, effect: LiveEffect<K>, undo: AsyncDisposableStack) => Promise<void>;
};

const executors: Executors = {
  async plugController({ vmm, hardware }, { deviceId }, undo) {
    await vmm.devices.plugController(deviceId, hardware);
    undo.defer(() => vmm.devices.unplugController(deviceId));
  },
  unplugController: ({ vmm }, { deviceId }) => vmm.devices.unplugController(deviceId),
  async plugDisk({ vmm, hardware }, { deviceId }, undo) {
    await vmm.devices.plugDisk(deviceId, hardware);
    undo.defer(() => vmm.devices.unplugDisk(deviceId));
  },
  unplugDisk: ({ vmm }, { deviceId }) => vmm.devices.unplugDisk(deviceId),
  async plugCdrom({ vmm, hardware }, { deviceId }, undo) {
    await vmm.devices.plugCdrom(deviceId, hardware);
    undo.defer(() => vmm.devices.unplugCdrom(deviceId));
  },
  unplugCdrom: ({ vmm }, { deviceId }) => vmm.devices.unplugCdrom(deviceId),
  async plugNic({ vmm, hardware }, { deviceId }, undo) {
    await vmm.devices.plugNic(deviceId, hardware);
    undo.defer(() => vmm.devices.unplugNic(deviceId));
  },
  unplugNic: ({ vmm }, { deviceId }) => vmm.devices.unplugNic(deviceId),
  moveNic: ({ vmm, config }, { deviceId, deviceKey, network, up }) =>
    vmm.devices.moveNic(deviceId, portKey(config, deviceKey), network, up),
  setNicLink: ({ vmm }, { deviceId, up }) => vmm.devices.setLink(deviceId, up),
  changeMedia: ({ vmm, host }, { deviceId, path, readOnly }) =>
    vmm.devices.changeMedium(deviceId, path === undefined ? undefined : mediumFile(host, path), readOnly),
  changeSerial: ({ vmm, hardware }, { deviceId }) => vmm.devices.changeSerial(deviceId, hardware),
  plugCpus: ({ vmm }, { count }) => vmm.devices.plugCpus(count),
  plugMemory: ({ vmm }, { memoryMB }) => vmm.devices.plugMemory(memoryMB),
  setAllocation: ({ vmm, config }) =>
    vmm.setCpu({
      shares: config.cpuAllocation?.shares?.shares ?? 1000 * config.hardware.numCPU,
      limitMhz: config.cpuAllocation?.limit ?? -1,
    }),
  setDiskLimit: ({ vmm }, { deviceId, iops }) => vmm.devices.setDiskLimit(deviceId, iops),
  // guestinfo.* has no channel into a running guest without VMware's backdoor; it is in the configuration all the same.
  setGuestInfo: () => Promise.resolve(),
};

function applyLive<K extends LiveEffect['kind']>(
  target: LiveTarget,
  effect: LiveEffect<K>,
  undo: AsyncDisposableStack,
): Promise<void> {
  return executors[effect.kind](target, effect, undo);
}

function mediumFile(host: VmHost, path: string): string {
  if (!path.startsWith('['))
    throw new MethodFault('InvalidDeviceBacking', { property: 'backing.deviceName', deviceIndex: 0 });
  return host.paths.resolve(path);
}

async function cleanUp(host: VmHost, effects: readonly CleanupEffect[]): Promise<void> {
  for (const effect of effects) {
    try {
      if (effect.kind === 'deleteDisk') await host.disks.remove(effect.path);
      else await rm(host.paths.resolve(effect.path), { force: true });
    } catch (error) {
      host.log.warn(
        { path: effect.path, err: error, at: dateTime(host.clock) },
        'a file that no VM names could not be removed',
      );
    }
  }
}
