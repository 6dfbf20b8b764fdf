// The live part of a reconfiguration: brings a running machine to its new configuration, device by device. Every step
// registers the way back, as far as there is one: vCPUs and memory do not leave again.

import { dirname, join } from 'node:path';
import { MethodFault, type VirtualDevice, type VirtualMachineConfigInfo } from '@vivarium/vim';
import type { LiveEffect } from '@vivarium/vmx';
import type { Admission } from '../resource-pool/vm-resources.ts';
import { type HardwareOwner, portKey } from './hardware.ts';
import { vmDemand } from './vm-demand.ts';
import type { Hardware, Vmm } from './vmm.ts';

export interface LiveTarget extends HardwareOwner {
  readonly vmm: Vmm;
  /** What the machine is to be. */
  readonly hardware: Hardware;
  readonly config: VirtualMachineConfigInfo;
  /** What it was. */
  readonly before: VirtualMachineConfigInfo;
  readonly former: () => Promise<Hardware>;
  readonly admission: Pick<Admission, 'change' | 'correct'>;
}

/** Carries the effects out in their order. What was done before a failure is taken back by `undo`. */
export async function changeMachine(
  target: LiveTarget,
  effects: readonly LiveEffect[],
  undo: AsyncDisposableStack,
): Promise<void> {
  const way: Way = {
    back(step) {
      undo.defer(async () => {
        try {
          await step();
        } catch (error) {
          target.host.log.warn({ vm: target.id, err: error }, 'a running machine could not be changed back');
        }
      });
    },
  };
  // Last on the way back: devices leave as what they came as.
  way.back(async () => target.vmm.devices.learn(await target.former()));
  for (const effect of effects) await apply(target, effect, way);
  target.vmm.devices.learn(target.hardware);
}

interface Way {
  back(step: () => Promise<void>): void;
}

type Executors = {
  [K in LiveEffect['kind']]: (target: LiveTarget, effect: LiveEffect<K>, way: Way) => Promise<void>;
};

type Plug = 'plugController' | 'plugDisk' | 'plugCdrom' | 'plugNic';

const unplugs = {
  plugController: 'unplugController',
  plugDisk: 'unplugDisk',
  plugCdrom: 'unplugCdrom',
  plugNic: 'unplugNic',
} as const satisfies Record<Plug, keyof Vmm['devices']>;

function plug(kind: Plug) {
  return async ({ vmm, hardware }: LiveTarget, { deviceId }: { readonly deviceId: string }, way: Way) => {
    await vmm.devices[kind](deviceId, hardware);
    way.back(() => vmm.devices[unplugs[kind]](deviceId));
  };
}

function unplug(kind: Plug) {
  return async ({ vmm, former }: LiveTarget, { deviceId }: { readonly deviceId: string }, way: Way) => {
    await vmm.devices[unplugs[kind]](deviceId);
    way.back(async () => vmm.devices[kind](deviceId, await former()));
  };
}

const executors: Executors = {
  plugController: plug('plugController'),
  unplugController: unplug('plugController'),
  plugDisk: plug('plugDisk'),
  unplugDisk: unplug('plugDisk'),
  plugCdrom: plug('plugCdrom'),
  unplugCdrom: unplug('plugCdrom'),
  plugNic: plug('plugNic'),
  unplugNic: unplug('plugNic'),
  async moveNic({ vmm, id, before }, { deviceId, deviceKey, network, up }, way) {
    const port = portKey(id, deviceKey);
    const old = deviceOf(before, deviceKey);
    const former = old?.backing && 'deviceName' in old.backing ? old.backing.deviceName : undefined;
    await vmm.devices.moveNic(deviceId, port, network, up);
    if (typeof former === 'string') {
      way.back(() => vmm.devices.moveNic(deviceId, port, former, old?.connectable?.connected ?? false));
    }
  },
  async setNicLink({ vmm }, { deviceId, up }, way) {
    await vmm.devices.setLink(deviceId, up);
    way.back(() => vmm.devices.setLink(deviceId, !up));
  },
  async changeMedia({ vmm, host, vmxFile, former }, { deviceId, path, readOnly }, way) {
    await vmm.devices.changeMedium(deviceId, path === undefined ? undefined : mediumFile(path, host), readOnly);
    way.back(async () => {
      const { machine, images } = await former();
      const file = [...machine.cdroms, ...machine.floppies].find(({ id }) => id === deviceId)?.file;
      const onHost = file === undefined ? undefined : (images.get(file) ?? join(dirname(vmxFile), file));
      await vmm.devices.changeMedium(deviceId, onHost, readOnly);
    });
  },
  async changeSerial({ vmm, hardware, former }, { deviceId }, way) {
    await vmm.devices.changeSerial(deviceId, hardware);
    way.back(async () => vmm.devices.changeSerial(deviceId, await former()));
  },
  plugCpus: ({ vmm }, { count }) => vmm.devices.plugCpus(count),
  plugMemory: ({ vmm }, { memoryMB }) => vmm.devices.plugMemory(memoryMB),
  async setAllocation({ admission, host, config, before }, _effect, way) {
    admission.change(vmDemand(config, host.accelerator));
    way.back(async () => admission.correct(vmDemand(before, host.accelerator)));
  },
  async setDiskLimit({ vmm, before }, { deviceId, deviceKey, iops }, way) {
    await vmm.devices.setDiskLimit(deviceId, iops);
    const old = deviceOf(before, deviceKey) as { storageIOAllocation?: { limit?: number } } | undefined;
    const limit = old?.storageIOAllocation?.limit ?? -1;
    way.back(() => vmm.devices.setDiskLimit(deviceId, limit < 0 ? undefined : limit));
  },
  // guestinfo.* has no channel into a running guest without VMware's backdoor; it is in the configuration all the same.
  setGuestInfo: () => Promise.resolve(),
};

function apply<K extends LiveEffect['kind']>(target: LiveTarget, effect: LiveEffect<K>, way: Way): Promise<void> {
  return executors[effect.kind](target, effect, way);
}

function deviceOf(config: VirtualMachineConfigInfo, key: number): VirtualDevice | undefined {
  return config.hardware.device?.find((device) => device.key === key);
}

function mediumFile(path: string, host: LiveTarget['host']): string {
  if (!path.startsWith('['))
    throw new MethodFault('InvalidDeviceBacking', { property: 'backing.deviceName', deviceIndex: 0 });
  return host.paths.resolve(path);
}
