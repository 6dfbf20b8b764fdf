// The devices that every VM has: VMware's chipset. They are not in the VMX, and they cannot be removed.
import { make, type VirtualDevice } from '@vivarium/vim';

export const IDE_KEYS = [200, 201] as const;
export const PS2_KEY = 300;
export const PCI_KEY = 100;
export const SIO_KEY = 400;
export const VIDEO_KEY = 500;
export const KEYBOARD_KEY = 600;
export const POINTING_KEY = 700;
export const VMCI_KEY = 12_000;
export const VMCI_UNIT = 17;

/** Video card and VMCI device are made by their readers, because the VMX says more of them. */
export function fixedDevices(): VirtualDevice[] {
  return [
    make('VirtualIDEController', { key: IDE_KEYS[0], busNumber: 0 }),
    make('VirtualIDEController', { key: IDE_KEYS[1], busNumber: 1 }),
    make('VirtualPS2Controller', { key: PS2_KEY, busNumber: 0 }),
    make('VirtualPCIController', { key: PCI_KEY, busNumber: 0 }),
    make('VirtualSIOController', { key: SIO_KEY, busNumber: 0 }),
    make('VirtualKeyboard', { key: KEYBOARD_KEY, controllerKey: PS2_KEY, unitNumber: 0 }),
    make('VirtualPointingDevice', {
      key: POINTING_KEY,
      backing: make('VirtualPointingDeviceDeviceBackingInfo', {
        deviceName: '',
        useAutoDetect: false,
        hostPointingDevice: 'autodetect',
      }),
      controllerKey: PS2_KEY,
      unitNumber: 1,
    }),
  ];
}

export function isFixedDevice(device: VirtualDevice): boolean {
  const fixed: readonly number[] = [
    ...IDE_KEYS,
    PS2_KEY,
    PCI_KEY,
    SIO_KEY,
    VIDEO_KEY,
    KEYBOARD_KEY,
    POINTING_KEY,
    VMCI_KEY,
  ];
  return fixed.includes(device.key);
}
