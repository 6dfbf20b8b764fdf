// Which keys of a VMX are structured settings, and which a client sees and sets as extraConfig.
//
// vSphere: "Configuration parameters that would conflict with parameters that are explicitly configurable in other fields are
// silently ignored" (VirtualMachineConfigSpec.extraConfig). Some keys are both: clients have set them through extraConfig for
// twenty years, so they stay visible there and the structured field follows.
import { deviceFamilies } from './device-families.ts';
import { CONNECTED_KEY } from './devices/connectable.ts';
import { boot } from './topics/boot.ts';
import { flagsAndTools } from './topics/flags-and-tools.ts';
import { identity } from './topics/identity.ts';
import { processorAndMemory } from './topics/processor-and-memory.ts';

export const topics = [identity, processorAndMemory, boot, flagsAndTools] as const;

const exact = new Set([...topics.flatMap((topic) => topic.keys), CONNECTED_KEY]);

const shared = new Set([
  'disk.enableuuid',
  'vhv.enable',
  'vpmc.enable',
  'mem.hotadd',
  'vcpu.hotadd',
  'vcpu.hotremove',
  'firmware',
  'uefi.secureboot.enabled',
  'ctkenabled',
  'sched.cpu.latencysensitivity',
  'monitor.virtual_mmu',
  'monitor.virtual_exec',
  'remotedisplay.maxconnections',
  'tools.guest.desktop.autolock',
  'time.synchronize.allow',
  'logging',
  'vvtd.enable',
  'windows.vbs.enabled',
  'bios.forcesetuponce',
]);

/** Not shown in extraConfig: another field of the configuration says it. */
export function isStructuralKey(key: string): boolean {
  const name = key.toLowerCase();
  if (shared.has(name) || isSlotKey(name)) return false;
  return exact.has(name) || deviceFamilies.some((family) => family.keys.test(name));
}

/** A structured setting that extraConfig shows as well. */
export function isSharedKey(key: string): boolean {
  return shared.has(key.toLowerCase());
}

/** `scsi0.pciSlotNumber`: the device's slotInfo says it, and extraConfig shows it as ESXi does. */
export function isSlotKey(key: string): boolean {
  return slotKey.test(key.toLowerCase());
}

const slotKey = /^(scsi|sata|nvme|ethernet|usb|usb_xhci|ehci|vmci)\d*\.pcislotnumber$/;

/** May a client set the key through extraConfig? Our own record of the hardware is not for clients. */
export function isSettableKey(key: string): boolean {
  const name = key.toLowerCase();
  if (name.startsWith('vivarium.')) return false;
  return !isStructuralKey(name);
}
