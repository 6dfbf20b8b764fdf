import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isA,
  isFault,
  make,
  type VirtualDevice,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import type { DiskFacts, SpecEnvironment } from '../environment.ts';
import { add, cdrom, changes, deviceOf, disk, edit, nic, remove, scsi, vmCreate } from '../fixtures/govc-specs.ts';
import { specEnvironment } from '../fixtures/test-spec-environment.ts';
import { connectForPowerOn } from '../machine/connections.ts';
import { applyConfigSpec } from './apply-config-spec.ts';

const facts: DiskFacts = {
  capacityBytes: 10 * 1024 ** 3,
  provisioning: 'thin',
  adapter: 'pvscsi',
  uuid: '6000C290-0000-0000-0000-000000000001',
  contentId: 'aabbccdd',
};
const world = {
  disks: {
    '[datastore1] web/web.vmdk': facts,
    '[datastore1] data/data.vmdk': { ...facts, uuid: '6000C290-0000-0000-0000-000000000002' },
  },
  files: ['[iso store] debian.iso', '[iso store] other.iso', '[datastore1] web/f.flp'],
};
const off = (env: Partial<SpecEnvironment> = {}) =>
  specEnvironment({ ...world, env: { now: '2026-11-22T11:00:00.000Z', ...env } });
const on = (env: Partial<SpecEnvironment> = {}) => off({ powerState: 'poweredOn', spareSlots: [1184, 224], ...env });
const serialFile = make('VirtualSerialPort', {
  key: -1,
  yieldOnPoll: true,
  backing: make('VirtualSerialPortFileBackingInfo', { fileName: '[datastore1] web/console.log' }),
});

/** A VM with a PVSCSI disk, an ISO, a floppy, two adapters and a serial port. */
function machine(settings: Partial<VirtualMachineConfigSpec> = {}): VirtualMachineConfigInfo {
  const spec = vmCreate(
    'web',
    [
      add(scsi('ParaVirtualSCSIController')),
      add(disk(-201, 0, 0, '[datastore1] web/web.vmdk')),
      add(cdrom(200, 0, '[iso store] debian.iso')),
      add(nic('VirtualVmxnet3')),
      add(nic('VirtualE1000', 'Management Network')),
      add(make('VirtualFloppy', { key: -5 })),
      add(serialFile),
    ],
    { guestId: 'debian12_64Guest', numCPUs: 2, ...settings },
  );
  return applyConfigSpec(
    undefined,
    spec,
    specEnvironment({ disks: world.disks, env: { now: '2026-11-22T10:00:00.000Z' } }),
  ).config;
}
const running = (settings: Partial<VirtualMachineConfigSpec> = {}) => connectForPowerOn(machine(settings));
const spec = (settings: Partial<VirtualMachineConfigSpec>) => make('VirtualMachineConfigSpec', settings);
const changed = <T extends VirtualDevice>(device: T, settings: object): T => ({ ...device, ...settings });
const apply = (config: VirtualMachineConfigInfo, change: VirtualMachineConfigSpec, env = off()) =>
  applyConfigSpec(config, change, env);
const faults = (name: Parameters<typeof isFault>[1]) => (error: unknown) => {
  assert.ok(isFault(error, name), String(error));
  return true;
};

void test('an empty spec changes the version and nothing else', () => {
  const before = machine();
  const { config, effects } = apply(before, spec({}));
  assert.deepEqual({ ...config, changeVersion: '', modified: '' }, { ...before, changeVersion: '', modified: '' });
  assert.equal(config.changeVersion, '2026-11-22T11:00:00.000Z');
  assert.deepEqual(effects, { prepare: [], live: [], cleanup: [] });
  const again = apply(config, spec({}));
  assert.equal(again.config.changeVersion, '2026-11-22T11:00:00.000001Z');
  assert.equal(apply(again.config, spec({})).config.changeVersion, '2026-11-22T11:00:00.000002Z');
});

void test('a spec for another version of the configuration is refused', () => {
  const before = machine();
  assert.throws(() => apply(before, spec({ changeVersion: 'x' })), faults('ConcurrentAccess'));
  assert.equal(apply(before, spec({ changeVersion: before.changeVersion, name: 'b' })).config.name, 'b');
});

void test('settings: name, notes, UUIDs, memory, CPUs, tools, flags', () => {
  const { config } = apply(
    machine(),
    spec({
      name: 'x/y',
      annotation: 'hello',
      uuid: '11111111-2222-3333-4444-555555555555',
      memoryMB: 2048,
      numCPUs: 4,
      numCoresPerSocket: 0,
      tools: make('ToolsConfigInfo', { syncTimeWithHost: true }),
      flags: make('VirtualMachineFlagInfo', { vvtdEnabled: true }),
      latencySensitivity: make('LatencySensitivity', { level: 'high' }),
      memoryReservationLockedToMax: true,
      nestedHVEnabled: true,
    }),
  );
  assert.deepEqual(
    [config.name, config.annotation, config.uuid],
    ['x%2fy', 'hello', '11111111-2222-3333-4444-555555555555'],
  );
  assert.deepEqual(
    [
      config.hardware.memoryMB,
      config.hardware.numCPU,
      config.hardware.numCoresPerSocket,
      config.hardware.autoCoresPerSocket,
    ],
    [2048, 4, 4, true],
  );
  assert.deepEqual(
    [config.tools?.syncTimeWithHost, config.tools?.afterPowerOn, config.flags.vvtdEnabled],
    [true, true, true],
  );
  assert.deepEqual([config.latencySensitivity?.level, config.memoryAllocation?.reservation], ['high', 2048]);
  assert.deepEqual([config.memoryAllocation?.shares?.shares, config.cpuAllocation?.shares?.shares], [20_480, 4000]);
  assert.equal(config.files.vmPathName, '[datastore1] web/web.vmx');
});

void test('extraConfig: set, changed, removed by an empty value; hardware keys are ignored, shared keys are both', () => {
  const option = (key: string, value: unknown) => make('OptionValue', { key, value });
  const value = (config: VirtualMachineConfigInfo, key: string) =>
    config.extraConfig?.find((one) => one.key === key)?.value;
  const first = apply(
    machine(),
    spec({
      extraConfig: [
        option('a.b', 'c'),
        option('n', 5),
        option('disk.EnableUUID', '1'),
        option('scsi0.present', 'FALSE'),
        option('vivarium.machineType', 'pc-q35-1.0'),
        option('ethernet0.pciSlotNumber', '256'),
      ],
    }),
  ).config;
  assert.deepEqual([value(first, 'a.b'), value(first, 'n'), value(first, 'disk.EnableUUID')], ['c', '5', '1']);
  assert.equal(first.flags.diskUuidEnabled, true);
  assert.ok(deviceOf(first, 1000));
  assert.equal(value(first, 'vivarium.machineType'), 'pc-q35-11.1');
  assert.deepEqual(deviceOf(first, 4000).slotInfo, make('VirtualDevicePciBusSlotInfo', { pciSlotNumber: 256 }));
  const second = apply(
    first,
    spec({ extraConfig: [option('A.B', ''), option('n', make('OptionValue', { key: '', value: '' }) && '7')] }),
  ).config;
  assert.deepEqual([value(second, 'a.b'), value(second, 'n')], [undefined, '7']);
  const third = apply(second, spec({ flags: make('VirtualMachineFlagInfo', { diskUuidEnabled: false }) })).config;
  assert.deepEqual([third.flags.diskUuidEnabled, value(third, 'disk.EnableUUID')], [false, undefined]);
});

void test('govc vm.disk.create on a second controller', () => {
  const { config, effects } = apply(
    machine(),
    changes(
      add(scsi('VirtualLsiLogicSASController', 1)),
      add(disk(-201, 0, 4096, '[datastore1] web/more.vmdk'), 'create'),
    ),
  );
  assert.deepEqual(
    [deviceOf(config, 1001).deviceInfo?.label, deviceOf(config, 2016).deviceInfo?.label],
    ['SCSI controller 1', 'Hard disk 2'],
  );
  assert.deepEqual(
    effects.prepare.map(({ path }) => path),
    ['[datastore1] web/more.vmdk'],
  );
});

void test('a controller with a bus number or key that is taken becomes the next one', () => {
  const { config } = apply(
    machine(),
    changes(
      add(make('VirtualLsiLogicController', { key: 1000, busNumber: 0, sharedBus: 'noSharing' })),
      add(disk(1000, 0, 4096), 'create'),
    ),
  );
  assert.ok(isA('VirtualLsiLogicController', deviceOf(config, 1001)));
  assert.equal(deviceOf(config, 2016).controllerKey, 1001);
});

void test('disks grow and never shrink', () => {
  const before = machine();
  const old = deviceOf(before, 2000);
  const KB = 10 * 1024 ** 2;
  const grown = apply(before, changes(edit(changed(old, { capacityInKB: 2 * KB }))));
  assert.deepEqual(grown.effects.prepare, [
    { kind: 'growDisk', path: '[datastore1] web/web.vmdk', deviceKey: 2000, capacityBytes: 2 * KB * 1024 },
  ]);
  const disk = deviceOf(grown.config, 2000);
  assert.ok(isA('VirtualDisk', disk));
  assert.equal(disk.capacityInBytes, 2 * KB * 1024);
  const byBytes = apply(before, changes(edit(changed(old, { capacityInBytes: 3 * KB * 1024 }))));
  assert.equal(byBytes.effects.prepare[0]?.capacityBytes, 3 * KB * 1024);
  assert.throws(
    () => apply(before, changes(edit(changed(old, { capacityInKB: KB - 1 })))),
    faults('InvalidDeviceSpec'),
  );
  const live = apply(running(), changes(edit(changed(old, { capacityInKB: 2 * KB }))), on());
  assert.ok(live.effects.prepare[0]?.kind === 'growDisk');
  assert.equal(live.effects.prepare[0].deviceId, 'disk-2000');
  assert.deepEqual(live.effects.live, []);
});

void test('a disk that is removed keeps its files unless they are to be destroyed', () => {
  const before = machine();
  const old = deviceOf(before, 2000);
  assert.deepEqual(apply(before, changes(remove(old))).effects.cleanup, []);
  const gone = apply(before, changes(remove(old, 'destroy')));
  assert.deepEqual(gone.effects.cleanup, [{ kind: 'deleteDisk', path: '[datastore1] web/web.vmdk' }]);
  assert.equal(
    gone.config.hardware.device?.some(({ key }) => key === 2000),
    false,
  );
  assert.deepEqual(
    gone.config.extraConfig?.filter(({ key }) => key.startsWith('scsi0:0')),
    [],
  );
});

void test('a disk moves to another unit, settings change, its file stays', () => {
  const before = machine();
  const old = deviceOf(before, 2000);
  const { config } = apply(
    before,
    changes(
      edit(changed(old, { unitNumber: 3, storageIOAllocation: make('StorageIOAllocationInfo', { limit: 500 }) })),
    ),
  );
  const moved = deviceOf(config, 2003);
  assert.ok(isA('VirtualDisk', moved) && isA('VirtualDiskFlatVer2BackingInfo', moved.backing));
  assert.deepEqual([moved.storageIOAllocation?.limit, moved.backing.fileName], [500, '[datastore1] web/web.vmdk']);
  const other = changed(old, { backing: { ...old.backing, fileName: '[datastore1] data/data.vmdk' } });
  assert.throws(() => apply(before, changes(edit(other))), faults('InvalidDeviceBacking'));
});

void test('a controller goes after its devices, in whatever order the spec says it', () => {
  const before = machine();
  const [controller, old] = [deviceOf(before, 1000), deviceOf(before, 2000)];
  assert.throws(() => apply(before, changes(remove(controller))), faults('InvalidDeviceSpec'));
  const { config } = apply(before, changes(remove(controller), remove(old)));
  assert.equal(
    config.hardware.device?.some(({ key }) => key === 1000 || key === 2000),
    false,
  );
  assert.throws(() => apply(before, changes(remove(deviceOf(before, 200)))), faults('InvalidDeviceOperation'));
  assert.throws(() => apply(before, changes(remove(changed(old, { key: 2009 })))), faults('DeviceNotFound'));
});

void test('govc device.cdrom.add, insert, eject; floppy; serial', () => {
  const added = apply(machine(), changes(add(cdrom(201, 0)))).config;
  const drive = deviceOf(added, 3002);
  assert.equal(drive.deviceInfo?.label, 'CD/DVD drive 2');
  const inserted = apply(
    added,
    changes(
      edit(changed(drive, { backing: make('VirtualCdromIsoBackingInfo', { fileName: '[iso store] other.iso' }) })),
    ),
  ).config;
  assert.equal(deviceOf(inserted, 3002).deviceInfo?.summary, 'ISO [iso store] other.iso');
  const floppy = deviceOf(added, 8000);
  const image = apply(
    added,
    changes(
      edit(changed(floppy, { backing: make('VirtualFloppyImageBackingInfo', { fileName: '[datastore1] web/f.flp' }) })),
    ),
  ).config;
  assert.equal(deviceOf(image, 8000).deviceInfo?.summary, 'Image [datastore1] web/f.flp');
  const port = deviceOf(added, 9000);
  const uri = make('VirtualSerialPortURIBackingInfo', { serviceURI: 'telnet://:4000', direction: 'server' });
  const served = apply(added, changes(edit(changed(port, { backing: uri })))).config;
  assert.deepEqual(deviceOf(served, 9000).backing, uri);
  assert.equal(deviceOf(served, 9000).key, 9000);
});

void test('boot order: set by device, cleared with a bare entry (govc device.boot -order -)', () => {
  const order = [
    make('VirtualMachineBootOptionsBootableEthernetDevice', { deviceKey: 4000 }),
    make('VirtualMachineBootOptionsBootableCdromDevice', {}),
    make('VirtualMachineBootOptionsBootableDiskDevice', { deviceKey: 2000 }),
  ];
  const { config } = apply(
    machine(),
    spec({ bootOptions: make('VirtualMachineBootOptions', { bootDelay: 100, bootOrder: order }) }),
  );
  assert.deepEqual(config.bootOptions?.bootOrder, order);
  const kept = apply(config, spec({ bootOptions: make('VirtualMachineBootOptions', { enterBIOSSetup: true }) })).config;
  assert.deepEqual(
    [kept.bootOptions?.bootOrder, kept.bootOptions?.bootDelay, kept.bootOptions?.enterBIOSSetup],
    [order, 100, true],
  );
  const bare = make('VirtualMachineBootOptionsBootableDevice', {});
  const cleared = apply(kept, spec({ bootOptions: make('VirtualMachineBootOptions', { bootOrder: [bare] }) })).config;
  assert.equal(cleared.bootOptions?.bootOrder, undefined);
});

void test('adapters: network, address kinds, a second generated address', () => {
  const before = machine();
  const [first, second] = [deviceOf(before, 4000), deviceOf(before, 4001)];
  assert.ok(isA('VirtualEthernetCard', first) && isA('VirtualEthernetCard', second));
  assert.notEqual(first.macAddress, second.macAddress);
  const manual = apply(
    before,
    changes(edit(changed(first, { addressType: 'manual', macAddress: '00-50-56-01-02-AA' }))),
  ).config;
  const fixed = deviceOf(manual, 4000);
  assert.ok(isA('VirtualEthernetCard', fixed));
  assert.deepEqual([fixed.addressType, fixed.macAddress], ['manual', '00:50:56:01:02:aa']);
  const { macAddress: _mac, ...without } = changed(fixed, { addressType: 'generated' });
  const back = deviceOf(apply(manual, changes(edit(without as VirtualDevice))).config, 4000);
  assert.ok(isA('VirtualEthernetCard', back));
  assert.deepEqual([back.addressType, back.macAddress], ['generated', first.macAddress]);
  const moved = apply(
    before,
    changes(
      edit(
        changed(first, {
          backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName: 'Management Network' }),
        }),
      ),
    ),
  ).config;
  assert.equal(deviceOf(moved, 4000).deviceInfo?.summary, 'Management Network');
  assert.throws(
    () => apply(before, changes(edit({ ...first, _typeName: 'VirtualE1000e' }))),
    faults('InvalidDeviceSpec'),
  );
});

void test('PCI slots are chosen once and kept', () => {
  const slot = (config: VirtualMachineConfigInfo, key: number) =>
    (deviceOf(config, key).slotInfo as { pciSlotNumber?: number } | undefined)?.pciSlotNumber;
  const before = machine();
  assert.deepEqual([slot(before, 1000), slot(before, 4000), slot(before, 4001)], [160, 192, 224]);
  const without = apply(before, changes(remove(deviceOf(before, 4000)))).config;
  assert.equal(slot(without, 4001), 224);
  assert.equal(slot(apply(without, changes(add(nic('VirtualE1000e')))).config, 4000), 192);
});

void test('a VM that becomes UEFI gets the machine that can be that', () => {
  const old = applyConfigSpec(undefined, vmCreate('dos', [], { guestId: 'dosGuest' }), specEnvironment()).config;
  const type = (config: VirtualMachineConfigInfo) =>
    config.extraConfig?.find(({ key }) => key === 'vivarium.machineType')?.value;
  assert.equal(type(old), 'pc-i440fx-11.1');
  assert.equal(
    type(
      apply(
        old,
        spec({ firmware: 'efi', bootOptions: make('VirtualMachineBootOptions', { efiSecureBootEnabled: true }) }),
      ).config,
    ),
    'pc-q35-11.1',
  );
});

void test('running: what can be plugged is', () => {
  const config = running();
  const lsi = scsi('ParaVirtualSCSIController', 1);
  const { effects, config: after } = apply(
    config,
    changes(add(disk(1000, 1, 4096), 'create'), add(lsi), add(nic('VirtualE1000e')), remove(deviceOf(config, 4001))),
    on(),
  );
  assert.deepEqual(
    effects.live.map((effect) => `${effect.kind} ${'deviceId' in effect ? effect.deviceId : ''}`),
    ['unplugNic nic-4001', 'plugController scsi-1001', 'plugDisk disk-2001', 'plugNic nic-4001'].slice(0, 4),
  );
  assert.equal(effects.prepare.length, 1);
  assert.deepEqual(deviceOf(after, 1001).slotInfo, make('VirtualDevicePciBusSlotInfo', { pciSlotNumber: 1184 }));
});

void test("running: a second disk on the same unit takes the first one's place", () => {
  const config = running();
  const other = disk(1000, 0, 0, '[datastore1] data/data.vmdk');
  const { effects } = apply(config, changes(remove(deviceOf(config, 2000)), add(other)), on());
  assert.deepEqual(
    effects.live.map(({ kind }) => kind),
    ['unplugDisk', 'plugDisk'],
  );
});

void test('running: media, links and networks follow', () => {
  const config = running();
  const live = (device: VirtualDevice) => apply(config, changes(edit(device)), on()).effects.live;
  const drive = deviceOf(config, 3000);
  const card = deviceOf(config, 4000);
  const cut = make('VirtualDeviceConnectInfo', { startConnected: true, allowGuestControl: true, connected: false });
  assert.deepEqual(
    live(changed(drive, { backing: make('VirtualCdromIsoBackingInfo', { fileName: '[iso store] other.iso' }) })),
    [
      {
        kind: 'changeMedia',
        deviceKey: 3000,
        deviceId: 'cdrom-3000',
        medium: 'cdrom',
        readOnly: true,
        path: '[iso store] other.iso',
      },
    ],
  );
  const eject = [{ kind: 'changeMedia', deviceKey: 3000, deviceId: 'cdrom-3000', medium: 'cdrom', readOnly: true }];
  assert.deepEqual(live(changed(drive, { connectable: cut })), eject);
  assert.deepEqual(
    live(changed(drive, { backing: make('VirtualCdromAtapiBackingInfo', { deviceName: 'cdrom-200-0' }) })),
    eject,
  );
  assert.deepEqual(live(changed(card, { connectable: cut })), [
    { kind: 'setNicLink', deviceKey: 4000, deviceId: 'nic-4000', up: false },
  ]);
  assert.deepEqual(
    live(
      changed(card, { backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName: 'Management Network' }) }),
    ),
    [{ kind: 'moveNic', deviceKey: 4000, deviceId: 'nic-4000', network: 'Management Network', up: true }],
  );
  assert.deepEqual(live(changed(deviceOf(config, 9000), { connectable: cut })), [
    { kind: 'changeSerial', deviceKey: 9000, deviceId: 'serial-9000' },
  ]);
  const missing = changed(drive, {
    backing: make('VirtualCdromIsoBackingInfo', { fileName: '[iso store] missing.iso' }),
  });
  assert.throws(() => live(missing), faults('CannotAccessFile'));
});

void test('running: CPUs and memory grow only when they may', () => {
  const cold = running();
  assert.throws(() => apply(cold, spec({ numCPUs: 4 }), on()), faults('CpuHotPlugNotSupported'));
  assert.throws(() => apply(cold, spec({ memoryMB: 2048 }), on()), faults('MemoryHotPlugNotSupported'));
  const hot = running({ cpuHotAddEnabled: true, memoryHotAddEnabled: true });
  assert.deepEqual(apply(hot, spec({ numCPUs: 4, memoryMB: 2048 }), on()).effects.live, [
    { kind: 'plugCpus', count: 4 },
    { kind: 'plugMemory', memoryMB: 2048 },
    { kind: 'setAllocation' },
  ]);
  const auto = running({ cpuHotAddEnabled: true, numCoresPerSocket: 0 });
  assert.deepEqual(apply(auto, spec({ numCPUs: 3 }), on()).effects.live, [
    { kind: 'plugCpus', count: 3 },
    { kind: 'setAllocation' },
  ]);
  assert.throws(() => apply(hot, spec({ numCPUs: 1 }), on()), faults('CpuHotPlugNotSupported'));
  assert.throws(() => apply(hot, spec({ memoryMB: 512 }), on()), faults('MemoryHotPlugNotSupported'));
  assert.throws(() => apply(hot, spec({ memoryMB: 1028 }), on()), faults('InvalidArgument'));
});

void test('running: shares, limits, guestinfo and disk I/O go to the machine, names and notes do not', () => {
  const config = running();
  const live = (change: VirtualMachineConfigSpec) => apply(config, change, on()).effects.live;
  assert.deepEqual(
    live(spec({ name: 'other', annotation: 'x', bootOptions: make('VirtualMachineBootOptions', { bootDelay: 5 }) })),
    [],
  );
  assert.deepEqual(live(spec({ cpuAllocation: make('ResourceAllocationInfo', { limit: 500 }) })), [
    { kind: 'setAllocation' },
  ]);
  assert.deepEqual(live(spec({ extraConfig: [make('OptionValue', { key: 'guestinfo.a', value: 'b' })] })), [
    { kind: 'setGuestInfo', name: 'guestinfo.a', value: 'b' },
  ]);
  const limited = changed(deviceOf(config, 2000), {
    storageIOAllocation: make('StorageIOAllocationInfo', { limit: 100 }),
  });
  assert.deepEqual(live(changes(edit(limited))), [
    { kind: 'setDiskLimit', deviceKey: 2000, deviceId: 'disk-2000', iops: 100 },
  ]);
});

const cold: [string, Parameters<typeof isFault>[1], (config: VirtualMachineConfigInfo) => VirtualMachineConfigSpec][] =
  [
    ['the guest', 'InvalidPowerState', () => spec({ guestId: 'ubuntu64Guest' })],
    ['the firmware', 'InvalidPowerState', () => spec({ firmware: 'efi' })],
    ['the UUID', 'InvalidPowerState', () => spec({ uuid: '11111111-2222-3333-4444-555555555555' })],
    ['hot-add itself', 'InvalidPowerState', () => spec({ cpuHotAddEnabled: true })],
    [
      'hot-add by extraConfig',
      'InvalidPowerState',
      () => spec({ extraConfig: [make('OptionValue', { key: 'vcpu.hotadd', value: 'TRUE' })] }),
    ],
    ['a floppy drive', 'InvalidPowerState', () => changes(add(make('VirtualFloppy', { key: -1 })))],
    ['a serial port', 'InvalidPowerState', (config) => changes(remove(deviceOf(config, 9000)))],
    ['an IDE drive', 'DeviceHotPlugNotSupported', () => changes(add(cdrom(201, 0)))],
    [
      'the disk mode',
      'InvalidPowerState',
      (config) =>
        changes(
          edit(
            changed(deviceOf(config, 2000), {
              backing: { ...deviceOf(config, 2000).backing, diskMode: 'independent_persistent' },
            }),
          ),
        ),
    ],
    [
      'the video memory',
      'InvalidPowerState',
      (config) => changes(edit(changed(deviceOf(config, 500), { videoRamSizeInKB: 8192 }))),
    ],
  ];
for (const [what, fault, change] of cold) {
  void test(`running: ${what} cannot be changed`, () => {
    const config = running();
    assert.throws(() => apply(config, change(config), on()), faults(fault));
    assert.doesNotThrow(() => apply(machine(), change(machine())));
  });
}

void test('running: a third device finds no free slot', () => {
  const config = running();
  const three = Array.from({ length: 3 }, () => add(nic('VirtualE1000e')));
  assert.throws(() => apply(config, changes(...three), on()), faults('TooManyDevices'));
});

void test('suspended: only what the machine does not see can be changed', () => {
  const config = running();
  const env = off({ powerState: 'suspended' });
  assert.equal(apply(config, spec({ name: 'b', annotation: 'c' }), env).config.name, 'b');
  for (const change of [
    spec({ memoryMB: 2048 }),
    changes(add(nic('VirtualE1000'))),
    changes(remove(deviceOf(config, 3000))),
  ]) {
    assert.throws(() => apply(config, change, env), faults('InvalidPowerState'));
  }
});
