import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readBlockDevices } from './block-devices.ts';
import { parseCpuList, readMachineDetails } from './machine-details.ts';
import { type MachineFiles, machineFiles } from './machine-files.ts';
import { readMachineServices, readTimeServers } from './machine-services.ts';

/** A machine of these files; values that start with `->` are links. */
async function machine(context: TestContext, tree: Readonly<Record<string, string>>): Promise<MachineFiles> {
  const root = mkdtempSync(join(tmpdir(), 'viv-machine-'));
  context.after(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(tree)) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    if (content.startsWith('->')) await symlink(content.slice(2), join(root, path));
    else await writeFile(join(root, path), `${content}\n`);
  }
  return machineFiles(root);
}

/** A disk below its PCI device, as sysfs lays it out. */
function disk(name: string, pci: string, driver: string, said: Readonly<Record<string, string>>) {
  const place = `sys/devices/pci0000:00/${pci}/host0/block/${name}`;
  return {
    [`sys/block/${name}`]: `->../devices/pci0000:00/${pci}/host0/block/${name}`,
    [`${place}/device`]: '->../..',
    [`sys/bus/pci/drivers/${driver}/x`]: '',
    [`sys/bus/pci/devices/${pci}/driver`]: `->../../drivers/${driver}`,
    ...Object.fromEntries(Object.entries(said).map(([file, text]) => [`${place}/${file}`, text])),
  };
}

void test('disks are told with what they hang on; loops and optical drives are none', async (context) => {
  const files = await machine(context, {
    ...disk('sda', '0000:00:1f.2', 'ahci', {
      size: '2048',
      'queue/rotational': '0',
      'queue/logical_block_size': '4096',
      wwid: 'naa.5000c500a1b2c3d4',
      serial: 'S1',
    }),
    ...disk('vda', '0000:00:02.0', 'virtio-pci', { size: '4096', 'queue/rotational': '1' }),
    ...disk('sr0', '0000:00:1f.3', 'ahci', { size: '2048', removable: '1' }),
    'sys/devices/virtual/block/loop0/size': '100',
    'sys/block/loop0': '->../devices/virtual/block/loop0',
  });
  assert.deepEqual(
    readBlockDevices(files).map(({ name, sizeBytes, blockBytes, isRotational, wwid, adapter }) => [
      name,
      sizeBytes,
      blockBytes,
      isRotational,
      wwid,
      adapter.pci,
      adapter.driver,
    ]),
    [
      ['sda', 2048 * 512, 4096, false, 'naa.5000c500a1b2c3d4', '0000:00:1f.2', 'ahci'],
      ['vda', 4096 * 512, 512, true, undefined, '0000:00:02.0', 'virtio-pci'],
    ],
  );
});

void test('nodes, PCI devices and firmware are told as far as they are known', async (context) => {
  const files = await machine(context, {
    'sys/devices/system/node/node0/cpulist': '0-1,4',
    'sys/devices/system/node/node0/meminfo': 'Node 0 MemTotal:       1024 kB',
    'sys/devices/system/node/node0/memory0/x': '',
    'sys/devices/system/node/node1/cpulist': '2-3',
    'sys/devices/system/node/node1/meminfo': 'Node 1 MemTotal:       2048 kB',
    'sys/devices/system/node/node1/memory32/x': '',
    'sys/devices/system/memory/block_size_bytes': '8000000',
    'sys/bus/pci/devices/0000:00:02.0/vendor': '0x8086',
    'sys/bus/pci/devices/0000:00:02.0/device': '0x0d57',
    'sys/bus/pci/devices/0000:00:02.0/class': '0x060000',
    'sys/bus/pci/devices/0000:00:03.0/vendor': '0x1af4',
    'sys/bus/pci/devices/0000:00:03.0/device': '0x1041',
    'usr/share/misc/pci.ids':
      '# PCI\n1af4  Red Hat, Inc.\n\t1000  Virtio network device\n8086  Intel Corporation\n\t0d57  Bridge\n\t\t1234 5678  Sub',
    'sys/class/dmi/id/bios_date': '04/01/2014',
    'sys/firmware/efi/runtime': '',
    'sys/devices/system/cpu/smt/control': 'off',
    'sys/devices/system/cpu/smt/active': '0',
  });
  const details = readMachineDetails(files);
  assert.deepEqual(details.numaNodes, [
    { id: 0, cpus: [0, 1, 4], memoryBytes: 2 ** 20, memoryStart: 0 },
    { id: 1, cpus: [2, 3], memoryBytes: 2 ** 21, memoryStart: 32 * 2 ** 27 },
  ]);
  const [bridge, virtio] = details.pciDevices;
  assert.deepEqual([bridge?.vendorName, bridge?.deviceName, bridge?.classId], ['Intel Corporation', 'Bridge', 0x0600]);
  assert.deepEqual([virtio?.vendorName, virtio?.deviceName], ['Red Hat, Inc.', undefined]);
  assert.equal(details.firmwareDate, '2014-04-01T00:00:00Z');
  assert.equal(details.firmwareType, 'UEFI');
  assert.deepEqual(details.hyperThreading, { isAvailable: true, isActive: false });
});

void test('a machine that tells nothing has nothing', async (context) => {
  const files = await machine(context, {});
  assert.deepEqual(readBlockDevices(files), []);
  const details = readMachineDetails(files);
  assert.deepEqual([details.numaNodes, details.pciDevices, details.firmwareType], [[], [], 'BIOS']);
  assert.ok(readMachineServices(files).every(({ isRunning, isEnabled }) => !isRunning && !isEnabled));
  assert.deepEqual(readTimeServers(files), []);
});

void test('services are found by their programs, whoever starts them', async (context) => {
  const files = await machine(context, {
    'proc/12/comm': 'chronyd',
    'proc/13/comm': 'bash',
    'etc/systemd/system/multi-user.target.wants/ssh.service': '',
  });
  const found = readMachineServices(files).map(({ key, isRunning, isEnabled }) => [key, isRunning, isEnabled]);
  assert.deepEqual(found, [
    ['ntpd', true, false],
    ['TSM-SSH', false, true],
  ]);
});

void test('time servers are those of the daemon that is configured', async (context) => {
  const chrony = await machine(context, {
    'etc/chrony/chrony.conf': '# x\npool 2.debian.pool.ntp.org iburst\nserver a',
  });
  assert.deepEqual(readTimeServers(chrony), ['2.debian.pool.ntp.org', 'a']);
  const timesyncd = await machine(context, { 'etc/systemd/timesyncd.conf': '[Time]\n#NTP=x\nNTP=b c' });
  assert.deepEqual(readTimeServers(timesyncd), ['b', 'c']);
});

void test('a list of processors is a list of numbers', () => {
  assert.deepEqual(parseCpuList('0-3,8,10-11'), [0, 1, 2, 3, 8, 10, 11]);
  assert.deepEqual(parseCpuList(''), []);
});
