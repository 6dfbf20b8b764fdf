// The versioned record of the virtual hardware: machine type and PCI slots, chosen once and kept.
import { MachineError, planPciSlots } from '@vivarium/qemu/machine';
import { isA, MethodFault, make, type VirtualDevice, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { slotOf } from '../config/devices/pci-slot.ts';
import { deviceId } from '../device/device-id.ts';
import type { SpecEnvironment } from '../environment.ts';
import { machineControllers } from '../machine/machine-drives.ts';
import { MACHINE_TYPE_KEY, machineTypeOf, pinnedMachineType } from '../machine/machine-from-config.ts';

/** Pins what is not pinned yet; `config` itself when everything is. A VM that becomes UEFI gets the machine that can be that. */
export function recordHardware(config: VirtualMachineConfigInfo, env: SpecEnvironment): VirtualMachineConfigInfo {
  const recorded = machineTypeOf(config, env.machineTypes);
  const isOff = env.powerState === 'poweredOff';
  const machineType =
    isOff && config.firmware === 'efi' && !recorded.startsWith('pc-q35-')
      ? pinnedMachineType(config.guestId, config.firmware, env.machineTypes)
      : recorded;
  const extraConfig = config.extraConfig ?? [];
  const others = extraConfig.filter(({ key }) => key.toLowerCase() !== MACHINE_TYPE_KEY.toLowerCase());
  const before = config.hardware.device ?? [];
  const devices = recordSlots(before, env);
  const last = extraConfig.at(-1);
  const isPinned =
    last?.key === MACHINE_TYPE_KEY && last.value === machineType && others.length === extraConfig.length - 1;
  if (isPinned && devices.every((device, index) => device === before[index])) return config;
  return {
    ...config,
    hardware: { ...config.hardware, device: devices },
    extraConfig: [...others, make('OptionValue', { key: MACHINE_TYPE_KEY, value: machineType })],
  };
}

function recordSlots(devices: readonly VirtualDevice[], env: SpecEnvironment): VirtualDevice[] {
  const slots = env.spareSlots === undefined ? coldSlots(devices) : hotSlots(devices, env.spareSlots);
  return devices.map((device) => {
    const pciSlotNumber = slots.get(deviceId(device));
    if (pciSlotNumber === undefined || pciSlotNumber === slotOf(device)) return device;
    return { ...device, slotInfo: make('VirtualDevicePciBusSlotInfo', { pciSlotNumber }) };
  });
}

function coldSlots(devices: readonly VirtualDevice[]): ReadonlyMap<string, number> {
  const nics = devices
    .filter((device) => isA('VirtualEthernetCard', device))
    .map((device) => {
      const pciSlot = slotOf(device);
      const nic = { id: deviceId(device), kind: 'vmxnet3', mac: '', linkUp: false } as const;
      return pciSlot === undefined ? nic : { ...nic, pciSlot };
    });
  try {
    return planPciSlots({ controllers: machineControllers(devices), disks: [], nics });
  } catch (error) {
    if (error instanceof MachineError)
      throw new MethodFault('TooManyDevices', { property: 'deviceChange' }, undefined, { cause: error });
    throw error;
  }
}

/** New devices of a running machine take its spare slots, in order. */
function hotSlots(devices: readonly VirtualDevice[], spare: readonly number[]): ReadonlyMap<string, number> {
  const taken = new Set(devices.map(slotOf));
  const free = spare.filter((slot) => !taken.has(slot));
  const slots = new Map<string, number>();
  const slotted = new Set(
    machineControllers(devices)
      .filter(({ kind }) => kind !== 'ide')
      .map(({ id }) => id),
  );
  for (const device of devices) {
    const id = deviceId(device);
    if (slotOf(device) !== undefined || !(slotted.has(id) || isA('VirtualEthernetCard', device))) continue;
    const slot = free.shift();
    if (slot === undefined)
      throw new MethodFault(
        'TooManyDevices',
        { property: 'deviceChange' },
        'The running machine has no free PCI slot left.',
      );
    slots.set(id, slot);
  }
  return slots;
}
