import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { machineArguments } from '@vivarium/qemu/machine';
import {
  isFault,
  make,
  type VirtualDevice,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { configFromVmx } from '../config/config-from-vmx.ts';
import type { MachineEnvironment } from '../environment.ts';
import { add, cdrom, disk, nic, scsi, vmCreate } from '../fixtures/govc-specs.ts';
import { specEnvironment } from '../fixtures/test-spec-environment.ts';
import { vmxEnvironment } from '../fixtures/test-surroundings.ts';
import { applyConfigSpec } from '../spec/apply-config-spec.ts';
import { parseVmx } from '../text/parse-vmx.ts';
import { connectForPowerOn, disconnectForPowerOff } from './connections.ts';
import { machineFromConfig, nvramPath } from './machine-from-config.ts';

const env: MachineEnvironment = {
  machineTypes: { q35: 'pc-q35-11.1', pc: 'pc-i440fx-11.1' },
  limits: { numCPUs: 8, memoryMB: 16_384 },
  cpuModel: 'max',
  resolveDisk: (path) => ({ file: path.replace(/^.*\//, '').replace('.vmdk', '.qcow2'), format: 'qcow2', backing: [] }),
  resolveFile: (path) => path.replace(/^\[[^\]]*\] /, ''),
  serialSocket: (id) => `${id}.sock`,
};

const create = (devices: readonly VirtualDevice[], settings: Partial<VirtualMachineConfigSpec> = {}) => {
  const spec = vmCreate(
    'web',
    devices.map((device) => add(device, device._typeName === 'VirtualDisk' ? 'create' : undefined)),
    {
      guestId: 'debian12_64Guest',
      ...settings,
    },
  );
  return connectForPowerOn(applyConfigSpec(undefined, spec, specEnvironment()).config);
};
const machine = (config: VirtualMachineConfigInfo, override: Partial<MachineEnvironment> = {}) =>
  machineFromConfig(config, { ...env, ...override });
const full = () =>
  create([
    scsi('ParaVirtualSCSIController'),
    disk(-201, 0, 4096),
    disk(-201, 1, 4096),
    cdrom(200, 0, '[iso store] debian.iso'),
    make('VirtualFloppy', {
      key: -1,
      backing: make('VirtualFloppyImageBackingInfo', { fileName: '[datastore1] web/f.flp' }),
    }),
    nic('VirtualVmxnet3'),
    nic('VirtualE1000'),
    make('VirtualSerialPort', {
      key: -1,
      yieldOnPoll: true,
      backing: make('VirtualSerialPortFileBackingInfo', { fileName: '[datastore1] web/console.log' }),
    }),
    make('VirtualSerialPort', {
      key: -1,
      yieldOnPoll: true,
      backing: make('VirtualSerialPortURIBackingInfo', { direction: 'server', serviceURI: 'telnet://:4000' }),
    }),
    make('VirtualSerialPort', {
      key: -1,
      yieldOnPoll: true,
      backing: make('VirtualSerialPortDeviceBackingInfo', { deviceName: '/dev/char/serial/uart0' }),
    }),
  ]);

void test('devices keep their kind and key as ids, and sit where the configuration says', () => {
  const made = machine(full());
  assert.deepEqual(
    made.controllers.map(({ id, kind }) => `${id} ${kind}`),
    ['ide-200 ide', 'ide-201 ide', 'scsi-1000 pvscsi'],
  );
  assert.deepEqual(
    made.disks.map(({ id, controller, unit, file, discard }) => [id, controller, unit, file, discard]),
    [
      ['disk-2000', 'scsi-1000', 0, 'web.qcow2', true],
      ['disk-2001', 'scsi-1000', 1, 'web_1.qcow2', true],
    ],
  );
  assert.match(made.disks[0]?.serial ?? '', /^6000c29[0-9a-f]{25}$/);
  assert.deepEqual(
    made.cdroms.map(({ id, controller, file }) => [id, controller, file]),
    [['cdrom-3000', 'ide-200', 'debian.iso']],
  );
  assert.deepEqual(
    made.floppies.map(({ id, unit, file }) => [id, unit, file]),
    [['floppy-8000', 0, 'web/f.flp']],
  );
  assert.deepEqual(
    made.nics.map(({ id, kind, linkUp, pciSlot }) => [id, kind, linkUp, pciSlot]),
    [
      ['nic-4000', 'vmxnet3', true, 192],
      ['nic-4001', 'e1000', true, 224],
    ],
  );
  assert.deepEqual(made.serials, [
    { id: 'serial-9000', index: 0, backing: { kind: 'file', file: 'web/console.log', append: true } },
    { id: 'serial-9001', index: 1, backing: { kind: 'socket', server: true, path: 'serial-9001.sock' } },
    { id: 'serial-9002', index: 2, backing: { kind: 'null' } },
  ]);
});

void test('QEMU takes the machine', () => {
  const words = machineArguments(machine(full()), {
    accelerator: 'tcg',
    runFolder: '/run/vm',
    vmFolder: '/vm',
    networks: {},
    paused: false,
    sandbox: true,
  });
  assert.ok(words.some((word) => word.includes('"id":"disk-2001"')));
});

void test('what is not connected is not there: no medium, no link, no far end', () => {
  const made = machine(disconnectForPowerOff(full()));
  assert.deepEqual(
    made.cdroms.map(({ file }) => file),
    [undefined],
  );
  assert.deepEqual(
    made.floppies.map(({ file }) => file),
    [undefined],
  );
  assert.deepEqual(
    made.nics.map(({ linkUp }) => linkUp),
    [false, false],
  );
  assert.ok(made.serials.every(({ backing }) => backing.kind === 'null'));
});

const bootOf = (config: VirtualMachineConfigInfo, isBlank = false) => {
  const made = machine(config, { resolveDisk: (path) => ({ ...env.resolveDisk(path), isBlank }) });
  const drives = [...made.disks, ...made.cdroms, ...made.floppies, ...made.nics].filter(
    ({ bootIndex }) => bootIndex !== undefined,
  );
  return drives.sort((a, b) => (a.bootIndex ?? 0) - (b.bootIndex ?? 0)).map(({ id }) => id);
};

void test('without a boot order: disks, CD-ROM, floppy; the network only when there is nothing on the disks', () => {
  assert.deepEqual(bootOf(full()), ['disk-2000', 'disk-2001', 'cdrom-3000', 'floppy-8000']);
  assert.deepEqual(bootOf(full(), true), [
    'disk-2000',
    'disk-2001',
    'cdrom-3000',
    'floppy-8000',
    'nic-4000',
    'nic-4001',
  ]);
  assert.deepEqual(bootOf(create([nic('VirtualE1000')])), ['nic-4000']);
});

void test('a boot order comes first, the rest follows', () => {
  const bootOrder = [
    make('VirtualMachineBootOptionsBootableEthernetDevice', { deviceKey: 4001 }),
    make('VirtualMachineBootOptionsBootableDiskDevice', { deviceKey: 2001 }),
    make('VirtualMachineBootOptionsBootableCdromDevice', {}),
  ];
  const config = { ...full(), bootOptions: make('VirtualMachineBootOptions', { bootOrder }) };
  assert.deepEqual(bootOf(config), ['nic-4001', 'disk-2001', 'cdrom-3000', 'disk-2000', 'floppy-8000']);
  assert.deepEqual(bootOf(config, true), bootOf(config));
});

void test("UEFI has its variables in the VM's folder", () => {
  const config = create([], {
    firmware: 'efi',
    bootOptions: make('VirtualMachineBootOptions', {
      efiSecureBootEnabled: true,
      bootDelay: 1500,
      enterBIOSSetup: true,
    }),
  });
  const made = machine(config);
  assert.deepEqual(made.firmware, { kind: 'efi', secureBoot: true, nvram: 'web/web.nvram' });
  assert.deepEqual([made.bootDelayMs, made.enterSetup], [1500, true]);
  const hostile = { ...config, extraConfig: [make('OptionValue', { key: 'nvram', value: '../../etc/passwd' })] };
  assert.equal(nvramPath(hostile), '[datastore1] web/web.nvram');
});

void test('hot-add has ceilings, whole sockets only', () => {
  const made = machine(
    create([], { numCPUs: 3, numCoresPerSocket: 3, cpuHotAddEnabled: true, memoryHotAddEnabled: true, memoryMB: 2048 }),
  );
  assert.deepEqual(made.cpu, { model: 'max', count: 3, coresPerSocket: 3, maxCount: 6 });
  assert.equal(made.memoryMaxMB, 16_384);
  const fixed = machine(create([], { numCPUs: 3 }));
  assert.deepEqual([fixed.cpu.maxCount, fixed.memoryMaxMB], [3, undefined]);
});

void test('the hardware record decides the machine; one that makes no sense is not believed', () => {
  const typed = (value: string) => ({
    ...create([]),
    extraConfig: [make('OptionValue', { key: 'VIVARIUM.machineType', value })],
  });
  assert.equal(machine(typed('pc-q35-9.2')).machineType, 'pc-q35-9.2');
  assert.equal(machine(typed('pc-q35-9.2,accel=kvm')).machineType, 'pc-q35-11.1');
});

void test('Windows sees local time and nothing it has no driver for', () => {
  const made = machine(create([], { guestId: 'windows2019srv_64Guest' }));
  assert.deepEqual([made.rtc, made.rng], ['localtime', false]);
  const old = machine(create([], { guestId: 'win98Guest' }));
  assert.deepEqual([old.machineType, old.usbInput, old.balloon], ['pc-i440fx-11.1', false, false]);
});

void test('disk modes that forget are refused at power-on too', () => {
  const vmx = parseVmx(
    'scsi0.present = "TRUE"\nscsi0:0.present = "TRUE"\nscsi0:0.fileName = "a.vmdk"\nscsi0:0.mode = "independent-nonpersistent"\n',
  );
  assert.throws(
    () => machine(configFromVmx(vmx, vmxEnvironment)),
    (error) => isFault(error, 'VirtualDiskModeNotSupported'),
  );
});

for (const name of ['esxi.vmx', 'workstation.vmx', 'libvirt.vmx']) {
  void test(`${name} from elsewhere becomes a machine that QEMU takes`, () => {
    const vmx = parseVmx(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
    // Unit 15 of an LSI controller is one that QEMU's has not.
    vmx.set('scsi1:15.present', 'FALSE');
    const registered = applyConfigSpec(configFromVmx(vmx, vmxEnvironment), {}, specEnvironment()).config;
    const made = machine(connectForPowerOn(registered));
    assert.match(made.machineType, /^pc-q35-/);
    assert.ok(made.nics.every(({ mac, pciSlot }) => /^[0-9a-f:]{17}$/.test(mac) && pciSlot !== undefined));
    machineArguments(made, {
      accelerator: 'tcg',
      runFolder: '/run/vm',
      vmFolder: '/vm',
      networks: {},
      paused: false,
      sandbox: true,
    });
  });
}

void test('an ISO of another machine leaves the tray empty', () => {
  const vmx = parseVmx(readFileSync(new URL('../fixtures/workstation.vmx', import.meta.url)));
  const made = machine(connectForPowerOn(configFromVmx(vmx, vmxEnvironment)));
  assert.deepEqual(
    made.cdroms.map(({ file }) => file),
    [undefined],
  );
});
