// The video card and the VMCI device: every VM has them, the VMX says how they are set.
import { isA, make } from '@vivarium/vim';
import { PCI_KEY, VIDEO_KEY, VMCI_KEY, VMCI_UNIT } from '../../device/fixed-devices.ts';
import type { DeviceFamily } from '../device-context.ts';
import { readFlag, readInteger, readWord, write } from '../vmx-values.ts';
import { readSlot, writeSlot } from './pci-slot.ts';

const DEFAULT_VIDEO_KB = 4096;
const DEFAULT_GRAPHICS_KB = 262_144;

export const videoAndVmci: DeviceFamily = {
  keys: /^(svga\.(vramsize|numdisplays|autodetect|graphicsmemorykb)|mks\.(enable3d|use3drenderer)|vmci0\.(present|id|unrestricted|pcislotnumber)|vmci\.filter\.enable)$/,

  read(vmx) {
    const bytes = readInteger(vmx, 'svga.vramSize');
    return [
      make('VirtualMachineVideoCard', {
        key: VIDEO_KEY,
        controllerKey: PCI_KEY,
        unitNumber: 0,
        videoRamSizeInKB: bytes !== undefined && bytes >= 1024 ? Math.floor(bytes / 1024) : DEFAULT_VIDEO_KB,
        numDisplays: readInteger(vmx, 'svga.numDisplays') ?? 1,
        useAutoDetect: readFlag(vmx, 'svga.autodetect') ?? false,
        enable3DSupport: readFlag(vmx, 'mks.enable3d') ?? false,
        use3dRenderer: readWord(vmx, 'mks.use3dRenderer', ['automatic', 'software', 'hardware']) ?? 'automatic',
        graphicsMemorySizeInKB: readInteger(vmx, 'svga.graphicsMemoryKB') ?? DEFAULT_GRAPHICS_KB,
      }),
      make('VirtualMachineVMCIDevice', {
        key: VMCI_KEY,
        slotInfo: readSlot(vmx, 'vmci0'),
        controllerKey: PCI_KEY,
        unitNumber: VMCI_UNIT,
        id: readInteger(vmx, 'vmci0.id'),
        allowUnrestrictedCommunication: readFlag(vmx, 'vmci0.unrestricted') ?? false,
        filterEnable: readFlag(vmx, 'vmci.filter.enable') ?? true,
      }),
    ];
  },

  write(vmx, devices) {
    for (const device of devices) {
      if (isA('VirtualMachineVideoCard', device)) {
        const kb = device.videoRamSizeInKB;
        write(vmx, 'svga.vramSize', kb === undefined || kb === DEFAULT_VIDEO_KB ? undefined : kb * 1024);
        write(vmx, 'svga.numDisplays', device.numDisplays, 1);
        write(vmx, 'svga.autodetect', device.useAutoDetect, false);
        write(vmx, 'mks.enable3d', device.enable3DSupport, false);
        write(vmx, 'mks.use3dRenderer', device.use3dRenderer, 'automatic');
        write(vmx, 'svga.graphicsMemoryKB', device.graphicsMemorySizeInKB, DEFAULT_GRAPHICS_KB);
      } else if (isA('VirtualMachineVMCIDevice', device)) {
        write(vmx, 'vmci0.present', true);
        write(vmx, 'vmci0.id', device.id);
        write(vmx, 'vmci0.unrestricted', device.allowUnrestrictedCommunication, false);
        write(vmx, 'vmci.filter.enable', device.filterEnable, true);
        writeSlot(vmx, 'vmci0', device);
      }
    }
  },
};
