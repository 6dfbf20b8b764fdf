import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isA, type VirtualDevice, type VirtualMachineConfigInfo } from '@vivarium/vim';
import fc from 'fast-check';
import { vmxEnvironment } from '../fixtures/test-surroundings.ts';
import { formatVmx } from '../text/format-vmx.ts';
import { parseVmx } from '../text/parse-vmx.ts';
import { VmxFile } from '../text/vmx-file.ts';
import { configFromVmx } from './config-from-vmx.ts';
import { topics } from './known-keys.ts';
import { vmxFromConfig } from './vmx-from-config.ts';

const load = (name: string) => parseVmx(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
const read = (name: string) => configFromVmx(load(name), vmxEnvironment);
const device = (config: VirtualMachineConfigInfo, key: number): VirtualDevice => {
  const found = config.hardware.device?.find((candidate) => candidate.key === key);
  assert.ok(found, `device ${key}`);
  return found;
};
const backingOf = (config: VirtualMachineConfigInfo, key: number) =>
  device(config, key).backing as Record<string, unknown> | undefined;
const extra = (config: VirtualMachineConfigInfo) =>
  Object.fromEntries((config.extraConfig ?? []).map(({ key, value }) => [key, value]));

void test('a VMX of ESXi', () => {
  const config = read('esxi.vmx');
  assert.equal(config.name, 'web');
  assert.equal(config.version, 'vmx-21');
  assert.equal(config.guestId, 'ubuntu64Guest');
  assert.equal(config.guestFullName, 'Ubuntu Linux (64-bit)');
  assert.equal(config.uuid, '421e8a0f-1122-3344-5566-778899aabbcc');
  assert.equal(config.instanceUuid, '501e8a0f-1122-3344-5566-778899aabbcc');
  assert.deepEqual([config.hardware.numCPU, config.hardware.numCoresPerSocket, config.hardware.memoryMB], [2, 1, 4096]);
  assert.deepEqual(
    [config.cpuAllocation?.reservation, config.cpuAllocation?.limit, config.cpuAllocation?.shares?.shares],
    [500, -1, 4000],
  );
  assert.equal(config.memoryAllocation?.shares?.shares, 40_960);
  assert.equal(config.defaultPowerOps.powerOffType, 'preset');
  assert.equal(config.flags.diskUuidEnabled, true);
  assert.equal(extra(config)['disk.EnableUUID'], 'TRUE');
  assert.equal(extra(config)['guestinfo.metadata'], 'aGVsbG8=');
  assert.equal(extra(config)['pciBridge4.virtualDev'], 'pcieRootPort');
  assert.equal(extra(config)['scsi0.pciSlotNumber'], '160');
  assert.equal('scsi0:0.fileName' in extra(config), false);
  assert.equal(config.createDate, '2023-11-14T22:13:20.000Z');
  assert.equal(config.bootOptions?.bootRetryDelay, 10_000);
  assert.deepEqual(
    config.hardware.device?.map(({ key, deviceInfo }) => `${key} ${deviceInfo?.label}`),
    [
      '200 IDE 0',
      '201 IDE 1',
      '300 PS2 controller 0',
      '100 PCI controller 0',
      '400 SIO controller 0',
      '600 Keyboard',
      '700 Pointing device',
      '500 Video card',
      '12000 VMCI device',
      '1000 SCSI controller 0',
      '1001 SCSI controller 1',
      '15000 SATA controller 0',
      '16000 CD/DVD drive 1',
      '16001 CD/DVD drive 2',
      '2000 Hard disk 1',
      '2001 Hard disk 2',
      '2031 Hard disk 3',
      '4000 Network adapter 1',
      '4001 Network adapter 2',
      '9000 Serial port 1',
    ],
  );
  assert.equal(backingOf(config, 2000)?.['fileName'], '[datastore1] web/web.vmdk');
  assert.equal(backingOf(config, 2001)?.['fileName'], '[datastore1] data/data.vmdk');
  assert.equal(backingOf(config, 2001)?.['diskMode'], 'independent_persistent');
  assert.equal(backingOf(config, 2031)?.['sharing'], 'sharingMultiWriter');
  assert.equal(backingOf(config, 16_000)?.['fileName'], '[iso store] linux/debian.iso');
  assert.ok(isA('VirtualCdromRemoteAtapiBackingInfo', backingOf(config, 16_001)));
  assert.deepEqual(
    config.bootOptions?.bootOrder?.map((entry) => ('deviceKey' in entry ? entry.deviceKey : entry._typeName)),
    [4000, 2001, 2000, 'VirtualMachineBootOptionsBootableCdromDevice'],
  );
  const nic = device(config, 4000);
  assert.ok(isA('VirtualVmxnet3', nic));
  assert.deepEqual([nic.addressType, nic.macAddress], ['assigned', '00:50:56:9a:12:34']);
  assert.deepEqual(nic.slotInfo, { _typeName: 'VirtualDevicePciBusSlotInfo', pciSlotNumber: 192 });
  const lsi = device(config, 1001);
  assert.ok(isA('VirtualLsiLogicSASController', lsi));
  assert.deepEqual([lsi.sharedBus, lsi.device], ['virtualSharing', [2031]]);
});

void test('a VMX of Workstation, in its own encoding', () => {
  const config = read('workstation.vmx');
  assert.equal(config.name, 'Débian 12.x 64-bit');
  assert.equal(config.version, 'vmx-19');
  assert.equal(config.guestId, 'debian12_64Guest');
  assert.equal(config.firmware, 'efi');
  assert.equal(config.bootOptions?.efiSecureBootEnabled, true);
  assert.deepEqual([config.hardware.numCPU, config.hardware.numCoresPerSocket, config.cpuHotAddEnabled], [4, 2, true]);
  assert.equal(backingOf(config, 32_000)?.['fileName'], '[datastore1] web/Debian 12.x 64-bit.vmdk');
  assert.equal(backingOf(config, 16_001)?.['fileName'], '[] C:\\ISO\\debian-12.iso');
  assert.equal(backingOf(config, 4000)?.['deviceName'], 'VM Network');
  assert.equal(device(config, 4000)._typeName, 'VirtualE1000');
  assert.ok(isA('VirtualUSBXHCIController', device(config, 14_000)));
  assert.equal(extra(config)['sound.virtualDev'], 'hdaudio');
});

void test('a VMX that libvirt defines', () => {
  const config = read('libvirt.vmx');
  assert.equal(config.name, 'lib%2fvirt');
  assert.equal(config.annotation, 'defined "by" virsh');
  assert.equal(config.version, 'vmx-04');
  assert.equal(config.guestId, 'otherGuest64');
  assert.equal(config.memoryAllocation?.limit, 1024);
  assert.equal(backingOf(config, 2000)?.['fileName'], '[datastore1] lib/virt.vmdk');
  assert.equal(backingOf(config, 3000)?.['fileName'], '[iso store] debian.iso');
  const nic = device(config, 4000);
  assert.ok(isA('VirtualE1000', nic));
  assert.deepEqual([nic.addressType, nic.macAddress], ['manual', '52:54:00:12:34:56']);
  assert.equal(vmxFromConfig(config).get('ethernet0.checkMACAddress'), 'FALSE');
});

for (const name of ['esxi.vmx', 'workstation.vmx', 'libvirt.vmx']) {
  void test(`${name}: config -> VMX text -> config is the identity`, () => {
    const config = read(name);
    const text = formatVmx(vmxFromConfig(config));
    assert.deepEqual(configFromVmx(parseVmx(text), vmxEnvironment), config);
  });

  void test(`${name}: no line that is not understood is lost`, () => {
    const config = read(name);
    const written = vmxFromConfig(config);
    for (const { key, value } of config.extraConfig ?? []) assert.equal(written.get(key), value);
  });
}

// A random VMX made of keys that mean something, with values that are sometimes right.
const digit = fc.integer({ min: 0, max: 3 });
const drive = fc
  .tuple(fc.constantFrom('scsi', 'sata', 'nvme', 'ide'), digit, fc.integer({ min: 0, max: 16 }))
  .map(([bus, n, u]) => `${bus}${n}:${u}`);
const word = fc.constantFrom(
  'TRUE',
  'false',
  '1',
  '0',
  '-1',
  '',
  '2',
  '512',
  'web.vmdk',
  'other/../x.vmdk',
  '../../out.vmdk',
  '/vmfs/volumes/datastore1/a/b.vmdk',
  '/vmfs/volumes/iso store/c.iso',
  'pvscsi',
  'lsisas1068',
  'cdrom-image',
  'atapi-cdrom',
  'cdrom-raw',
  'disk',
  'independent-persistent',
  'virtual',
  'emptyBackingString',
  'auto detect',
  'static',
  'vpx',
  'generated',
  '00:50:56:00:00:01',
  'vmxnet3',
  'e1000e',
  'file',
  'pipe',
  'network',
  'device',
  'server',
  'client',
  'high',
  '700',
  'efi',
  'hdd,cdrom,ethernet0,floppy',
  'scsi0:0,sata0:1',
  'VM Network',
  'ubuntu-64',
  'windows9-64',
  '56 4d 9a 1f 2b 3c 4d 5e-6f 70 81 92 a3 b4 c5 d6',
  'soft',
  'default',
  '4000,3000',
  '0,1',
);
const key = fc.oneof(
  fc
    .tuple(
      drive,
      fc.constantFrom(
        'present',
        'fileName',
        'deviceType',
        'mode',
        'startConnected',
        'clientDevice',
        'autodetect',
        'exclusive',
        'sharing',
        'writeThrough',
        'ctkEnabled',
      ),
    )
    .map(([d, k]) => `${d}.${k}`),
  drive.map((d) => `sched.${d}.shares`),
  fc
    .tuple(
      fc.constantFrom('scsi', 'sata', 'nvme', 'ethernet', 'floppy', 'serial'),
      digit,
      fc.constantFrom(
        'present',
        'virtualDev',
        'sharedBus',
        'pciSlotNumber',
        'networkName',
        'addressType',
        'address',
        'generatedAddress',
        'fileType',
        'fileName',
        'startConnected',
        'connectionType',
        'network.endPoint',
        'pipe.endPoint',
        'dvs.switchId',
        'clientDevice',
        'yieldOnMsrRead',
        'checkMACAddress',
        'filter4.name',
      ),
    )
    .map(([d, n, k]) => `${d}${n}.${k}`),
  fc.constantFrom(
    'displayName',
    'guestOS',
    'guestOSAltName',
    'memsize',
    'numvcpus',
    'cpuid.coresPerSocket',
    'uuid.bios',
    'vc.uuid',
    'annotation',
    'virtualHW.version',
    'firmware',
    'bios.bootOrder',
    'bios.hddOrder',
    'bios.bootDelay',
    'sched.cpu.min',
    'sched.cpu.max',
    'sched.cpu.shares',
    'sched.mem.pin',
    'sched.cpu.affinity',
    'disk.EnableUUID',
    'mem.hotadd',
    'vhv.enable',
    'tools.syncTime',
    'powerType.powerOff',
    'powerType.reset',
    'usb.present',
    'usb_xhci.present',
    'ehci.present',
    'svga.vramSize',
    'vmci0.id',
    'vivarium.connected',
    'vivarium.machineType',
    'nvram',
    'logging',
    'toolScripts.afterResume',
    'foo.bar',
    'monitor.virtual_mmu',
    'snapshot.action',
    'uefi.secureBoot.enabled',
    'RemoteDisplay.maxConnections',
    'managedBy.extensionKey',
    'chipset.onlineStandby',
    'sched.ethernet0.limit',
  ),
);

void test('config -> VMX -> config is the identity for whatever a VMX can say (property)', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, word), { maxLength: 80 }), (entries) => {
      const vmx = new VmxFile();
      for (const [k, v] of entries) vmx.set(k, v);
      for (const prefix of ['scsi0', 'scsi1', 'sata0', 'nvme0', 'ethernet0'])
        if (vmx.size % 2) vmx.set(`${prefix}.present`, 'TRUE');
      const config = configFromVmx(vmx, vmxEnvironment);
      const text = formatVmx(vmxFromConfig(config));
      assert.deepEqual(configFromVmx(parseVmx(text), vmxEnvironment), config);
    }),
    { numRuns: 1500 },
  );
});

void test('a topic reads nothing but its own keys', () => {
  for (const topic of topics) {
    const asked = new Set<string>();
    const vmx = new VmxFile();
    vmx.get = (key) => {
      asked.add(key.toLowerCase());
      return key.toLowerCase() === 'bios.bootorder' ? 'hdd' : undefined;
    };
    topic.read(vmx, [], vmxEnvironment);
    assert.ok(asked.size > 1);
    assert.deepEqual(
      [...asked].filter((key) => !topic.keys.includes(key)),
      [],
    );
  }
});
