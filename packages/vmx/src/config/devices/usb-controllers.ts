// usb (UHCI with EHCI) and usb_xhci of a VMX.
import { isA, make, type VirtualDevice } from '@vivarium/vim';
import { PCI_KEY } from '../../device/fixed-devices.ts';
import type { DeviceFamily } from '../device-context.ts';
import { readFlag, write } from '../vmx-values.ts';
import { readSlot, writeSlot } from './pci-slot.ts';

export const USB_KEY = 7000;
export const XHCI_KEY = 14_000;

export const usbControllers: DeviceFamily = {
  keys: /^(usb(_xhci)?\.(present|pcislotnumber|generic\.autoconnect)|ehci\.(present|pcislotnumber))$/,

  read(vmx) {
    const found: VirtualDevice[] = [];
    if (readFlag(vmx, 'usb.present')) {
      found.push(
        make('VirtualUSBController', {
          key: USB_KEY,
          busNumber: 0,
          controllerKey: PCI_KEY,
          unitNumber: 22,
          slotInfo: readSlot(vmx, 'usb'),
          autoConnectDevices: readFlag(vmx, 'usb.generic.autoconnect') ?? false,
          ehciEnabled: readFlag(vmx, 'ehci.present') ?? false,
        }),
      );
    }
    if (readFlag(vmx, 'usb_xhci.present')) {
      found.push(
        make('VirtualUSBXHCIController', {
          key: XHCI_KEY,
          busNumber: 0,
          controllerKey: PCI_KEY,
          unitNumber: 23,
          slotInfo: readSlot(vmx, 'usb_xhci'),
          autoConnectDevices: readFlag(vmx, 'usb_xhci.generic.autoconnect') ?? false,
        }),
      );
    }
    return found;
  },

  write(vmx, devices) {
    for (const device of devices) {
      if (isA('VirtualUSBXHCIController', device)) {
        write(vmx, 'usb_xhci.present', true);
        write(vmx, 'usb_xhci.generic.autoconnect', device.autoConnectDevices, false);
        writeSlot(vmx, 'usb_xhci', device);
      } else if (isA('VirtualUSBController', device)) {
        write(vmx, 'usb.present', true);
        write(vmx, 'usb.generic.autoconnect', device.autoConnectDevices, false);
        write(vmx, 'ehci.present', device.ehciEnabled, false);
        writeSlot(vmx, 'usb', device);
      }
    }
  },
};
