import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { VirtualDevice, VirtualMachineConfigSpec } from '@vivarium/vim';
import { fault } from '../testing/faults.ts';
import { asUser, diskChange, eventTypes, type TestHost, testHost, vmSpec } from '../testing/test-host.ts';
import type { Vm } from './vm.ts';

type Changes = NonNullable<VirtualMachineConfigSpec['deviceChange']>;

const devices = (vm: Vm, type: string): VirtualDevice[] =>
  (vm.config.hardware.device ?? []).filter((device) => device._typeName === type);

function device(vm: Vm, key: number): VirtualDevice {
  const found = vm.config.hardware.device?.find((candidate) => candidate.key === key);
  assert.ok(found, `device ${key}`);
  return found;
}

const nicChange = (key: number, deviceName = 'VM Network') =>
  ({
    operation: 'add',
    device: {
      _typeName: 'VirtualVmxnet3',
      key,
      backing: { _typeName: 'VirtualEthernetCardNetworkBackingInfo', deviceName },
      connectable: { startConnected: true, allowGuestControl: true, connected: true },
    },
  }) as Changes[number];

async function runningVm(host: TestHost): Promise<Vm> {
  const vm = await host.create();
  await vm.powerOn(asUser());
  host.events.length = 0;
  host.vmms.trace.length = 0;
  return vm;
}

void test('a new disk is made, plugged in, and then written into the VMX', async (t) => {
  const host = await testHost(t);
  const vm = await runningVm(host);
  const plug = host.vmms.hold('plugDisk');
  const change = vm.reconfigure(asUser(), { deviceChange: [diskChange(-1, 1000, 8)] });
  await plug.reached;
  assert.ok((await host.files()).includes('web/web_1.vmdk'), 'made first');
  assert.doesNotMatch(await readFile(vm.vmxFile, 'utf8'), /web_1\.vmdk/);
  const [intent] = host.store.range<{ files: string[] }>('vm-intent/');
  assert.deepEqual(intent?.value.files, ['[datastore1] web/web_1.vmdk'], 'and noted before that');
  plug.release();
  await change;
  assert.match(await readFile(vm.vmxFile, 'utf8'), /web_1\.vmdk/);
  assert.deepEqual(host.store.range('vm-intent/'), []);
  assert.ok(host.vmms.machine(vm.id).devices.has('disk-2001'));
  assert.ok(vm.filesInUse().includes(join(host.root, 'web/web_1.qcow2')));
  assert.ok(vm.filesInUse().includes(join(host.root, 'web/web_1.vmdk')));
  assert.deepEqual(eventTypes(host.events), ['VmReconfiguredEvent']);
});

void test('a live step that fails takes back what was made and plugged in', async (t) => {
  const host = await testHost(t);
  const vm = await runningVm(host);
  const before = await host.files();
  const text = await readFile(vm.vmxFile, 'utf8');
  const plugged = [...host.vmms.machine(vm.id).devices];
  host.vmms.fail('plugNic', new Error('no free slot'));
  await assert.rejects(
    vm.reconfigure(asUser(), { deviceChange: [diskChange(-1, 1000, 8), diskChange(-2, 1000, 8), nicChange(-3)] }),
    fault('GenericVmConfigFault', { reason: 'no free slot' }),
  );
  assert.deepEqual(await host.files(), before);
  assert.equal(await readFile(vm.vmxFile, 'utf8'), text);
  assert.deepEqual([...host.vmms.machine(vm.id).devices], plugged);
  assert.equal(host.vmms.machine(vm.id).hardware.machine.disks.length, 1);
  assert.deepEqual(host.store.range('vm-intent/'), []);
  assert.deepEqual(eventTypes(host.events), []);
  assert.equal(devices(vm, 'VirtualDisk').length, 1);
  // Nothing is in the way of the next one.
  await vm.reconfigure(asUser(), { deviceChange: [diskChange(-1, 1000, 8)] });
  assert.equal(devices(vm, 'VirtualDisk').length, 2);
});

void test('a device that left for a change that fails comes back', async (t) => {
  const host = await testHost(t);
  const vm = await runningVm(host);
  await vm.reconfigure(asUser(), { deviceChange: [diskChange(-1, 1000, 8)] });
  host.vmms.fail('plugNic', new Error('no'));
  await assert.rejects(
    vm.reconfigure(asUser(), {
      deviceChange: [{ operation: 'remove', device: device(vm, 2001) } as never, nicChange(-3)],
    }),
    fault('GenericVmConfigFault'),
  );
  assert.ok(host.vmms.machine(vm.id).devices.has('disk-2001'));
  assert.equal(devices(vm, 'VirtualDisk').length, 2);
});

void test('a change whose VMX cannot be written is taken back', async (t) => {
  const host = await testHost(t);
  const vm = await runningVm(host);
  const before = await host.files();
  const plug = host.vmms.hold('plugDisk');
  const change = vm.reconfigure(asUser(), { deviceChange: [diskChange(-1, 1000, 8)], annotation: 'x' });
  await plug.reached;
  const obstacle = `${vm.vmxFile}.${process.pid}.new`;
  await mkdir(obstacle);
  plug.release();
  await assert.rejects(change, fault('GenericVmConfigFault'));
  await rmdir(obstacle);
  assert.deepEqual(await host.files(), before);
  assert.ok(!host.vmms.machine(vm.id).devices.has('disk-2001'));
  assert.equal(vm.config.annotation, '');
});

void test('a disk that somebody else made meanwhile is not touched when the change fails', async (t) => {
  const host = await testHost(t);
  const [one, two] = [await host.create(vmSpec('one')), await host.create(vmSpec('two'))];
  const shared = '[datastore1] one/extra.vmdk';
  const [first, second] = await Promise.allSettled([
    one.reconfigure(asUser(), { deviceChange: [diskChange(-1, 1000, 8, shared)] }),
    two.reconfigure(asUser(), { deviceChange: [diskChange(-1, 1000, 8, shared)] }),
  ]);
  assert.equal(first.status, 'fulfilled');
  assert.equal(second.status, 'rejected');
  fault('FileAlreadyExists', { file: shared })(second.reason);
  await host.disks.open(shared);
  const next = await host.restart();
  await next.disks.open(shared);
});

void test('a removed disk stays where it is; with fileOperation destroy its files go, after the VMX is written', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.reconfigure(asUser(), { deviceChange: [diskChange(-1, 1000, 8)] });
  await vm.reconfigure(asUser(), { deviceChange: [{ operation: 'remove', device: device(vm, 2001) } as never] });
  assert.ok((await host.files()).includes('web/web_1.vmdk'));
  await vm.reconfigure(asUser(), {
    deviceChange: [{ operation: 'remove', fileOperation: 'destroy', device: device(vm, 2000) } as never],
  });
  assert.deepEqual(
    (await host.files()).filter((path) => path.endsWith('.vmdk')),
    ['web/web_1.vmdk'],
  );
  assert.deepEqual(devices(vm, 'VirtualDisk'), []);
});

void test('a disk on another datastore gets a folder there, which comes and goes with it', async (t) => {
  const host = await testHost(t);
  const root = join(host.directory, 'second');
  await mkdir(root);
  await host.datastores.add({ name: 'second', root });
  const found = async () => (await readdir(root, { recursive: true })).filter((name) => !name.startsWith('.viv-'));
  const vm = await host.create();
  const onSecond = { deviceChange: [diskChange(-1, 1000, 8, '[second]')] };

  // Where the VMX is to be written there is a folder.
  const obstacle = `${vm.vmxFile}.${process.pid}.new`;
  await mkdir(obstacle);
  await assert.rejects(vm.reconfigure(asUser(), onSecond));
  assert.deepEqual(await found(), []);
  await rmdir(obstacle);

  await vm.reconfigure(asUser(), onSecond);
  assert.ok((await found()).includes('web/web.vmdk'));
  await vm.reconfigure(asUser(), {
    deviceChange: [{ operation: 'remove', fileOperation: 'destroy', device: device(vm, 2001) } as never],
  });
  assert.deepEqual(await found(), []);

  await vm.reconfigure(asUser(), onSecond);
  await host.registry.destroy(asUser(), vm);
  assert.deepEqual(await found(), []);
});

void test('a disk grows, live as well, and its descriptor follows', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const grow = async (megabytes: number) => {
    const disk = device(vm, 2000) as VirtualDevice & { capacityInBytes?: number };
    await vm.reconfigure(asUser(), {
      deviceChange: [
        { operation: 'edit', device: { ...disk, capacityInKB: megabytes * 1024, capacityInBytes: undefined } } as never,
      ],
    });
    const { facts } = await host.disks.read('[datastore1] web/web.vmdk').catch((error: Error) => {
      throw new Error(`at ${megabytes} MB`, { cause: error });
    });
    assert.equal(facts.capacityBytes, megabytes * 2 ** 20);
    assert.equal((device(vm, 2000) as VirtualDevice & { capacityInKB: number }).capacityInKB, megabytes * 1024);
  };
  await grow(32);
  await vm.powerOn(asUser());
  // The simulated machine does not write to its disk's file.
  host.vmms.machine(vm.id).resized = (file, bytes) => host.images.grow({ ...file, format: 'qcow2' }, bytes);
  await grow(48);
  assert.ok(host.vmms.trace.includes('resizeDisk 1'));
  await vm.reconfigure(asUser(), { annotation: 'later' });
  assert.equal((device(vm, 2000) as VirtualDevice & { capacityInKB: number }).capacityInKB, 48 * 1024);
});

void test('a NIC moves to another port group while it runs', async (t) => {
  const host = await testHost(t);
  const vm = await runningVm(host);
  const [, other] = host.network.portGroups();
  assert.ok(other);
  const nic = device(vm, 4000);
  await vm.reconfigure(asUser(), {
    deviceChange: [
      {
        operation: 'edit',
        device: { ...nic, backing: { _typeName: 'VirtualEthernetCardNetworkBackingInfo', deviceName: other.name } },
      } as never,
    ],
  });
  assert.deepEqual(
    host.network.ports().map(({ portGroup }) => portGroup),
    [other.name],
  );
});

void test('an ISO is inserted and ejected while the VM runs, and nobody may delete it meanwhile', async (t) => {
  const host = await testHost(t);
  const vm = await runningVm(host);
  await writeFile(join(host.root, 'disc.iso'), 'ISO');
  const drive = device(vm, 16000);
  const insert = (fileName: string | undefined) =>
    vm.reconfigure(asUser(), {
      deviceChange: [
        {
          operation: 'edit',
          device: {
            ...drive,
            backing:
              fileName === undefined
                ? { _typeName: 'VirtualCdromRemotePassthroughBackingInfo', deviceName: '', exclusive: false }
                : { _typeName: 'VirtualCdromIsoBackingInfo', fileName },
            connectable: { startConnected: true, allowGuestControl: true, connected: fileName !== undefined },
          },
        } as never,
      ],
    });
  await insert('[datastore1] disc.iso');
  assert.equal(host.vmms.machine(vm.id).media.get('cdrom-16000'), join(host.root, 'disc.iso'));
  assert.ok(vm.filesInUse().includes(join(host.root, 'disc.iso')));
  await insert(undefined);
  assert.equal(host.vmms.machine(vm.id).media.get('cdrom-16000'), undefined);
  assert.ok(!vm.filesInUse().includes(join(host.root, 'disc.iso')));
});

void test('an out-of-date changeVersion is ConcurrentAccess', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const { changeVersion } = vm.config;
  await vm.reconfigure(asUser(), { changeVersion, annotation: 'one' });
  await assert.rejects(vm.reconfigure(asUser(), { changeVersion, annotation: 'two' }), fault('ConcurrentAccess'));
  assert.equal(vm.config.annotation, 'one');
});

void test('a rename is told, durable, and refused when another VM has the name', async (t) => {
  const host = await testHost(t);
  const [vm, other] = [await host.create(), await host.create(vmSpec('other'))];
  host.events.length = 0;
  const rename = (name: string) => host.registry.reconfigure(asUser(), vm, { name });
  await rename('new name');
  assert.deepEqual(eventTypes(host.events), ['VmReconfiguredEvent', 'VmRenamedEvent']);
  await assert.rejects(rename('other'), fault('DuplicateName', { name: 'other', object: other.ref }));
  await rename('a/b');
  await assert.rejects(
    host.registry.reconfigure(asUser(), other, { name: 'a/b' }),
    fault('DuplicateName', { name: 'a%2fb' }),
  );
  await assert.rejects(rename(''), fault('InvalidName'));
  const next = await host.restart();
  assert.equal(next.registry.find(vm.id)?.name, 'a%2fb');
});

void test('a VMX edited by hand is read by Reload, and refused when it is none', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const text = await readFile(vm.vmxFile, 'utf8');
  await writeFile(vm.vmxFile, text.replace(/memSize = "128"/i, 'memSize = "256"'));
  await vm.reload(asUser());
  assert.equal(vm.config.hardware.memoryMB, 256);
  await writeFile(vm.vmxFile, 'this is no VMX');
  await assert.rejects(vm.reload(asUser()), fault('InvalidVmConfig'));
  assert.equal(vm.config.hardware.memoryMB, 256);
  await writeFile(vm.vmxFile, text);
  await vm.reload(asUser());
  await vm.powerOn(asUser());
  assert.equal(vm.power, 'poweredOn');
});

void test('hardware is upgraded while the VM is off, and for good', async (t) => {
  const host = await testHost(t);
  const vm = await host.create({ ...vmSpec('web'), version: 'vmx-13' });
  host.events.length = 0;
  await vm.upgrade(asUser(), 'vmx-19');
  assert.equal(vm.config.version, 'vmx-19');
  assert.match(await readFile(vm.vmxFile, 'utf8'), /virtualHW\.version = "19"/);
  assert.deepEqual(eventTypes(host.events), ['VmUpgradeCompleteEvent']);
  await assert.rejects(vm.upgrade(asUser(), 'vmx-19'), fault('AlreadyUpgraded'));
  await vm.powerOn(asUser());
  await assert.rejects(vm.upgrade(asUser(), undefined), fault('InvalidPowerState', { existingState: 'poweredOn' }));
});
