// govc's device, vm.disk and vm.network commands: every kind of device comes, changes, is described and goes.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { VirtualDevice } from '@vivarium/vim';
import { useLabHost } from '../testing/use-lab-host.ts';
import { useGovc, withoutGovc } from './use-govc.ts';

const POWERED_ON = /current state \(Powered on\)/;
const TOO_MANY = /too many devices/;

describe('govc and devices', { skip: withoutGovc }, () => {
  const host = useLabHost();
  const plain = useGovc(host);
  const govc = useGovc(host, { GOVC_VM: 'parts' });
  const added = async (...args: string[]) => (await govc(...args)).trim();
  const describeOf = async (name: string): Promise<VirtualDevice> => {
    const { devices } = await govc.json<{ devices: VirtualDevice[] }>('device.info', name);
    assert.equal(devices.length, 1, name);
    return devices[0] as VirtualDevice;
  };

  before(async () => {
    if (withoutGovc) return;
    await plain('vm.create', '-on=false', '-m', '64', '-disk', '8MB', '-disk.controller', 'pvscsi', 'parts');
    const image = join(host().stateDir, 'image');
    await writeFile(image, Buffer.alloc(1_474_560));
    for (const name of ['parts/floppy.flp', 'parts/cd.iso', 'parts/other.iso'])
      await govc('datastore.upload', image, name);
  });

  test('device.ls and device.info', async () => {
    assert.match(await govc('device.ls'), /^disk-1000-0 +VirtualDisk +8,192 KB$/m);
    assert.match(await govc('device.info', 'disk-*'), /File: +\[datastore1\] parts\/parts\.vmdk/);
    const { deviceInfo } = await describeOf('pvscsi-1000');
    assert.equal(deviceInfo?.label, 'SCSI controller 0');
    assert.equal(await govc('device.ls', '-boot'), '');
    await govc.refused(/'nothing' not found/, 'device.info', 'nothing');
    await plain.refused(/'nothing' not found/, 'device.ls', '-vm', 'nothing');
  });

  test('device.scsi.add, of every type', async () => {
    assert.equal(await added('device.scsi.add', '-type', 'lsilogic'), 'lsilogic-1001');
    assert.equal(await added('device.scsi.add', '-type', 'buslogic'), 'buslogic-1002');
    assert.equal(await added('device.scsi.add', '-type', 'lsilogic-sas'), 'lsilogic-sas-1003');
    await govc.refused(TOO_MANY, 'device.scsi.add', '-type', 'pvscsi');
    await govc.refused(/unknown SCSI controller type/, 'device.scsi.add', '-type', 'nonsense');
    await govc('device.remove', 'lsilogic-1001', 'buslogic-1002', 'lsilogic-sas-1003');
    assert.doesNotMatch(await govc('device.ls'), /logic/);
  });

  test('device.usb.add', async () => {
    assert.equal(await added('device.usb.add'), 'usb-7000');
    assert.equal(await added('device.usb.add', '-type', 'xhci'), 'usbxhci-14000');
    await govc.refused(TOO_MANY, 'device.usb.add');
  });

  test('device.cdrom.*, off and running', async () => {
    assert.equal(await added('device.cdrom.add'), 'cdrom-3000');
    assert.equal(await added('device.cdrom.add', '-controller', 'ide-201'), 'cdrom-3002');
    await govc('device.cdrom.insert', '-device', 'cdrom-3000', 'parts/cd.iso');
    assert.match(await govc('device.info', 'cdrom-3000'), /Summary: +ISO \[datastore1\] parts\/cd\.iso/);
    await govc.refused(/'nothing' not found/, 'device.cdrom.insert', '-device', 'nothing', 'parts/cd.iso');
    await govc('vm.power', '-on', 'parts');
    await govc('device.cdrom.eject', '-device', 'cdrom-3000');
    assert.doesNotMatch(await govc('device.info', 'cdrom-3000'), /ISO/);
    await govc('device.cdrom.insert', '-device', 'cdrom-3000', 'parts/other.iso');
    const { backing, connectable } = await describeOf('cdrom-3000');
    assert.equal((backing as { fileName?: string } | undefined)?.fileName, '[datastore1] parts/other.iso');
    assert.equal(connectable?.connected, true);
    await govc.refused(/Unable to access/, 'device.cdrom.insert', '-device', 'cdrom-3000', 'parts/nothing.iso');
    await govc('vm.power', '-off', 'parts');
    await govc('device.remove', 'cdrom-3002');
  });

  test('device.floppy.*', async () => {
    assert.equal(await added('device.floppy.add'), 'floppy-8000');
    assert.equal(await added('device.floppy.add'), 'floppy-8001');
    await govc.refused(TOO_MANY, 'device.floppy.add');
    await govc('device.floppy.insert', '-device', 'floppy-8000', 'parts/floppy.flp');
    assert.match(await govc('device.info', 'floppy-8000'), /\[datastore1\] parts\/floppy\.flp/);
    await govc('vm.power', '-on', 'parts');
    await govc('device.floppy.eject', '-device', 'floppy-8000');
    await govc('vm.power', '-off', 'parts');
    await govc('device.remove', 'floppy-8001');
  });

  test('device.serial.*', async () => {
    for (const index of [0, 1, 2, 3]) assert.equal(await added('device.serial.add'), `serialport-900${index}`);
    await govc.refused(TOO_MANY, 'device.serial.add');
    await govc('device.serial.connect', '-device', 'serialport-9000', '[datastore1] parts/com1.log');
    assert.match(await govc('device.info', 'serialport-9000'), /Summary: +File \[datastore1\] parts\/com1\.log/);
    await govc('device.serial.connect', '-device', 'serialport-9001', 'telnet://:0');
    await govc('device.serial.connect', '-device', 'serialport-9002', '-client', 'telnet://127.0.0.1:33233');
    assert.match(await govc('device.info', 'serialport-9002'), /Remote telnet:\/\/127\.0\.0\.1:33233/);
    await govc('device.serial.disconnect', '-device', 'serialport-9002');
    await govc('device.remove', 'serialport-9003', 'serialport-9002', 'serialport-9001');
    await govc('vm.power', '-on', 'parts');
    assert.match(await govc('datastore.ls', 'parts'), /^com1\.log$/m);
    await govc('vm.power', '-off', 'parts');
  });

  test('device.boot', async () => {
    const order = ['-order', 'cdrom,ethernet,disk', '-delay', '20', '-retry=true', '-retry-delay', '5000'];
    await govc('device.boot', ...order, '-setup=true');
    const listed = (await govc('device.ls', '-boot')).split('\n').map((line) => line.split(' ')[0]);
    assert.deepEqual(listed, ['cdrom-3000', 'ethernet-0', 'disk-1000-0', '']);
    await govc('device.boot', '-order', '-');
    await govc('device.boot', '-firmware', 'efi', '-secure=true', '-setup=false', '-order', 'disk');
    await govc('vm.power', '-on', 'parts');
    await govc('vm.power', '-off', 'parts');
    assert.match(await govc('datastore.ls', 'parts'), /^parts\.nvram$/m);
    await govc('device.boot', '-secure=false', '-firmware', 'bios');
  });

  test('vm.disk.create, vm.disk.change and vm.disk.attach', async () => {
    const thick = ['-controller', 'pvscsi-1000', '-thick=true', '-eager=true'];
    await govc('vm.disk.create', '-name', 'parts/second', '-size', '4M', ...thick);
    assert.match(await govc('vm.disk.create', '-name', 'parts/second', '-size', '4M'), /already present/);
    const independent = ['-mode', 'independent_nonpersistent'];
    await govc.refused(/mode not supported/, 'vm.disk.create', '-name', 'parts/third', '-size', '4M', ...independent);
    await govc('vm.disk.change', '-disk.label', 'Hard disk 2', '-size', '16M');
    assert.match(await govc('device.info', 'disk-1000-1'), /Summary: +16,384 KB/);
    await govc.refused(/error resizing/, 'vm.disk.change', '-disk.name', 'disk-1000-1', '-size', '8M');
    await govc('vm.disk.change', '-disk.key', '2001', '-mode', 'independent_persistent');
    await govc.refused(/no disk found/, 'vm.disk.change', '-disk.label', 'nothing', '-size', '8M');
    await govc('device.remove', '-keep', 'disk-1000-1');
    // Linked: the VM gets a disk of its own on top, which goes when it is removed; what is below stays.
    await govc('vm.disk.attach', '-disk', 'parts/second.vmdk', '-controller', 'pvscsi-1000');
    assert.match(await govc('device.info', 'disk-1000-1'), /Parent: +\[datastore1\] parts\/second\.vmdk/);
    await govc('device.remove', 'disk-1000-1');
    await govc('vm.disk.attach', '-disk', 'parts/second.vmdk', '-link=false', '-controller', 'pvscsi-1000');
    assert.match(await govc('device.info', 'disk-1000-1'), /File: +\[datastore1\] parts\/second\.vmdk/);
    await govc.refused(/nothing\.vmdk was not found/, 'vm.disk.attach', '-disk', 'nothing.vmdk');
    await govc('vm.power', '-on', 'parts');
    await govc('vm.disk.create', '-name', 'parts/hot', '-size', '4M', '-controller', 'pvscsi-1000');
    await govc('vm.disk.change', '-disk.filePath', '[datastore1] parts/hot.vmdk', '-size', '8M');
    assert.match(await govc('device.info', 'disk-1000-2'), /Summary: +8,192 KB/);
    await govc('device.remove', 'disk-1000-2');
    await govc('vm.power', '-off', 'parts');
    assert.doesNotMatch(await govc('datastore.ls', 'parts'), /hot/);
  });

  test('vm.network.add and vm.network.change, device.connect and device.disconnect', async () => {
    for (const adapter of ['e1000e', 'vmxnet3', 'pcnet32'])
      await govc('vm.network.add', '-net', 'VM Network', '-net.adapter', adapter);
    await govc.refused(/'nowhere' not found/, 'vm.network.add', '-net', 'nowhere');
    await govc.refused(
      /unknown ethernet card type/,
      'vm.network.add',
      '-net',
      'VM Network',
      '-net.adapter',
      'nonsense',
    );
    assert.match(await govc('device.ls'), /^ethernet-3 +VirtualPCNet32 +VM Network$/m);
    await govc('vm.network.change', '-net', 'VM Network', '-net.address', '00:50:56:11:22:33', 'ethernet-1');
    assert.match(await govc('device.info', 'ethernet-1'), /MAC Address: +00:50:56:11:22:33/);
    await govc.refused(/'nowhere' not found/, 'vm.network.change', '-net', 'nowhere', 'ethernet-0');
    await govc.refused(/'ethernet-9' not found/, 'vm.network.change', '-net', 'VM Network', 'ethernet-9');
    await govc('vm.power', '-on', 'parts');
    const isConnected = async () => (await describeOf('ethernet-1')).connectable?.connected;
    assert.equal(await isConnected(), true);
    await govc('device.disconnect', 'ethernet-1');
    assert.equal(await isConnected(), false);
    await govc('device.connect', 'ethernet-1');
    assert.equal(await isConnected(), true);
    await govc.refused(/'nothing' not found/, 'device.connect', 'nothing');
    await govc('vm.network.add', '-net', 'VM Network', '-net.adapter', 'vmxnet3');
    assert.match(await govc('device.ls'), /^ethernet-4 /m);
  });

  test('what is part of a running machine stays', async () => {
    for (const command of [
      ['device.floppy.add'],
      ['device.serial.add'],
      ['device.remove', 'usb-7000'],
      ['device.remove', 'serialport-9000'],
    ])
      await govc.refused(POWERED_ON, ...command);
    await govc.refused(/while the virtual machine runs/, 'device.cdrom.add');
    await govc.refused(/Invalid operation for device/, 'device.remove', 'ide-200');
    await govc('vm.power', '-off', 'parts');
    await govc(
      'device.remove',
      'ethernet-*',
      'usb-7000',
      'usbxhci-14000',
      'cdrom-3000',
      'floppy-8000',
      'serialport-9000',
    );
    await govc.refused(/'nothing' not found/, 'device.remove', 'nothing');
    assert.doesNotMatch(await govc('device.ls'), /ethernet|usb|cdrom|floppy|serial/);
    await govc('vm.power', '-on', 'parts');
    await govc('vm.destroy', 'parts');
  });
});
