// The decision behind CreateVM_Task and ReconfigVM_Task: old configuration + spec -> new configuration + effects, or a
// fault. Touches nothing.
import {
  MethodFault,
  type OptionValue,
  type VirtualDevice,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { configFromVmx } from '../config/config-from-vmx.ts';
import { vmxFromConfig } from '../config/vmx-from-config.ts';
import { vmxPrefix } from '../device/vmx-prefix.ts';
import type { Effects, PrepareEffect } from '../effects.ts';
import type { DiskFacts, SpecEnvironment } from '../environment.ts';
import { findGuestOs } from '../guest/guest-os.ts';
import { guestProfiles } from '../guest/guest-profiles.ts';
import { applyDeviceChanges } from './apply-device-changes.ts';
import { DeviceDraft } from './device-draft.ts';
import { recordHardware } from './hardware-record.ts';
import { newConfig, surroundingsOf } from './new-config.ts';
import { planLive } from './plan-live.ts';
import { applyBoot } from './settings/boot-settings.ts';
import { mergeExtraConfig } from './settings/extra-config.ts';
import { checkFiles } from './settings/files-settings.ts';
import { applyIdentity } from './settings/identity-settings.ts';
import { applyProcessor } from './settings/processor-settings.ts';
import { applySwitches } from './settings/switch-settings.ts';
import { refuseUnsupported } from './settings/unsupported-settings.ts';

export interface ConfigChange {
  /** Write vmxFromConfig(config) to config.files.vmPathName: that is when the change is made. */
  readonly config: VirtualMachineConfigInfo;
  readonly effects: Effects;
}

/**
 * `current` absent = CreateVM: defaults of a new machine, `files.vmPathName` chosen when the spec names only a datastore
 * (config.files.vmPathName says where; the caller makes the folder before it executes the effects).
 * An empty spec on a VM that was registered from elsewhere pins its hardware and completes what its VMX left open.
 * Throws MethodFaults with property paths as vSphere does.
 */
export function applyConfigSpec(
  current: VirtualMachineConfigInfo | undefined,
  spec: VirtualMachineConfigSpec,
  env: SpecEnvironment,
): ConfigChange {
  if (spec.changeVersion && current && spec.changeVersion !== current.changeVersion) {
    throw new MethodFault('ConcurrentAccess', {});
  }
  refuseUnsupported(spec);
  checkFiles(current, spec);
  const start = current ?? newConfig(spec, env);
  const settled = applyProcessor(applySwitches(applyIdentity(start, spec), spec), spec, env);
  const draft = draftOf(settled, env);
  applyDeviceChanges(spec.deviceChange ?? [], draft);
  const drafted = {
    ...settled,
    hardware: { ...settled.hardware, device: [...draft.devices] },
    extraConfig: withoutRemoved(settled, draft.devices),
  };
  const config = settle(applyBoot(drafted, spec, draft), spec, current?.changeVersion, draft, env);
  const live = current ? planLive(current, config, env.powerState, (key) => draft.indexOf(key)) : [];
  return { config, effects: { prepare: draft.prepare, live, cleanup: draft.cleanup } };
}

function draftOf(config: VirtualMachineConfigInfo, env: SpecEnvironment): DeviceDraft {
  const settings = {
    env,
    vmPathName: config.files.vmPathName ?? '',
    uuid: config.uuid,
    profile: findGuestOs(config.guestId)?.profile ?? guestProfiles.other,
  };
  return new DeviceDraft(settings, config.hardware.device ?? []);
}

/** Through the VMX and back: what a VMX cannot hold is not part of the configuration. */
function settle(
  config: VirtualMachineConfigInfo,
  spec: VirtualMachineConfigSpec,
  changeVersion: string | undefined,
  draft: DeviceDraft,
  env: SpecEnvironment,
): VirtualMachineConfigInfo {
  const world = {
    ...surroundingsOf(env),
    findDisk: (path: string) => plannedDisk(path, draft.prepare, env),
    vmPathName: config.files.vmPathName ?? '',
    modified: env.now,
  };
  const merged = mergeExtraConfig(vmxFromConfig(config), spec.extraConfig ?? []);
  const read = configFromVmx(merged, world);
  const recorded = recordHardware(read, env);
  const version = nextVersion(changeVersion, env.now);
  // What was read from a VMX is what its VMX would be read as.
  if (recorded === read) return { ...read, changeVersion: version, modified: version };
  return configFromVmx(vmxFromConfig({ ...recorded, changeVersion: version }), world);
}

/** extraConfig without the lines of devices that are gone: `ethernet1.filter4.name` belongs to that adapter, not to the next. */
function withoutRemoved(config: VirtualMachineConfigInfo, devices: readonly VirtualDevice[]): OptionValue[] {
  const before = config.hardware.device ?? [];
  const kept = new Set(devices.map((device) => vmxPrefix(device, devices)));
  const gone = before.map((device) => vmxPrefix(device, before)).filter((prefix) => prefix && !kept.has(prefix));
  return (config.extraConfig ?? []).filter(
    ({ key }) => !gone.some((prefix) => key.toLowerCase().startsWith(`${prefix}.`)),
  );
}

/** Facts of a disk as they will be when the effects have happened. */
function plannedDisk(path: string, effects: readonly PrepareEffect[], env: SpecEnvironment): DiskFacts | undefined {
  let facts = env.findDisk(path);
  for (const effect of effects) {
    if (effect.path !== path) continue;
    if (effect.kind === 'growDisk') {
      facts = facts && { ...facts, capacityBytes: effect.capacityBytes };
      continue;
    }
    const { capacityBytes, provisioning, adapter, uuid, parent } = effect;
    const contentId = effect.contentId.slice(-8);
    facts = { capacityBytes, provisioning, adapter, uuid, contentId, ...(parent === undefined ? {} : { parent }) };
  }
  return facts;
}

/** Two changes within a millisecond still have versions of their own. */
function nextVersion(previous: string | undefined, now: string): string {
  if (previous === undefined) return now;
  if (previous !== now && !previous.startsWith(now.replace(/Z$/, ''))) return now;
  const micro = Number(/\.\d{3}(\d{3})Z$/.exec(previous)?.[1] ?? '0') + 1;
  return now.replace(/Z$/, `${`${micro}`.padStart(3, '0')}Z`);
}
