// The PCI side of the chipset: root ports (q35) or bridges (i440fx) for the slots that the plan gives out.
import type { Device } from './device.ts';
import type { Machine } from './model.ts';
import { bridgeId, chipsetOf, planPciSlots, portId, portPlace, spareSlots } from './pci-slots.ts';

/** The devices that carry the slots, parents first. */
export function slotCarriers(machine: Machine): Device[] {
  const taken = [...planPciSlots(machine).values()];
  if (chipsetOf(machine.machineType) === 'i440fx') return bridges(taken);
  const slots = new Set([...taken, ...spareSlots(machine)].filter((slot) => slot >= 32));
  return [...slots].toSorted((a, b) => portOrder(a) - portOrder(b)).map((slot, index) => rootPort(slot, index + 1));
}

const portOrder = (slot: number) => Number.parseInt(portPlace(slot).addr.replace('.', ''), 16);

function rootPort(slot: number, chassis: number): Device {
  const { addr, isFunctionZero, number } = portPlace(slot);
  return {
    driver: 'pcie-root-port',
    id: portId(slot),
    bus: 'pcie.0',
    addr,
    // `chassis` and `slot` together have to be unique; the guest sees `slot`.
    chassis,
    slot: number,
    multifunction: isFunctionZero,
  };
}

// shpc=off leaves hot-plug to ACPI, which every guest knows, and makes device 0 usable.
function bridges(slots: readonly number[]): Device[] {
  const bridge = (number: number, addr: string, chassis: number): Device => ({
    driver: 'pci-bridge',
    id: bridgeId(number),
    bus: 'pci.0',
    addr,
    chassis_nr: chassis,
    shpc: false,
  });
  const isConventional = (slot: number) => slot >= 32 && slot < 64;
  return [...(slots.some(isConventional) ? [bridge(1, '0x8.0', 1)] : []), bridge(5, '0x15.0', 2)];
}

/** Settings of the chipset that are not devices (`-global`). */
export function chipsetGlobals(machine: Machine): { driver: string; property: string; value: string }[] {
  if (chipsetOf(machine.machineType) === 'i440fx') return [];
  return [{ driver: 'ICH9-LPC', property: 'acpi-pci-hotplug-with-bridge-support', value: 'off' }];
}
