import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { plainMachine } from '../test-machine.ts';
import { slotCarriers } from './chipset.ts';
import { MachineError } from './device.ts';
import type { Machine, Nic } from './model.ts';
import { chipsetOf, pciAddress, planPciSlots, portPlace, spareSlots } from './pci-slots.ts';

const nic = (index: number, pciSlot?: number): Nic => ({
  ...{ id: `nic-${4000 + index}`, kind: 'vmxnet3', mac: '00:50:56:00:00:00', linkUp: true },
  ...(pciSlot === undefined ? {} : { pciSlot }),
});
const scsi = (index: number, pciSlot?: number) => ({
  ...{ id: `scsi${index}`, kind: 'pvscsi' as const },
  ...(pciSlot === undefined ? {} : { pciSlot }),
});
const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const slots = (machine: Machine) => [...planPciSlots(machine).values()];

void suite('PCI slots', () => {
  void test('are the ones that VMware gives: the controller 160, NICs from 192', () => {
    const machine = plainMachine({ controllers: [scsi(0)], nics: range(4).map((index) => nic(index)) });
    assert.deepEqual(slots(machine), [160, 192, 224, 256, 256 + 1024]);
  });

  void test('of ten NICs keep the order of the devices on the bus', () => {
    const machine = plainMachine({
      controllers: range(4).map((index) => scsi(index)),
      nics: range(10).map((index) => nic(index)),
    });
    const places = machine.nics.map(({ id }) => portPlace(planPciSlots(machine).get(id) ?? 0).addr);
    assert.deepEqual(places, places.toSorted());
  });

  void test('of the hardware record are kept, whatever comes and goes beside them', () => {
    const machine = plainMachine({ controllers: [scsi(0, 16)], nics: [nic(0, 33), nic(1), nic(2, 192), nic(3, 1184)] });
    assert.deepEqual(slots(machine), [16, 33, 192, 1184, 224]);
  });

  void test('that cannot be or are taken already are given anew', () => {
    const bad = [192, 192, -1, 5, 17, 161, 9 * 32, 1.5, 256 + 8 * 1024, Number.NaN, 1e300];
    const machine = plainMachine({ nics: bad.slice(0, 10).map((slot, index) => nic(index, slot)) });
    const planned = slots(machine);
    assert.equal(new Set(planned).size, 10);
    assert.equal(planned[0], 192);
  });

  void test('are in the register of the root port as Linux counts them', () => {
    const numbers = [160, 192, 256, 33, 1184, 160 + 7 * 1024].map((slot) => portPlace(slot).number);
    assert.deepEqual(numbers, [160, 192, 256, 33, 161, 167]);
  });

  void test('run out at some time', () => {
    const machine = plainMachine({ nics: range(60).map((index) => nic(index)) });
    assert.throws(() => planPciSlots(machine), MachineError);
  });

  void test('that are spare are ports that the machine starts with and that a new device gets', () => {
    const machine = plainMachine({ controllers: [scsi(0)], nics: [nic(0)] });
    assert.deepEqual(spareSlots(machine), [160 + 1024, 224]);
    const grown = { ...machine, controllers: [scsi(0), scsi(1)], nics: [nic(0), nic(1)] };
    assert.deepEqual(new Set(slots(grown)), new Set([160, 192, ...spareSlots(machine)]));
    assert.equal(spareSlots({ ...machine, sparePorts: 0 }).length, 0);
  });

  void test('have a function 0 in front of every other function', () => {
    const machine = plainMachine({ nics: [nic(0, 192 + 3 * 1024), nic(1, 45)], sparePorts: 0 });
    const places = slotCarriers(machine).map(({ addr }) => addr);
    assert.deepEqual(places, ['0x9.0', '0x9.5', '0x16.0', '0x16.3']);
  });

  void test('never collide on any machine', () => {
    const pinned = fc.option(fc.oneof(fc.integer({ min: -5, max: 9000 }), fc.constantFrom(16, 33, 160, 192, 1184)), {
      nil: undefined,
    });
    const machines = fc
      .tuple(
        fc.constantFrom('pc-q35-11.1', 'pc-i440fx-11.1'),
        fc.array(pinned, { maxLength: 8 }),
        fc.array(pinned, { maxLength: 10 }),
        fc.integer({ min: 0, max: 3 }),
      )
      .map(([machineType, controllers, nics, sparePorts]) =>
        plainMachine({
          machineType,
          sparePorts,
          controllers: controllers.map((slot, index) => scsi(index, slot)),
          nics: nics.map((slot, index) => nic(index, slot)),
        }),
      );
    fc.assert(
      fc.property(machines, (machine) => {
        const chipset = chipsetOf(machine.machineType);
        const planned = slots(machine);
        const all = [...planned, ...spareSlots(machine)];
        const carriers = slotCarriers(machine);
        const addresses = [
          ...all.map((slot) => pciAddress(chipset, slot)),
          ...carriers.map(({ bus, addr }) => ({ bus, addr })),
        ].map(({ bus, addr }) => `${bus} ${addr}`);
        assert.equal(new Set(addresses).size, addresses.length);
        const buses = new Set(['pcie.0', 'pci.0', ...carriers.map(({ id }) => id)]);
        for (const slot of all) assert.ok(buses.has(pciAddress(chipset, slot).bus), `${slot}`);
        // The record of a plan is the same plan.
        const record = planPciSlots(machine);
        const again = planPciSlots({
          ...machine,
          controllers: machine.controllers.map((device) => scsi(Number(device.id.slice(4)), record.get(device.id))),
          nics: machine.nics.map((device) => nic(Number(device.id.slice(4)) - 4000, record.get(device.id))),
        });
        assert.deepEqual(new Map(again), new Map(record));
      }),
    );
  });

  void test('exist only on machine types of a known shape', () => {
    assert.equal(chipsetOf('pc-q35-11.1'), 'q35');
    for (const name of ['q35', 'pc', 'microvm', 'pc-q35-11.1,accel=kvm', 'xpc-q35-11.1', '']) {
      assert.throws(() => chipsetOf(name), MachineError);
    }
  });
});
