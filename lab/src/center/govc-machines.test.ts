// govc's commands about single VMs that no other file has, against the simulator: hardware, devices, addresses, what is offered.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import { useLabSim } from '../testing/use-lab-sim.ts';

const HARDWARE = ['-m', '64', '-on=false', '-ds', 'LocalDS_0', '-net', 'DC0_DVPG0', '-host', 'DC0_H0'];

describe('govc and single VMs of a vCenter', { skip: withoutGovc }, () => {
  const govc = useGovc(useLabSim(), { GOVC_DATACENTER: 'DC0' });
  const property = async (path: string, name: string) => (await govc('object.collect', '-s', path, name)).trim();

  test('vm.upgrade', async () => {
    await govc('vm.create', ...HARDWARE, '-version', 'vmx-13', 'old');
    await govc('vm.upgrade', '-version', '19', '-vm', 'old');
    assert.equal(await property('vm/old', 'config.version'), 'vmx-19');
    await govc('vm.upgrade', '-vm', 'old');
    assert.match(await govc('vm.upgrade', '-vm', 'old'), /Already upgraded/);
    await govc.refused(/not correct: version/, 'vm.upgrade', '-version', '14', '-vm', 'old');
    await govc.refused(/Powered on/, 'vm.upgrade', '-vm', 'DC0_H0_VM0');
    assert.match(await govc('events', 'vm/old'), /Virtual machine compatibility upgraded to vmx-21/);
  });

  test('device.*: added, filled, connected, taken out; boot order', async () => {
    const vm = ['-vm', 'old'];
    const added = async (...args: string[]) => (await govc(args[0] as string, ...vm, ...args.slice(1))).trim();
    assert.equal(await added('device.floppy.add'), 'floppy-8000');
    await govc('device.floppy.insert', ...vm, 'a.img');
    assert.match(await govc('device.info', ...vm, 'floppy-8000'), /a\.img/);
    await govc('device.floppy.eject', ...vm);
    assert.equal(await added('device.cdrom.add'), 'cdrom-3000');
    await govc('device.cdrom.insert', ...vm, 'a.iso');
    await govc('device.cdrom.eject', ...vm);
    assert.equal(await added('device.serial.add'), 'serialport-9000');
    await govc('device.serial.connect', ...vm, '-device', 'serialport-9000', 'telnet://:33233');
    await govc('device.serial.disconnect', ...vm, '-device', 'serialport-9000');
    assert.equal(await added('device.usb.add'), 'usb-7000');
    await govc.refused(/not supported/, 'device.clock.add', ...vm);
    await govc.refused(/is not found/, 'device.pci.remove', ...vm, 'pci-1');
    assert.match(await govc('device.model.tree', 'VirtualEthernetCard'), /VirtualVmxnet3/);
    await govc('vm.disk.create', ...vm, '-name', 'old/data', '-size', '1G');
    await govc('device.boot', ...vm, '-delay', '1000', '-firmware', 'efi', '-order', 'cdrom,disk');
    assert.deepEqual(
      lines(await govc('device.ls', ...vm, '-boot')).map((line) => line.split(' ')[0]),
      ['cdrom-3000', 'disk-1000-0'],
    );
    await govc('device.disconnect', '-vm', 'DC0_H0_VM0', 'ethernet-0');
    await govc('device.connect', '-vm', 'DC0_H0_VM0', 'ethernet-0');
    await govc('vm.disk.attach', ...vm, '-disk', 'DC0_H0_VM1/DC0_H0_VM1.vmdk');
    assert.match(await govc('device.info', ...vm, 'disk-1000-1'), /DC0_H0_VM1\.vmdk/);
  });

  test('vm.vnc, vm.console and vm.ip say where a VM is reached', async () => {
    await govc('vm.vnc', '-enable', '-password', 'secret', 'old');
    assert.match(await govc('vm.vnc', 'old'), /^old: vnc:\/\/:secret@172\.16\.\d+\.\d+:59\d\d\n$/);
    await govc('vm.vnc', '-disable', 'old');
    assert.equal(await govc('vm.vnc', 'old'), 'old: disabled\n');
    assert.match(await govc('vm.console', 'DC0_H0_VM0'), /^vmrc:\/\/clone:[0-9a-f]+@127\.0\.0\.1/);
    const address = (await govc('vm.ip', 'DC0_H0_VM0')).trim();
    assert.equal((await govc('vm.ip', '-a', '-v4', 'DC0_H0_VM0')).trim(), address);
    assert.match(await govc('vm.info', '-vm.ip', address), /Name: +DC0_H0_VM0\n/);
    await govc.refused(/no such VM/, 'vm.info', '-vm.ip', '192.0.2.1');
    assert.match(await govc('guest.df', '-vm', 'DC0_H0_VM0'), /^\/ +\S+ +\S+ +\S+ +10%/m);
    assert.match(await govc('vm.question', '-vm', 'DC0_H0_VM0'), /No pending question/);
  });

  test('vm.target.cap.ls, and what of a host has no command elsewhere', async () => {
    const host = ['-host', 'DC0_H0'];
    assert.match(await govc('vm.target.cap.ls', ...host), /VmotionSupported: +false\n/);
    await govc('host.autostart.add', ...host, 'old');
    assert.match(await govc('host.autostart.info', ...host), /\/old +powerOn/);
    await govc('host.autostart.remove', ...host, 'old');
    assert.match(await govc('host.autostart.info', ...host), /\/old +none/);
    assert.match(await govc('host.vnic.info', ...host), /Enabled services: +management\n/);
    assert.match(await govc('host.vnic.hint', ...host, '-json'), /"device": "vmnic0"/);
    await govc.refused(/not supported/, 'host.vnic.service', ...host, '-enable=false', 'management', 'vmk0');
    await govc.refused(/not supported/, 'host.vnic.change', ...host, '-mtu', '9000', 'vmk0');
    await govc.refused(/not supported/, 'host.storage.mark', ...host, '-ssd', '/dev/sda');
    await govc.refused(/not supported/, 'host.storage.partition', ...host, '/dev/sda');
    await govc.refused(/no method/, 'host.esxcli', ...host, 'software', 'vib', 'list');
    assert.match(await govc('host.tpm.info'), /DC0_H0 +N\/A/);
    await govc.refused(/not allowed in the current state/, 'task.cancel', 'task-1');
  });
});
