// What govc reads and changes of a host behind vCenter, and of a datastore cluster, against the simulator.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import { useLabSim } from '../testing/use-lab-sim.ts';

const HOST = ['-host', 'DC0_H0'] as const;

describe("govc and a host's managers, through vCenter", { skip: withoutGovc }, () => {
  const lab = useLabSim('-pod', '1');
  const govc = useGovc(lab, { GOVC_DATACENTER: 'DC0' });
  const missing = /not found/;

  test('host.portgroup, host.vswitch, host.vnic', async () => {
    await govc('host.vswitch.add', ...HOST, '-mtu', '9000', '-nic', 'vmnic0', 'vSwitch1');
    await govc.refused(/'vSwitch1' already exists/, 'host.vswitch.add', ...HOST, 'vSwitch1');
    await govc.refused(
      /vmnic0 is an uplink of the switch vSwitch1 already/,
      'host.vswitch.add',
      ...HOST,
      '-nic',
      'vmnic0',
      'vSwitch2',
    );
    await govc.refused(/could not be found|no physical NIC/, 'host.vswitch.add', ...HOST, '-nic', 'vmnic7', 'vSwitch2');
    await govc('host.portgroup.add', ...HOST, '-vswitch', 'vSwitch1', '-vlan', '7', 'web');
    await govc.refused(/'web' already exists/, 'host.portgroup.add', ...HOST, '-vswitch', 'vSwitch1', 'web');
    await govc('host.portgroup.change', ...HOST, '-vlan-id', '8', 'web');
    assert.match(
      await govc('host.vswitch.info', ...HOST),
      /Name: +vSwitch1\nPortgroup: +web\nPnic: +vmnic0\nMTU: +9000/,
    );
    assert.match(await govc('host.portgroup.info', ...HOST), /Name: +web\nVirtual switch: +vSwitch1\nVLAN ID: +8\n/);
    assert.match(await govc('ls', '/DC0/network'), /\/DC0\/network\/web\n/);
    await govc('host.portgroup.remove', ...HOST, 'web');
    await govc.refused(/could not be found|no port group/, 'host.portgroup.remove', ...HOST, 'web');
    await govc.refused(/'VM Network' is in use|in use/, 'host.portgroup.remove', ...HOST, 'Management Network');
    await govc('host.vswitch.remove', ...HOST, 'vSwitch1');
    assert.match(await govc('host.vnic.info', ...HOST), /Device: +vmk0\n[\s\S]*IP address: +172\.16\.0\.\d+\n/);
  });

  test('host.storage, host.service, host.option, host.date, host.cert, host.autostart', async () => {
    assert.match(await govc('host.storage.info', ...HOST), /\/dev\/sda +disk +64\.0GB/);
    assert.match(await govc('host.storage.info', ...HOST, '-t', 'hba'), /vmhba0 .*pvscsi/);
    assert.match(await govc('host.service.ls', ...HOST), /TSM-SSH +off +Stopped +SSH\n/);
    await govc('host.service', ...HOST, 'start', 'TSM-SSH');
    await govc('host.service', ...HOST, 'enable', 'TSM-SSH');
    assert.match(await govc('host.service.ls', ...HOST), /TSM-SSH +on +Running +SSH\n/);
    await govc.refused(/could not be found/, 'host.service', ...HOST, 'start', 'nothing');
    await govc('host.option.set', ...HOST, 'Annotations.WelcomeMessage', 'hello');
    assert.match(await govc('host.option.ls', ...HOST, 'Annotations.WelcomeMessage'), /: +hello\n/);
    // The other hosts, and vCenter, have options of their own.
    for (const other of [['host.option.ls', '-host', 'DC0_C0_H0'], ['option.ls']] as const) {
      assert.match(await govc(...other, 'Annotations.WelcomeMessage'), /: *\n/, other[0]);
    }
    await govc.refused(/is invalid/, 'host.option.set', ...HOST, 'config.x', 'y');
    await govc('host.date.change', ...HOST, '-server', 'time.example.com');
    assert.match(await govc('host.date.info', ...HOST), /NTP servers: +time\.example\.com/);
    assert.match(await govc('host.cert.info', ...HOST), /Certificate Status: +good/);
    await govc('host.autostart.add', ...HOST, 'DC0_H0_VM0');
    await govc('host.autostart.configure', ...HOST, '-enabled=true');
    assert.match(await govc('host.autostart.info', ...HOST), /DC0_H0_VM0 +(?:powerOn|PowerOn)/);
  });

  test('host.add makes a simulated host of any name but one that leads nowhere; datastore.create and remove', async () => {
    const account = ['-username', 'root', '-password', 'x', '-noverify'];
    await govc('host.add', '-hostname', 'esx-9.example.com', ...account);
    await govc.refused(/Already connected/, 'host.add', '-hostname', 'esx-9.example.com', ...account);
    await govc.refused(/No host/, 'host.add', '-hostname', 'esx.invalid', ...account);
    const share = ['-remote-host', 'nas', '-remote-path', '/export', '-mode', 'readWrite', '-name', 'nfs1'];
    await govc('datastore.create', '-type', 'nfs', ...share, 'esx-9.example.com', 'DC0_H0');
    assert.match(await govc('datastore.info', 'nfs1'), /Path: +\/DC0\/datastore\/nfs1\n +Type: +NFS\n/);
    const at = ['-host', 'esx-9.example.com', '-net', 'VM Network', '-on=false'];
    await govc('vm.create', ...at, '-ds', 'nfs1', '-disk', '1G', 'far');
    assert.deepEqual(lines(await govc('datastore.ls', '-ds', 'nfs1', 'far')), ['far.vmdk', 'far.vmx']);
    await govc.refused(/in use/, 'datastore.remove', '-ds', 'nfs1', 'esx-9.example.com');
    await govc('vm.destroy', 'far');
    assert.deepEqual(lines(await govc('datastore.ls', '-ds', 'nfs1')), []);
    for (const host of ['esx-9.example.com', 'DC0_H0']) await govc('datastore.remove', '-ds', 'nfs1', host);
    await govc.refused(missing, 'datastore.info', 'nfs1');
    await govc('host.remove', 'esx-9.example.com');
  });

  test('datastore.*: folders, uploads, disks, and what is locked', async () => {
    const text = 'what a file holds\n';
    await govc('datastore.mkdir', 'files');
    await govc.refused(/already exists/, 'datastore.mkdir', 'files');
    await govc('datastore.mkdir', '-p', 'files/deep/er');
    await govc.input(text, 'datastore.upload', '-', 'files/note.txt');
    assert.equal(await govc('datastore.download', 'files/note.txt', '-'), text);
    assert.match(await govc('datastore.ls', '-l', 'files/note.txt'), /^18B +.* note\.txt\n/);
    await govc('datastore.cp', 'files/note.txt', 'files/copy.txt');
    await govc.refused(/already exists/, 'datastore.cp', 'files/note.txt', 'files/copy.txt');
    await govc('datastore.mv', 'files/copy.txt', 'files/deep/moved.txt');
    assert.deepEqual(lines(await govc('datastore.ls', 'files/deep')), ['er', 'moved.txt']);
    assert.equal(await govc('datastore.tail', '-c', '6', 'files/note.txt'), text.slice(-6));
    await govc('datastore.rm', 'files/deep');
    await govc.refused(missing, 'datastore.rm', 'files/deep');

    await govc('datastore.disk.create', '-size', '1G', 'files/disk.vmdk');
    await govc.refused(/already exists/, 'datastore.disk.create', '-size', '1G', 'files/disk.vmdk');
    assert.match(await govc('datastore.disk.info', 'files/disk.vmdk'), /Type: +thin\n/);
    await govc('datastore.disk.inflate', 'files/disk.vmdk');
    assert.match(await govc('datastore.disk.info', 'files/disk.vmdk'), /Type: +eagerZeroedThick\n/);
    await govc.refused(/only a thin disk/, 'datastore.disk.shrink', 'files/disk.vmdk');
    await govc('datastore.cp', 'files/disk.vmdk', 'files/copy.vmdk');
    assert.match(await govc('datastore.download', 'files/copy.vmdk', '-'), /^# Disk DescriptorFile\n/);
    await govc('datastore.rm', 'files');

    const own = 'DC0_H0_VM0';
    assert.deepEqual(lines(await govc('datastore.ls', own)), [`${own}.vmdk`, `${own}.vmx`]);
    assert.match(await govc('datastore.download', `${own}/${own}.vmx`, '-'), new RegExp(`displayName = "${own}"`));
    await govc.refused(/locked/, 'datastore.rm', own);
  });

  test('datastore clusters hold datastores and add up their space', async () => {
    assert.deepEqual(lines(await govc('find', '/', '-type', 'StoragePod')), ['/DC0/datastore/DC0_POD0']);
    await govc('object.mv', '/DC0/datastore/LocalDS_0', '/DC0/datastore/DC0_POD0');
    assert.match(await govc('datastore.cluster.info'), /Name: +DC0_POD0\n[\s\S]*Capacity: +16384\.0 GB\n/);
    assert.deepEqual(lines(await govc('ls', '/DC0/datastore/DC0_POD0')), ['/DC0/datastore/DC0_POD0/LocalDS_0']);
    await govc.refused(/in use/, 'object.destroy', '/DC0/datastore/DC0_POD0');
    await govc.refused(/not supported/, 'datastore.cluster.change', '-drs-enabled', 'DC0_POD0');
    await govc('object.mv', '/DC0/datastore/DC0_POD0/LocalDS_0', '/DC0/datastore');
    await govc('object.destroy', '/DC0/datastore/DC0_POD0');
  });

  test('vm.option, vm.target, vm.keystrokes; what a guest would have to do is refused', async () => {
    assert.match(await govc('vm.option.info', '-cluster', 'DC0_C0', 'otherGuest64'), /^otherGuest64 +/m);
    assert.match(await govc('vm.option.ls', '-cluster', 'DC0_C0'), /^vmx-21 +/m);
    assert.match(await govc('vm.target.info', '-host', 'DC0_H0'), /CPUs: +32\n[\s\S]*Datastore: +LocalDS_0\n/);
    await govc('vm.keystrokes', '-vm', 'DC0_H0_VM0', '-s', 'root');
    await govc('vm.power', '-off', 'DC0_H0_VM0');
    await govc.refused(/current state/, 'vm.keystrokes', '-vm', 'DC0_H0_VM0', '-s', 'root');
    for (const refused of [
      ['guest.ps', '-vm', 'DC0_H0_VM1', '-l', 'root:x'],
      ['snapshot.create', '-vm', 'DC0_H0_VM0', 'first'],
      ['vm.migrate', '-host', 'DC0_C0_H0', 'DC0_H0_VM0'],
      ['vm.clone', '-vm', 'DC0_H0_VM0', '-pool', '/DC0/host/DC0_H0/Resources', '-on=false', 'copy'],
    ]) {
      await govc.refused(/not supported/, ...(refused as [string, ...string[]]));
    }
  });

  test('metric.sample: hosts and VMs have a past when the simulator starts', async () => {
    for (const [path, name] of [
      ['/DC0/host/DC0_H0/DC0_H0', 'DC0_H0'],
      ['/DC0/vm/DC0_C0_RP0_VM0', 'DC0_C0_RP0_VM0'],
    ] as const) {
      const sampled = await govc('metric.sample', '-n', '2', path, 'cpu.usage.average');
      assert.match(sampled, new RegExp(`^${name} +- +cpu\\.usage\\.average +\\d+\\.\\d+,\\d+\\.\\d+ +%`));
    }
  });

  test('object.save reads everything that it asks for', async () => {
    const folder = join(lab().stateDir, 'saved');
    assert.match(await govc('object.save', '-f', '-d', folder, '/'), /HostSystem: 4\n/);
    assert.ok(readdirSync(folder).some((name) => name.includes('HostSystem')));
  });
});
