// Which virtual hardware suits a kind of guest, as vSphere recommends it. Data only.
import type { DataTypes } from '@vivarium/vim';

type TypeName = keyof DataTypes;

export interface GuestProfile {
  readonly scsi: TypeName;
  readonly diskController: TypeName;
  readonly cdromController: TypeName;
  readonly ethernet: TypeName;
  /** What the guest has drivers for, best last; the first ones of the lists in GuestOsDescriptor. */
  readonly controllers: readonly TypeName[];
  readonly ethernets: readonly TypeName[];
  readonly memoryMB: number;
  readonly minMemoryMB: number;
  readonly diskMB: number;
  readonly firmware: 'bios' | 'efi';
  readonly secureBoot: boolean;
  readonly usb: 'VirtualUSBController' | 'VirtualUSBXHCIController';
  /** Does the guest cope with memory or vCPUs that appear while it runs? */
  readonly hotAdd: boolean;
  /** Does it know PCI Express? Guests that do not get QEMU's i440fx machine. */
  readonly pciExpress: boolean;
}

const oldDisks = ['VirtualIDEController', 'VirtualBusLogicController', 'VirtualLsiLogicController'] as const;
const allDisks = [
  'VirtualIDEController',
  'VirtualBusLogicController',
  'VirtualLsiLogicController',
  'VirtualLsiLogicSASController',
  'ParaVirtualSCSIController',
  'VirtualAHCIController',
  'VirtualNVMEController',
] as const;
const oldNics = ['VirtualPCNet32', 'VirtualE1000'] as const;
const allNics = ['VirtualE1000', 'VirtualE1000e', 'VirtualVmxnet3'] as const;

const modern = {
  scsi: 'ParaVirtualSCSIController',
  diskController: 'ParaVirtualSCSIController',
  cdromController: 'VirtualAHCIController',
  ethernet: 'VirtualVmxnet3',
  controllers: allDisks,
  ethernets: allNics,
  memoryMB: 2048,
  minMemoryMB: 256,
  diskMB: 16_384,
  firmware: 'efi',
  secureBoot: true,
  usb: 'VirtualUSBXHCIController',
  hotAdd: true,
  pciExpress: true,
} as const satisfies GuestProfile;

const windows = {
  ...modern,
  scsi: 'VirtualLsiLogicSASController',
  diskController: 'VirtualLsiLogicSASController',
  ethernet: 'VirtualE1000e',
  memoryMB: 4096,
  minMemoryMB: 1024,
  diskMB: 49_152,
} as const satisfies GuestProfile;

const old = {
  ...modern,
  scsi: 'VirtualLsiLogicController',
  diskController: 'VirtualLsiLogicController',
  cdromController: 'VirtualIDEController',
  ethernet: 'VirtualE1000',
  firmware: 'bios',
  secureBoot: false,
  usb: 'VirtualUSBController',
} as const satisfies GuestProfile;

export const guestProfiles = {
  linux: modern,
  linuxBios: { ...modern, firmware: 'bios', secureBoot: false },
  linuxOld: { ...old, memoryMB: 1024, diskMB: 8192, hotAdd: false },
  linux32: { ...old, memoryMB: 1024, minMemoryMB: 64, diskMB: 16_384, hotAdd: false },
  windows11: { ...windows, diskController: 'VirtualNVMEController', diskMB: 65_536, minMemoryMB: 4096 },
  windows10: windows,
  windowsServer: { ...windows, diskMB: 92_160, minMemoryMB: 2048 },
  windows8: { ...windows, secureBoot: false, diskMB: 40_960 },
  windows7: {
    ...windows,
    firmware: 'bios',
    secureBoot: false,
    usb: 'VirtualUSBController',
    diskMB: 32_768,
    memoryMB: 2048,
  },
  windows7x32: {
    ...windows,
    firmware: 'bios',
    secureBoot: false,
    usb: 'VirtualUSBController',
    diskMB: 32_768,
    memoryMB: 1024,
  },
  windows2003: { ...old, memoryMB: 1024, minMemoryMB: 128, diskMB: 16_384, hotAdd: false },
  windowsXp: {
    ...old,
    diskController: 'VirtualIDEController',
    ethernet: 'VirtualPCNet32',
    controllers: oldDisks,
    ethernets: oldNics,
    memoryMB: 512,
    minMemoryMB: 64,
    diskMB: 8192,
    hotAdd: false,
    pciExpress: false,
  },
  antique: {
    ...old,
    scsi: 'VirtualBusLogicController',
    diskController: 'VirtualIDEController',
    ethernet: 'VirtualPCNet32',
    controllers: oldDisks,
    ethernets: oldNics,
    memoryMB: 64,
    minMemoryMB: 4,
    diskMB: 2048,
    hotAdd: false,
    pciExpress: false,
  },
  solaris: { ...old, memoryMB: 2048, diskMB: 16_384, hotAdd: false },
  freebsd: { ...old, memoryMB: 1024, diskMB: 16_384, firmware: 'efi' },
  freebsd32: { ...old, memoryMB: 512, minMemoryMB: 64, diskMB: 8192, hotAdd: false },
  darwin: {
    ...old,
    diskController: 'VirtualAHCIController',
    ethernet: 'VirtualE1000e',
    memoryMB: 4096,
    diskMB: 40_960,
    firmware: 'efi',
    hotAdd: false,
  },
  esxi: { ...modern, memoryMB: 8192, minMemoryMB: 4096, diskMB: 40_960, hotAdd: false },
  other: { ...old, memoryMB: 512, minMemoryMB: 4, diskMB: 8192 },
  other32: { ...old, memoryMB: 256, minMemoryMB: 4, diskMB: 8192, hotAdd: false },
} as const satisfies Record<string, GuestProfile>;

export type GuestProfileName = keyof typeof guestProfiles;
