// The video card and the VMCI device can be set, the rest of the chipset is as it is.
import { isA, type VirtualDevice } from '@vivarium/vim';
import type { DeviceChange, DeviceDraft } from '../device-draft.ts';
import { deviceFault } from '../device-fault.ts';

/** vSphere's bounds of the video memory, 2 MB to 256 MB; QEMU's card takes no more. */
const VIDEO_KB = { min: 2048, max: 262_144 } as const;
const MAX_DISPLAYS = 10;

export function editFixedDevice({ device, index }: DeviceChange, old: VirtualDevice, draft: DeviceDraft): void {
  if (isA('VirtualMachineVideoCard', device)) {
    const kb = device.videoRamSizeInKB ?? VIDEO_KB.min;
    const displays = device.numDisplays ?? 1;
    if (kb < VIDEO_KB.min || kb > VIDEO_KB.max)
      throw deviceFault('InvalidDeviceSpec', index, 'device.videoRamSizeInKB');
    if (displays < 1 || displays > MAX_DISPLAYS) throw deviceFault('InvalidDeviceSpec', index, 'device.numDisplays');
    draft.replace(old.key, { ...old, ...device, key: old.key });
  } else if (isA('VirtualMachineVMCIDevice', device)) {
    draft.replace(old.key, { ...old, ...device, key: old.key });
  }
}
