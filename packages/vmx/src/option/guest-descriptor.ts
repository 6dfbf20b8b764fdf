// GuestOsDescriptor of a guest, out of the guest table and the profiles.
import { type GuestOsDescriptor, make } from '@vivarium/vim';
import type { GuestOs } from '../guest/guest-os.ts';
import { boolOption, intOption } from './option-values.ts';

export interface OptionLimits {
  readonly numCPUs: number;
  readonly memoryMB: number;
}

const MAX_DISKS = 60;

export function guestDescriptor(
  { guestId, family, fullName, profile }: GuestOs,
  limits: OptionLimits,
): GuestOsDescriptor {
  const supportsEfi = profile.pciExpress;
  const controllers = [...profile.controllers];
  return make('GuestOsDescriptor', {
    id: guestId,
    family,
    fullName,
    supportedMaxCPUs: limits.numCPUs,
    numSupportedPhysicalSockets: limits.numCPUs,
    numSupportedCoresPerSocket: limits.numCPUs,
    supportedMinMemMB: profile.minMemoryMB,
    supportedMaxMemMB: limits.memoryMB,
    recommendedMemMB: Math.min(profile.memoryMB, limits.memoryMB),
    recommendedColorDepth: 24,
    supportedDiskControllerList: controllers,
    recommendedSCSIController: profile.scsi,
    recommendedDiskController: profile.diskController,
    supportedNumDisks: MAX_DISKS,
    recommendedDiskSizeMB: profile.diskMB,
    recommendedCdromController: profile.cdromController,
    supportedEthernetCard: [...profile.ethernets],
    recommendedEthernetCard: profile.ethernet,
    supportsSlaveDisk: true,
    smcRequired: family === 'darwinGuestFamily',
    supportsWakeOnLan: true,
    supportsVMI: false,
    supportsMemoryHotAdd: profile.hotAdd,
    supportsCpuHotAdd: profile.hotAdd,
    supportsCpuHotRemove: false,
    supportedFirmware: supportsEfi ? ['bios', 'efi'] : ['bios'],
    recommendedFirmware: profile.firmware,
    supportedUSBControllerList: ['VirtualUSBController', 'VirtualUSBXHCIController'],
    recommendedUSBController: profile.usb,
    supports3D: false,
    recommended3D: false,
    smcRecommended: family === 'darwinGuestFamily',
    ich7mRecommended: false,
    usbRecommended: family !== 'otherGuestFamily',
    supportLevel: profile.pciExpress ? 'supported' : 'legacy',
    // Apple's guests need Apple's hardware, and its SMC.
    supportedForCreate: family !== 'darwinGuestFamily',
    vRAMSizeInKB: intOption(2048, 262_144, 4096),
    numSupportedFloppyDevices: 2,
    wakeOnLanEthernetCard: [...profile.ethernets],
    supportsPvscsiControllerForBoot: controllers.includes('ParaVirtualSCSIController'),
    diskUuidEnabled: false,
    supportsHotPlugPCI: profile.hotAdd,
    supportsSecureBoot: profile.secureBoot,
    defaultSecureBoot: false,
    persistentMemorySupported: false,
    numRecommendedPhysicalSockets: 1,
    numRecommendedCoresPerSocket: 1,
    vvtdSupported: boolOption(false, false),
    vbsSupported: boolOption(false, false),
    vsgxSupported: boolOption(false, false),
    supportsTPM20: false,
    recommendedTPM20: false,
    vwdtSupported: false,
  });
}
