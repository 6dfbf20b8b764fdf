import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostScsiDisk } from '@vivarium/vim';
import type { BlockDevice } from '../machine/block-devices.ts';
import { countAdapters, storageDeviceInfo } from './storage-device-info.ts';

const device = (name: string, pci: string | undefined, more: Partial<BlockDevice> = {}): BlockDevice => ({
  name,
  sizeBytes: 2 ** 30,
  blockBytes: 512,
  isRotational: true,
  isNvme: false,
  adapter: { pci, driver: 'ahci' },
  ...more,
});

void test('adapters are numbered by their addresses, and disks hang on them', () => {
  const devices = [
    device('sda', '0000:00:1f.2', { wwid: 't10.ATA     DISK    1' }),
    device('sdb', '0000:00:1f.2'),
    device('nvme0n1', '0000:00:02.0', { isNvme: true, isRotational: false, wwid: 'eui.0025' }),
  ];
  const info = storageDeviceInfo(devices);
  assert.deepEqual(
    info.hostBusAdapter?.map(({ device: name, pci, storageProtocol }) => [name, pci, storageProtocol]),
    [
      ['vmhba0', '0000:00:02.0', 'nvme'],
      ['vmhba1', '0000:00:1f.2', 'scsi'],
    ],
  );
  const disks = (info.scsiLun ?? []) as HostScsiDisk[];
  assert.deepEqual(
    disks.map(({ canonicalName, ssd, deviceName }) => [canonicalName, ssd, deviceName]),
    [
      ['eui.0025', true, '/dev/nvme0n1'],
      ['t10.ATA_DISK_1', false, '/dev/sda'],
      ['mpx.vmhba1:C0:T1:L0', false, '/dev/sdb'],
    ],
  );
  assert.deepEqual(disks[0]?.capacity.block, 2 ** 21);
  const luns = info.scsiTopology?.adapter?.flatMap(({ target = [] }) => target.flatMap(({ lun = [] }) => lun));
  assert.deepEqual(
    luns?.map(({ scsiLun }) => scsiLun),
    disks.map(({ key }) => key),
  );
  assert.equal(countAdapters(devices), 2);
});

void test('a machine without disks has none', () => {
  const info = storageDeviceInfo([]);
  assert.deepEqual([info.hostBusAdapter, info.scsiLun], [[], []]);
});
