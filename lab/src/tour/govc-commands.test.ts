// govc's commands of a host that the tour does not touch, each with its answer and its exit code.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findRuntime, runProgram } from '@vivarium/qemu';
import { govcPath, installGovc } from '../clients/govc.ts';
import { labCache } from '../testing/lab-cache.ts';
import { type RunResult, run } from '../testing/run.ts';
import { useLabHost } from '../testing/use-lab-host.ts';

const client = await installGovc();
const skip = client.state === 'installed' ? false : `not run: ${client.detail}`;

describe('govc', { skip }, () => {
  const host = useLabHost();
  const govc = (...args: string[]): Promise<RunResult> => run(govcPath(), args, { env: host().env });
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await govc(...args);
    assert.equal(code, 0, `govc ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  const fails = async (says: RegExp, ...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await govc(...args);
    assert.equal(code, 1, `govc ${args.join(' ')} should fail: ${stdout}`);
    assert.match(stdout + stderr, says);
  };

  it('vm.create with every controller and adapter', async () => {
    const controllers = ['pvscsi', 'lsilogic', 'lsilogic-sas', 'buslogic', 'nvme', 'ide'];
    const adapters = ['e1000', 'e1000e', 'vmxnet3', 'vmxnet3', 'e1000', 'e1000e'];
    for (const [index, controller] of controllers.entries()) {
      const adapter = adapters[index] ?? 'e1000';
      const name = `made-${controller}`;
      await ok('vm.create', '-m', '64', '-disk', '16MB', '-disk.controller', controller, '-net.adapter', adapter, name);
      assert.match(await ok('vm.info', name), /Power state: +poweredOn/);
      await ok('vm.destroy', name);
    }
    await fails(/already exists/i, 'vm.create', '-on=false', 'demo');
  });

  it('devices: floppy, CD-ROM with media, serial, SCSI, USB, boot order, remove', async () => {
    const image = join(tmpdir(), `viv-govc-${process.pid}.img`);
    await writeFile(image, Buffer.alloc(1_474_560));
    try {
      await ok('vm.create', '-m', '64', '-on=false', 'parts');
      await ok('datastore.upload', image, 'parts/floppy.img');
      await ok('datastore.upload', image, 'parts/disk.img');
      await ok('device.floppy.add', '-vm', 'parts');
      await ok('device.floppy.insert', '-vm', 'parts', '-device', 'floppy-8000', 'parts/floppy.img');
      await ok('device.cdrom.add', '-vm', 'parts');
      await ok('device.cdrom.insert', '-vm', 'parts', '-device', 'cdrom-3000', 'parts/disk.img');
      assert.match(await ok('device.info', '-vm', 'parts', 'cdrom-3000'), /\[datastore1\] parts\/disk\.img/);
      await ok('device.scsi.add', '-vm', 'parts', '-type', 'pvscsi');
      await ok('device.usb.add', '-vm', 'parts', '-type', 'xhci');
      await ok('device.boot', '-vm', 'parts', '-order', 'cdrom,disk', '-setup=false', '-delay', '100');
      await ok('vm.power', '-on', 'parts');
      await ok('device.cdrom.eject', '-vm', 'parts', '-device', 'cdrom-3000');
      await ok('device.cdrom.insert', '-vm', 'parts', '-device', 'cdrom-3000', 'parts/disk.img');
      await ok('vm.power', '-off', 'parts');
      await ok('device.remove', '-vm', 'parts', 'floppy-8000');
      assert.doesNotMatch(await ok('device.ls', '-vm', 'parts'), /floppy/);
      await ok('vm.destroy', 'parts');
    } finally {
      await rm(image, { force: true });
    }
  });

  it('networks: port groups, a VM that moves between them', async () => {
    await ok('host.portgroup.add', '-vswitch', 'vSwitch0', '-vlan', '12', 'lab');
    assert.match(await ok('host.portgroup.info'), /Name: +lab\n[\s\S]*VLAN ID: +12/);
    await ok('vm.create', '-m', '64', '-on=false', '-net', 'lab', 'wired');
    await ok('vm.network.change', '-vm', 'wired', '-net', 'VM Network', 'ethernet-0');
    assert.match(await ok('device.ls', '-vm', 'wired'), /ethernet-0 .*VM Network/);
    await ok('vm.destroy', 'wired');
    await ok('host.portgroup.remove', 'lab');
    await fails(/no port group|not found/i, 'host.portgroup.remove', 'lab');
  });

  it('disks: create, inflate, info, import of a streamOptimized VMDK', async () => {
    await ok('datastore.mkdir', 'disks');
    await ok('datastore.disk.create', '-size', '10M', 'disks/a.vmdk');
    assert.match(await ok('datastore.disk.info', 'disks/a.vmdk'), /thin/i);
    await ok('datastore.disk.inflate', 'disks/a.vmdk');
    await ok('datastore.rm', 'disks');
    const runtime = await findRuntime(labCache());
    if (!runtime) throw new Error('there is no runtime');
    const vmdk = join(tmpdir(), `viv-import-${process.pid}.vmdk`);
    const create = ['create', '-q', '-f', 'vmdk', '-o', 'subformat=streamOptimized', vmdk, '8M'];
    const { file, args } = runtime.direct('/usr/bin/qemu-img', create);
    await runProgram(file, args);
    try {
      await ok('import.vmdk', vmdk, 'imported');
      assert.match(await ok('datastore.ls', 'imported'), /viv-import-\d+\.vmdk/);
    } finally {
      await rm(vmdk, { force: true });
    }
  });

  it('rights: a read-only user sees everything and changes nothing', async () => {
    await ok('host.account.create', '-id', 'reader', '-password', 'Reading-1s-fun');
    await ok('permissions.set', '-principal', 'reader', '-role', 'ReadOnly', '/');
    assert.match(await ok('permissions.ls'), /ReadOnly.*reader/);
    const as = { ...host().env, GOVC_USERNAME: 'reader', GOVC_PASSWORD: 'Reading-1s-fun' };
    const seen = await run(govcPath(), ['ls', 'vm'], { env: as });
    assert.match(seen.stdout, /demo/);
    const refused = await run(govcPath(), ['vm.power', '-off', 'demo'], { env: as });
    assert.equal(refused.code, 1);
    assert.match(refused.stdout + refused.stderr, /Permission|VirtualMachine\.Interact\.PowerOff/);
    await ok('role.create', 'operator', 'VirtualMachine.Interact.PowerOn');
    assert.match(await ok('role.ls', 'operator'), /VirtualMachine\.Interact\.PowerOn/);
    await ok('role.remove', 'operator');
    await ok('permissions.remove', '-principal', 'reader', '/');
    await ok('host.account.remove', '-id', 'reader');
  });

  it('options, custom fields, sessions', async () => {
    await ok('option.set', 'Annotations.WelcomeMessage', 'hello');
    assert.match(await ok('option.ls', 'Annotations.WelcomeMessage'), /hello/);
    await ok('fields.add', '-type', 'VirtualMachine', 'owner');
    await ok('fields.set', 'owner', 'ada', 'vm/demo');
    assert.match(await ok('fields.info', 'vm/demo'), /ada/);
    await ok('fields.rm', 'owner');
    assert.match(await ok('session.ls'), /root/);
  });

  it('follows a property as it changes', async () => {
    await ok('vm.create', '-m', '64', '-on=false', 'followed');
    // Ends by itself when the property has the value: WaitForUpdatesEx has told.
    const following = ok('object.collect', '-s', 'vm/followed', '-runtime.powerState', 'poweredOn');
    await ok('vm.power', '-on', 'followed');
    assert.match(await following, /poweredOn/);
    await ok('vm.destroy', 'followed');
  });

  it('events and tasks name what was done', async () => {
    assert.match(await ok('events', 'vm/demo'), /demo on esx1 in ha-datacenter is powered on/);
    assert.match(await ok('tasks', '-n', '100'), /PowerOnVM|PowerOn/);
  });

  it('refuses what is not there or not allowed', async () => {
    await fails(/not found/i, 'vm.destroy', 'no-such-vm');
    await fails(/not found/i, 'datastore.ls', 'no-such-folder');
    await fails(/./, 'vm.create', '-m', '3', '-on=false', 'small');
    await fails(/./, 'device.remove', '-vm', 'demo', 'no-such-device');
    await fails(/./, 'vm.register', 'no/such.vmx');
  });
});
