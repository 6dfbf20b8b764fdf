import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isA, isFault, make, type VirtualMachineConfigSpec } from '@vivarium/vim';
import { configFromVmx } from '../config/config-from-vmx.ts';
import { vmxFromConfig } from '../config/vmx-from-config.ts';
import {
  add,
  cdrom,
  deviceOf,
  disk,
  type NicType,
  nic,
  type ScsiType,
  scsi,
  vmCreate,
} from '../fixtures/govc-specs.ts';
import { specEnvironment } from '../fixtures/test-spec-environment.ts';
import { surroundings } from '../fixtures/test-surroundings.ts';
import { applyConfigSpec } from './apply-config-spec.ts';

const create = (spec: VirtualMachineConfigSpec, world: Parameters<typeof specEnvironment>[0] = {}) =>
  applyConfigSpec(undefined, spec, specEnvironment(world));
const GB_KB = 1024 * 1024;
const empty = (settings: Partial<VirtualMachineConfigSpec> = {}) => vmCreate('web', [], settings);

void test("a VM of nothing but a name has vSphere's defaults and the chipset", () => {
  const { config, effects } = create(make('VirtualMachineConfigSpec', { name: 'tiny' }));
  assert.equal(config.version, 'vmx-21');
  assert.equal(config.guestId, 'otherGuest');
  assert.deepEqual([config.hardware.numCPU, config.hardware.numCoresPerSocket, config.hardware.memoryMB], [1, 1, 32]);
  assert.equal(config.files.vmPathName, '[datastore1] tiny/tiny.vmx');
  assert.equal(config.firmware, 'bios');
  assert.match(config.uuid, /^564d[0-9a-f]{4}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.match(config.instanceUuid ?? '', /^52/);
  assert.equal(config.locationId, config.uuid);
  assert.equal(config.changeVersion, '2026-11-22T10:00:00.000Z');
  assert.deepEqual(
    config.hardware.device?.map((device) => device.key),
    [200, 201, 300, 100, 400, 600, 700, 500, 12_000],
  );
  assert.deepEqual(effects, { prepare: [], live: [], cleanup: [] });
  assert.equal(config.extraConfig?.find(({ key }) => key === 'nvram')?.value, 'tiny.nvram');
  assert.equal(config.extraConfig?.find(({ key }) => key === 'vivarium.machineType')?.value, 'pc-q35-11.1');
});

const controllers: [ScsiType, string][] = [
  ['ParaVirtualSCSIController', 'VMware paravirtual SCSI'],
  ['VirtualLsiLogicController', 'LSI Logic'],
  ['VirtualLsiLogicSASController', 'LSI Logic SAS'],
  ['VirtualBusLogicController', 'BusLogic'],
];
for (const [type, summary] of controllers) {
  void test(`govc vm.create -disk 10GB with ${type}`, () => {
    const { config, effects } = create(
      vmCreate('web', [add(scsi(type)), add(disk(-201, 0, 10 * GB_KB), 'create'), add(nic('VirtualE1000'))]),
    );
    const controller = deviceOf(config, 1000);
    assert.ok(isA(type, controller));
    assert.deepEqual([controller.deviceInfo?.label, controller.deviceInfo?.summary], ['SCSI controller 0', summary]);
    assert.deepEqual([controller.controllerKey, controller.busNumber, controller.device], [100, 0, [2000]]);
    const made = deviceOf(config, 2000);
    assert.ok(isA('VirtualDisk', made) && isA('VirtualDiskFlatVer2BackingInfo', made.backing));
    assert.equal(made.deviceInfo?.summary, '10,485,760 KB');
    assert.deepEqual(
      [made.controllerKey, made.unitNumber, made.capacityInKB, made.capacityInBytes],
      [1000, 0, 10 * GB_KB, 10 * GB_KB * 1024],
    );
    assert.equal(made.backing.fileName, '[datastore1] web/web.vmdk');
    assert.deepEqual(made.backing.datastore, surroundings.datastores[0]?.ref);
    assert.equal(made.backing.thinProvisioned, true);
    assert.match(made.backing.uuid ?? '', /^6000C29/);
    const [effect] = effects.prepare;
    assert.ok(effect?.kind === 'createDisk' && effects.prepare.length === 1);
    assert.deepEqual(
      [effect.path, effect.deviceKey, effect.capacityBytes, effect.provisioning, effect.replace, effect.uuid],
      ['[datastore1] web/web.vmdk', 2000, 10 * GB_KB * 1024, 'thin', false, made.backing.uuid],
    );
  });
}

const adapters: NicType[] = ['VirtualE1000', 'VirtualE1000e', 'VirtualVmxnet3', 'VirtualPCNet32'];
for (const type of adapters) {
  void test(`govc vm.create -net.adapter for ${type}`, () => {
    const { config } = create(vmCreate('web', [add(nic(type))]));
    const made = deviceOf(config, 4000);
    assert.ok(isA(type, made));
    assert.equal(made.deviceInfo?.label, 'Network adapter 1');
    assert.equal(made.deviceInfo?.summary, 'VM Network');
    assert.equal(made.unitNumber, 7);
    assert.equal(made.addressType, 'generated');
    assert.equal(made.macAddress, `00:0c:29:${config.uuid.slice(-6).replace(/(..)(..)(..)/, '$1:$2:$3')}`);
    assert.deepEqual(
      [made.connectable?.connected, made.connectable?.startConnected, made.connectable?.status],
      [false, true, 'untried'],
    );
    assert.ok(isA('VirtualDevicePciBusSlotInfo', made.slotInfo));
  });
}

void test('govc vm.create -disk.controller nvme, sata and ide, with an ISO', () => {
  const nvme = create(
    vmCreate('a', [
      add(make('VirtualNVMEController', { key: -201, busNumber: 0 })),
      add(disk(-201, 0, GB_KB), 'create'),
    ]),
  );
  assert.ok(isA('VirtualDisk', deviceOf(nvme.config, 32_000)));
  const sata = create(
    vmCreate('a', [
      add(make('VirtualAHCIController', { key: -201, busNumber: 0 })),
      add(disk(-201, 0, GB_KB), 'create'),
    ]),
  );
  assert.ok(isA('VirtualDisk', deviceOf(sata.config, 16_000)));
  const ide = create(
    vmCreate('a', [
      add(make('VirtualIDEController', { key: -201, busNumber: 0 })),
      add(disk(-201, 0, GB_KB), 'create'),
      add(cdrom(-201, 1, '[iso store] debian.iso')),
    ]),
  );
  assert.deepEqual(
    ide.effects.prepare.map((effect) => effect.kind === 'createDisk' && effect.adapter),
    ['ide'],
  );
  assert.ok(isA('VirtualDisk', deviceOf(ide.config, 3000)));
  const drive = deviceOf(ide.config, 3001);
  assert.ok(isA('VirtualCdrom', drive));
  assert.deepEqual(
    [drive.controllerKey, drive.unitNumber, drive.deviceInfo?.summary],
    [200, 1, 'ISO [iso store] debian.iso'],
  );
});

void test('ansible and terraform: positive made-up keys, controllers behind their drives, open places', () => {
  const { config, effects } = create(
    vmCreate('web', [
      add(
        make('VirtualDisk', {
          key: 5,
          controllerKey: 1000,
          capacityInKB: 0,
          capacityInBytes: 3 * 1024 ** 3,
          backing: make('VirtualDiskFlatVer2BackingInfo', {
            fileName: '[iso store]',
            diskMode: 'independent_persistent',
            eagerlyScrub: true,
            thinProvisioned: false,
          }),
        }),
        'create',
      ),
      add(
        make('VirtualDisk', {
          key: 6,
          controllerKey: 1000,
          unitNumber: -1,
          capacityInKB: 1024,
          backing: make('VirtualDiskFlatVer2BackingInfo', { fileName: '', diskMode: 'persistent' }),
        }),
        'create',
      ),
      add(make('ParaVirtualSCSIController', { key: 1000, busNumber: 0, sharedBus: 'noSharing' })),
      add(
        make('VirtualCdrom', {
          key: -44,
          connectable: make('VirtualDeviceConnectInfo', {
            startConnected: false,
            allowGuestControl: true,
            connected: false,
          }),
        }),
      ),
    ]),
  );
  assert.deepEqual(
    effects.prepare.map((effect) => [
      effect.path,
      effect.capacityBytes,
      effect.kind === 'createDisk' && effect.provisioning,
    ]),
    [
      ['[iso store] web/web.vmdk', 3 * 1024 ** 3, 'eagerZeroedThick'],
      ['[datastore1] web/web.vmdk', 1024 * 1024, 'lazyZeroedThick'],
    ],
  );
  assert.deepEqual([deviceOf(config, 2000).unitNumber, deviceOf(config, 2001).unitNumber], [0, 1]);
  assert.ok(isA('VirtualCdromRemotePassthroughBackingInfo', deviceOf(config, 3000).backing));
});

void test('a disk and a drive without any controller get what suits the guest', () => {
  const spec = vmCreate('web', [add(disk(0, -1, GB_KB), 'create'), add(make('VirtualCdrom', { key: -1 }))], {
    guestId: 'ubuntu64Guest',
  });
  const { config } = create(spec);
  assert.ok(isA('ParaVirtualSCSIController', deviceOf(config, 1000)));
  assert.equal(deviceOf(config, 2000).controllerKey, 1000);
  assert.equal(deviceOf(config, 3000).controllerKey, 200);
});

void test('disks without a unit take the free ones and skip unit 7', () => {
  const disks = Array.from({ length: 16 }, () =>
    add(make('VirtualDisk', { key: -9, controllerKey: -201, capacityInKB: 4096 }), 'create'),
  );
  const { config, effects } = create(vmCreate('web', [add(scsi('ParaVirtualSCSIController')), ...disks]));
  const units = config.hardware.device
    ?.filter((device) => isA('VirtualDisk', device))
    .map((device) => device.unitNumber);
  assert.deepEqual(units, [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  assert.deepEqual(effects.prepare.map(({ path }) => path).slice(0, 3), [
    '[datastore1] web/web.vmdk',
    '[datastore1] web/web_1.vmdk',
    '[datastore1] web/web_2.vmdk',
  ]);
});

void test('names are escaped and become files', () => {
  const { config } = create(empty({ name: 'a/b\\c 50% x%2fy' }));
  assert.equal(config.name, 'a%2fb%5cc 50%25 x%2fy');
  assert.equal(config.files.vmPathName, '[datastore1] a_b_c 50_ x_y/a_b_c 50_ x_y.vmx');
  assert.equal(create(empty({ name: '..' })).config.files.vmPathName, '[datastore1] _/_.vmx');
});

void test('the folder of a VM is its own', () => {
  const taken = { files: ['[datastore1] web', '[datastore1] web_1', '[datastore1] lab/x.vmx'] };
  assert.equal(create(empty(), taken).config.files.vmPathName, '[datastore1] web_2/web.vmx');
  const at = (vmPathName: string) => empty({ files: make('VirtualMachineFileInfo', { vmPathName }) });
  assert.equal(create(at('[iso store] deep/er/y.vmx')).config.files.vmPathName, '[iso store] deep/er/y.vmx');
  assert.equal(create(at('[iso store] deep/')).config.files.vmPathName, '[iso store] deep/web.vmx');
  assert.equal(create(at('')).config.files.vmPathName, '[datastore1] web/web.vmx');
  assert.throws(
    () => create(at('[datastore1] lab/x.vmx'), taken),
    (error) => isFault(error, 'FileAlreadyExists'),
  );
  for (const bad of [
    '[nowhere]',
    'web.vmx',
    '[datastore1] ../x/y.vmx',
    '[datastore1] x.vmx',
    '[datastore1] a/../../b/c.vmx',
  ]) {
    assert.throws(
      () => create(at(bad)),
      (error) => isFault(error, 'InvalidDatastorePath'),
      bad,
    );
  }
});

void test('an existing disk is attached with its own size', () => {
  const facts = {
    capacityBytes: 2 * 1024 ** 3,
    provisioning: 'thin',
    adapter: 'lsilogic',
    uuid: '6000C290-0000-0000-0000-000000000001',
    contentId: 'aabbccdd',
  } as const;
  const world = { disks: { '[datastore1] old/old.vmdk': facts } };
  const { config, effects } = create(
    vmCreate('web', [add(scsi('ParaVirtualSCSIController')), add(disk(-201, 0, 0, '[datastore1] old/old.vmdk'))]),
    world,
  );
  const attached = deviceOf(config, 2000);
  assert.ok(isA('VirtualDisk', attached) && isA('VirtualDiskFlatVer2BackingInfo', attached.backing));
  assert.deepEqual(
    [attached.capacityInBytes, attached.backing.uuid, attached.backing.contentId],
    [facts.capacityBytes, facts.uuid, 'aabbccdd'],
  );
  assert.deepEqual(effects.prepare, []);
});

void test('a linked clone names its parent', () => {
  const facts = {
    capacityBytes: 2 * 1024 ** 3,
    provisioning: 'thin',
    adapter: 'lsilogic',
    uuid: '6000C290-0000-0000-0000-000000000001',
    contentId: 'aabbccdd',
  } as const;
  const parent = make('VirtualDiskFlatVer2BackingInfo', {
    fileName: '[datastore1] old/old.vmdk',
    diskMode: 'persistent',
  });
  const child = make('VirtualDisk', {
    key: -202,
    controllerKey: -201,
    unitNumber: 0,
    capacityInKB: 0,
    backing: make('VirtualDiskFlatVer2BackingInfo', { fileName: '[datastore1]', diskMode: 'persistent', parent }),
  });
  const { config, effects } = create(vmCreate('web', [add(scsi('ParaVirtualSCSIController')), add(child, 'create')]), {
    disks: { '[datastore1] old/old.vmdk': facts },
  });
  const [effect] = effects.prepare;
  assert.ok(effect?.kind === 'createDisk');
  assert.deepEqual([effect.parent, effect.capacityBytes], ['[datastore1] old/old.vmdk', facts.capacityBytes]);
  const made = deviceOf(config, 2000).backing;
  assert.ok(isA('VirtualDiskFlatVer2BackingInfo', made));
  assert.equal(made.parent?.fileName, '[datastore1] old/old.vmdk');
});

void test('what was created is what its VMX says', () => {
  const spec = vmCreate(
    'web',
    [add(scsi('ParaVirtualSCSIController')), add(cdrom(201, 0)), add(nic('VirtualVmxnet3'))],
    {
      numCPUs: 4,
      numCoresPerSocket: 2,
      memoryMB: 2048,
      annotation: 'line 1\nline "2"',
      memoryHotAddEnabled: true,
      cpuAllocation: make('ResourceAllocationInfo', {
        reservation: 100,
        limit: 1000,
        shares: make('SharesInfo', { level: 'high', shares: 0 }),
      }),
      flags: make('VirtualMachineFlagInfo', { diskUuidEnabled: true }),
      extraConfig: [
        make('OptionValue', { key: 'guestinfo.userdata', value: 'I2Nsb3Vk' }),
        make('OptionValue', { key: 'memSize', value: '8' }),
      ],
      bootOptions: make('VirtualMachineBootOptions', {
        bootDelay: 3000,
        bootOrder: [make('VirtualMachineBootOptionsBootableEthernetDevice', { deviceKey: -1 })],
      }),
    },
  );
  const { config } = create(spec);
  const again = configFromVmx(vmxFromConfig(config), {
    ...surroundings,
    findDisk: () => undefined,
    vmPathName: '[datastore1] web/web.vmx',
    modified: 'x',
  });
  assert.deepEqual(again, config);
  assert.equal(config.hardware.memoryMB, 2048);
  assert.equal(config.cpuAllocation?.shares?.shares, 8000);
  assert.equal(config.extraConfig?.find(({ key }) => key === 'disk.EnableUUID')?.value, 'TRUE');
  assert.deepEqual(config.bootOptions?.bootOrder, [
    make('VirtualMachineBootOptionsBootableEthernetDevice', { deviceKey: 4000 }),
  ]);
});

void test('guests that know nothing of PCI Express get the older machine', () => {
  const type = (guestId: string, firmware = 'bios') =>
    create(empty({ guestId, firmware })).config.extraConfig?.find(({ key }) => key === 'vivarium.machineType')?.value;
  assert.equal(type('dosGuest'), 'pc-i440fx-11.1');
  assert.equal(type('winXPProGuest'), 'pc-i440fx-11.1');
  assert.equal(type('debian12_64Guest'), 'pc-q35-11.1');
});

const refused: [string, Parameters<typeof isFault>[1], string | undefined, VirtualMachineConfigSpec][] = [
  ['no name', 'InvalidArgument', 'configSpec.name', make('VirtualMachineConfigSpec', {})],
  ['an empty name', 'InvalidName', undefined, empty({ name: ' ' })],
  ['a name of 81 characters', 'InvalidName', undefined, empty({ name: 'x'.repeat(81) })],
  ['an unknown guest', 'InvalidArgument', 'configSpec.guestId', empty({ guestId: 'beosGuest' })],
  ['an unknown version', 'InvalidArgument', 'configSpec.version', empty({ version: 'vmx-99' })],
  ['no CPU', 'InvalidArgument', 'configSpec.numCPUs', empty({ numCPUs: 0 })],
  ['more CPUs than the host takes', 'InvalidArgument', 'configSpec.numCPUs', empty({ numCPUs: 17 })],
  ['half sockets', 'InvalidArgument', 'configSpec.numCoresPerSocket', empty({ numCPUs: 4, numCoresPerSocket: 3 })],
  ['odd memory', 'InvalidArgument', 'configSpec.memoryMB', empty({ memoryMB: 1023 })],
  ['too much memory', 'MemorySizeNotSupported', undefined, empty({ memoryMB: 1 << 20 })],
  [
    'a reservation over the memory',
    'InvalidArgument',
    'configSpec.memoryAllocation.reservation',
    empty({ memoryAllocation: make('ResourceAllocationInfo', { reservation: 4096 }) }),
  ],
  [
    'a limit under the reservation',
    'InvalidArgument',
    'configSpec.cpuAllocation.limit',
    empty({ cpuAllocation: make('ResourceAllocationInfo', { reservation: 500, limit: 100 }) }),
  ],
  ['a firmware of the future', 'InvalidArgument', 'configSpec.firmware', empty({ firmware: 'coreboot' })],
  [
    'secure boot with a BIOS',
    'InvalidArgument',
    'configSpec.bootOptions.efiSecureBootEnabled',
    empty({ bootOptions: make('VirtualMachineBootOptions', { efiSecureBootEnabled: true }) }),
  ],
  ['a UUID that is none', 'InvalidArgument', 'configSpec.uuid', empty({ uuid: 'hello' })],
  [
    'an extraConfig key of two lines',
    'InvalidArgument',
    'configSpec.extraConfig',
    empty({ extraConfig: [make('OptionValue', { key: 'a\nb', value: 'c' })] }),
  ],
  [
    'a boot device that is not there',
    'InvalidArgument',
    'configSpec.bootOptions.bootOrder',
    empty({
      bootOptions: make('VirtualMachineBootOptions', {
        bootOrder: [make('VirtualMachineBootOptionsBootableDiskDevice', { deviceKey: 2000 })],
      }),
    }),
  ],
  [
    'encryption',
    'NotSupported',
    undefined,
    empty({ crypto: make('CryptoSpecEncrypt', { cryptoKeyId: make('CryptoKeyId', { keyId: 'k' }) }) }),
  ],
  ['vApp properties', 'NotSupported', undefined, empty({ vAppConfig: make('VmConfigSpec', {}) })],
  [
    'a snapshot directory elsewhere',
    'NotSupported',
    undefined,
    empty({
      files: make('VirtualMachineFileInfo', { vmPathName: '[datastore1]', snapshotDirectory: '[iso store] snap' }),
    }),
  ],
];
for (const [what, fault, property, spec] of refused) {
  void test(`refuses ${what}`, () => {
    assert.throws(
      () => create(spec),
      (error) => {
        assert.ok(isFault(error, fault), String(error));
        if (property) assert.equal((error.fault as { invalidProperty?: string }).invalidProperty, property);
        return true;
      },
    );
  });
}

const device = 'virtualDeviceSpec.device';
const badDevices: [string, Parameters<typeof isFault>[1], string | undefined, ReturnType<typeof add>][] = [
  ['a disk of no size', 'InvalidDeviceSpec', `${device}.capacityInKB`, add(disk(-201, 1, 0), 'create')],
  ['a disk of 63 TB', 'InvalidDeviceSpec', `${device}.capacityInKB`, add(disk(-201, 1, 63 * 1024 ** 3), 'create')],
  ["the controller's own unit", 'InvalidDeviceSpec', `${device}.unitNumber`, add(disk(-201, 7, 4096), 'create')],
  ['a unit that is taken', 'InvalidDeviceSpec', `${device}.unitNumber`, add(disk(-201, 0, 4096), 'create')],
  ['a unit that is not there', 'InvalidDeviceSpec', `${device}.unitNumber`, add(disk(-201, 64, 4096), 'create')],
  [
    'a controller that is not there',
    'InvalidController',
    `${device}.controllerKey`,
    add(disk(1003, 0, 4096), 'create'),
  ],
  ['a disk on the PCI controller', 'InvalidDeviceSpec', `${device}.controllerKey`, add(disk(100, 0, 4096), 'create')],
  [
    'a disk on another datastore that is not there',
    'InvalidDeviceBacking',
    `${device}.backing.fileName`,
    add(disk(-201, 1, 4096, '[nowhere] a/b.vmdk'), 'create'),
  ],
  [
    'a disk outside its datastore',
    'InvalidDeviceBacking',
    `${device}.backing.fileName`,
    add(disk(-201, 1, 4096, '[datastore1] ../b.vmdk'), 'create'),
  ],
  [
    'a disk file of another kind',
    'InvalidDeviceBacking',
    `${device}.backing.fileName`,
    add(disk(-201, 1, 4096, '[datastore1] web/web.vmx'), 'create'),
  ],
  ['a disk that is not there', 'FileNotFound', undefined, add(disk(-201, 1, 0, '[datastore1] gone/gone.vmdk'))],
  [
    'a disk that is there already',
    'FileAlreadyExists',
    undefined,
    add(disk(-201, 1, 4096, '[datastore1] here/here.vmdk'), 'create'),
  ],
  [
    'a raw device mapping',
    'InvalidDeviceBacking',
    `${device}.backing`,
    add(
      make('VirtualDisk', {
        key: -3,
        controllerKey: -201,
        capacityInKB: 0,
        backing: make('VirtualDiskRawDiskMappingVer1BackingInfo', {
          fileName: '',
          deviceName: '/dev/sda',
          compatibilityMode: 'physicalMode',
        }),
      }),
      'create',
    ),
  ],
  [
    'a disk that forgets',
    'VirtualDiskModeNotSupported',
    undefined,
    add(
      make('VirtualDisk', {
        key: -3,
        controllerKey: -201,
        capacityInKB: 4096,
        backing: make('VirtualDiskFlatVer2BackingInfo', { fileName: '', diskMode: 'independent_nonpersistent' }),
      }),
      'create',
    ),
  ],
  [
    'a network that is not there',
    'InvalidDeviceBacking',
    `${device}.backing.deviceName`,
    add(nic('VirtualE1000', 'nowhere')),
  ],
  ['an SR-IOV adapter', 'DeviceUnsupportedForVmPlatform', device, add(make('VirtualSriovEthernetCard', { key: -1 }))],
  [
    "a MAC of VMware's automatic range",
    'InvalidDeviceSpec',
    `${device}.macAddress`,
    add(nic('VirtualE1000', 'VM Network', { addressType: 'manual', macAddress: '00:50:56:80:00:01' })),
  ],
  [
    'a multicast MAC',
    'InvalidDeviceSpec',
    `${device}.macAddress`,
    add(nic('VirtualE1000', 'VM Network', { macAddress: '01:00:5e:00:00:01' })),
  ],
  [
    'a MAC that is none',
    'InvalidDeviceSpec',
    `${device}.macAddress`,
    add(nic('VirtualE1000', 'VM Network', { macAddress: 'zz' })),
  ],
  ['a sound card', 'DeviceUnsupportedForVmPlatform', device, add(make('VirtualHdAudioCard', { key: -1 }))],
  ['a TPM', 'DeviceUnsupportedForVmPlatform', device, add(make('VirtualTPM', { key: -1 }))],
  [
    "an ISO of the host's own files",
    'InvalidDeviceBacking',
    `${device}.backing.fileName`,
    add(cdrom(200, 0, '[] /etc/shadow')),
  ],
  ['a CD drive on NVMe', 'InvalidController', undefined, add(cdrom(31_000, 0))],
  [
    'a serial port into a disk',
    'InvalidDeviceBacking',
    `${device}.backing.fileName`,
    add(
      make('VirtualSerialPort', {
        key: -1,
        yieldOnPoll: true,
        backing: make('VirtualSerialPortFileBackingInfo', { fileName: '[datastore1] db/db-flat.vmdk' }),
      }),
    ),
  ],
  [
    'a change without an operation',
    'InvalidDeviceSpec',
    'virtualDeviceSpec.operation',
    make('VirtualDeviceConfigSpec', { device: scsi('ParaVirtualSCSIController') }),
  ],
];
for (const [what, fault, property, change] of badDevices) {
  void test(`refuses ${what}, and says which entry it was`, () => {
    const spec = vmCreate('web', [add(scsi('ParaVirtualSCSIController')), add(disk(-201, 0, 4096), 'create'), change]);
    assert.throws(
      () => create(spec, { files: ['[datastore1] here/here.vmdk'] }),
      (error) => {
        assert.ok(isFault(error, fault), String(error));
        if (isFault(error, 'InvalidDeviceSpec')) assert.equal(error.fault.deviceIndex, 2);
        if (property) assert.equal((error.fault as { property?: string }).property, property);
        return true;
      },
    );
  });
}

void test('the eleventh network adapter, the third floppy, the fifth serial port, the fifth controller are too many', () => {
  const floppy = make('VirtualFloppy', { key: -1 });
  const serial = make('VirtualSerialPort', {
    key: -1,
    yieldOnPoll: true,
    backing: make('VirtualSerialPortURIBackingInfo', { direction: 'client', serviceURI: 'localhost:0' }),
  });
  for (const [count, one] of [
    [10, nic('VirtualE1000')],
    [2, floppy],
    [4, serial],
    [4, scsi('VirtualLsiLogicController')],
  ] as const) {
    const many = (number: number) =>
      vmCreate(
        'web',
        Array.from({ length: number }, () => add(one)),
      );
    create(many(count));
    assert.throws(
      () => create(many(count + 1)),
      (error) => isFault(error, 'TooManyDevices'),
    );
  }
});
