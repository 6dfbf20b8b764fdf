import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { VirtualMachineConfigSpec } from '@vivarium/vim';
import { fault } from '../testing/faults.ts';
import { asUser, diskChange, testHost, vmSpec } from '../testing/test-host.ts';
import { describeHardware, openFiles } from './hardware.ts';

type Changes = NonNullable<VirtualMachineConfigSpec['deviceChange']>;

const add = (device: object) => ({ operation: 'add', device }) as Changes[number];
const connectable = { startConnected: true, allowGuestControl: true, connected: true };

void test('files are named as the jail sees them: in the folder by name, elsewhere as images', async (t) => {
  const host = await testHost(t);
  for (const folder of ['iso', 'out']) await mkdir(join(host.root, folder));
  await writeFile(join(host.root, 'iso/disc.iso'), '');
  await writeFile(join(host.root, 'iso/boot.flp'), '');
  const vm = await host.create({
    ...vmSpec(),
    firmware: 'efi',
    deviceChange: [
      ...(vmSpec().deviceChange ?? []).slice(0, 3),
      diskChange(-20, -1, 8, '[datastore1] out/data.vmdk'),
      add({ _typeName: 'VirtualAHCIController', key: -30, busNumber: 0 }),
      add({
        _typeName: 'VirtualCdrom',
        key: -31,
        controllerKey: -30,
        backing: { _typeName: 'VirtualCdromIsoBackingInfo', fileName: '[datastore1] iso/disc.iso' },
        connectable,
      }),
      add({
        _typeName: 'VirtualFloppy',
        key: -32,
        backing: { _typeName: 'VirtualFloppyImageBackingInfo', fileName: '[datastore1] iso/boot.flp' },
        connectable,
      }),
      add({
        _typeName: 'VirtualSerialPort',
        key: -33,
        yieldOnPoll: true,
        backing: { _typeName: 'VirtualSerialPortFileBackingInfo', fileName: '[datastore1] out/serial.txt' },
        connectable,
      }),
      add({
        _typeName: 'VirtualSerialPort',
        key: -34,
        yieldOnPoll: true,
        backing: { _typeName: 'VirtualSerialPortFileBackingInfo', fileName: '[datastore1] web/own.txt' },
        connectable,
      }),
    ],
  });
  await vm.powerOn(asUser());
  const hardware = await describeHardware(vm, vm.config);
  const { machine, images, writableFiles } = hardware;
  const at = (path: string) => join(host.root, path);
  const hostPath = (inside: string | undefined) => inside && images.get(inside);
  assert.deepEqual(
    machine.disks.map(({ file }) => hostPath(file) ?? file),
    ['web.qcow2', at('out/data.qcow2')],
  );
  assert.equal(hostPath(machine.cdroms[0]?.file), at('iso/disc.iso'));
  assert.equal(hostPath(machine.floppies[0]?.file), at('iso/boot.flp'));
  assert.deepEqual(
    writableFiles.toSorted(),
    ['iso/boot.flp', 'out/data.qcow2', 'out/serial.txt', 'web/own.txt', 'web/web.nvram', 'web/web.qcow2'].map(at),
  );
  const open = openFiles(vm.vmxFile, hardware);
  assert.deepEqual(open.toSorted(), [...writableFiles, at('iso/disc.iso')].toSorted());
  assert.equal(new Set(open).size, open.length);
  // Nobody else may change them, or the descriptors, meanwhile.
  await assert.rejects(host.disks.remove('[datastore1] out/data.vmdk'), fault('FileLocked'));
  assert.ok(vm.filesInUse().includes(at('out/data.vmdk')));
  await vm.powerOff(asUser());
  assert.deepEqual(vm.filesInUse(), []);
});

void test('a disk that a running VM stands on through a chain is in use as well', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const { descriptor } = await host.disks.read('[datastore1] web/web.vmdk');
  await host.disks.create({
    path: '[datastore1] web/child.vmdk',
    capacityBytes: 16 * 2 ** 20,
    provisioning: 'thin',
    adapter: 'lsilogic',
    uuid: '6000C291-0000-0000-0000-000000000001',
    contentId: '1'.repeat(32),
    replace: false,
    parent: '[datastore1] web/web.vmdk',
  });
  assert.ok(descriptor);
  const disk = vm.config.hardware.device?.find(({ key }) => key === 2000);
  await vm.reconfigure(asUser(), {
    deviceChange: [
      { operation: 'remove', device: disk } as never,
      add({
        _typeName: 'VirtualDisk',
        key: -1,
        controllerKey: 1000,
        capacityInKB: 0,
        backing: {
          _typeName: 'VirtualDiskFlatVer2BackingInfo',
          fileName: '[datastore1] web/child.vmdk',
          diskMode: 'persistent',
        },
      }),
    ],
  });
  await vm.powerOn(asUser());
  assert.ok(vm.filesInUse().includes(join(host.root, 'web/web.qcow2')), String(vm.filesInUse()));
  const [child] = host.vmms.machine(vm.id).hardware.machine.disks;
  assert.deepEqual(child?.backing, [{ file: 'web.qcow2', format: 'qcow2' }]);
});

void test('switch ports are named by the VM and the NIC, MAC addresses in lower case', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const { networks } = await describeHardware(vm, vm.config);
  const [[id, port] = []] = [...networks];
  assert.equal(id, 'nic-4000');
  assert.equal(port?.portKey, '1-4000');
  assert.equal(port?.portGroup, 'VM Network');
  assert.match(port?.mac ?? '', /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
});
