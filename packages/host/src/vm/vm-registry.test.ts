import assert from 'node:assert/strict';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { moRef } from '@vivarium/vim';
import { fault } from '../testing/faults.ts';
import { asUser, diskChange, eventTypes, type TestHost, testHost, vmSpec } from '../testing/test-host.ts';
import { turns } from '../testing/virtual-clock.ts';
import type { Vm } from './vm.ts';

const names = (host: TestHost) => host.registry.all.map(({ name }) => name).toSorted();
const register = (host: TestHost, path: string, name?: string) => host.registry.register(asUser(), path, name);

void test('CreateVM makes the folder, the disks and the VMX, and tells it', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  assert.deepEqual(await host.files(), ['web/', 'web/web.qcow2', 'web/web.vmdk', 'web/web.vmx']);
  assert.deepEqual(eventTypes(host.events), ['VmBeingCreatedEvent', 'VmCreatedEvent']);
  assert.equal(vm.config.files.vmPathName, '[datastore1] web/web.vmx');
  assert.equal(vm.power, 'poweredOff');
  const again = (await host.restart()).registry.find(vm.id);
  assert.deepEqual(
    { ...again?.config, modified: '' },
    { ...vm.config, modified: '' },
    'the VMX says all of the configuration',
  );
});

void test('a VM whose folder name is taken gets the next free one, as on ESXi', async (t) => {
  const host = await testHost(t);
  await mkdir(join(host.root, 'web'));
  await writeFile(join(host.root, 'web/precious'), 'mine');
  const vm = await host.create();
  assert.equal(vm.config.files.vmPathName, '[datastore1] web_1/web.vmx');
  assert.equal(await readFile(join(host.root, 'web/precious'), 'utf8'), 'mine');
});

void test('CreateVM onto an existing VMX is FileAlreadyExists, and leaves it as it is', async (t) => {
  const host = await testHost(t);
  await mkdir(join(host.root, 'web'));
  await writeFile(join(host.root, 'web/web.vmx'), 'displayName = "old"');
  const spec = { files: { vmPathName: '[datastore1] web/web.vmx' } };
  await assert.rejects(host.create(spec), fault('FileAlreadyExists', { file: '[datastore1] web/web.vmx' }));
  assert.equal(await readFile(join(host.root, 'web/web.vmx'), 'utf8'), 'displayName = "old"');
});

void test('CreateVM into a folder that nobody made makes it; a missing folder above is FileNotFound', async (t) => {
  const host = await testHost(t);
  await host.create({ files: { vmPathName: '[datastore1] mine/' } });
  assert.ok((await host.files()).includes('mine/web.vmx'));
  await assert.rejects(
    host.create({ ...vmSpec('deep'), files: { vmPathName: '[datastore1] a/b/deep.vmx' } }),
    fault('FileNotFound'),
  );
  assert.deepEqual(
    (await host.files()).filter((path) => path.startsWith('a')),
    [],
  );
});

void test('a second VM of the same name is DuplicateName, also while the first is being made', async (t) => {
  const host = await testHost(t);
  const [first, second] = await Promise.allSettled([host.create(), host.create()]);
  assert.equal(first.status, 'fulfilled');
  assert.equal(second.status, 'rejected');
  fault('DuplicateName', { name: 'web' })(second.reason);
  await assert.rejects(host.create(), fault('DuplicateName', { name: 'web' }));
  assert.deepEqual(names(host), ['web']);
});

void test('names that make the same file names get folders of their own, also at once', async (t) => {
  const host = await testHost(t);
  await Promise.all([host.create(vmSpec('a:b')), host.create(vmSpec('a*b'))]);
  assert.deepEqual(
    (await host.files()).filter((path) => path.endsWith('.vmx')),
    ['a_b/a_b.vmx', 'a_b_1/a_b.vmx'],
  );
});

void test('a creation that fails leaves nothing, and removes nothing that it has not made', async (t) => {
  const host = await testHost(t);
  await mkdir(join(host.root, 'web'));
  await writeFile(join(host.root, 'web/note'), 'mine');
  await host.disks.create({
    path: '[datastore1] web/data.vmdk',
    capacityBytes: 2 ** 20,
    provisioning: 'thin',
    adapter: 'lsilogic',
    uuid: '6000C291-0000-0000-0000-000000000000',
    contentId: '0'.repeat(32),
    replace: false,
  });
  const before = await host.files();
  const { create } = host.disks;
  let calls = 0;
  // The second disk finds no room.
  host.host.disks.create = async (effect) => {
    calls += 1;
    if (calls === 2) throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
    return create.call(host.disks, effect);
  };
  const spec = {
    files: { vmPathName: '[datastore1] web/' },
    deviceChange: [...(vmSpec().deviceChange ?? []), diskChange(-9, -1, 4)],
  };
  await assert.rejects(host.create(spec), fault('GenericVmConfigFault'));
  assert.deepEqual(await host.files(), before);
  assert.deepEqual(host.store.range('vm-intent/'), []);
  assert.deepEqual(names(host), []);
  await assert.rejects(
    host.create({ ...spec, deviceChange: [diskChange(-9, 200, 4, '[datastore1] web/data.vmdk')] }),
    fault('FileAlreadyExists', { file: '[datastore1] web/data.vmdk' }),
  );
  assert.deepEqual(await host.files(), before);
});

void test('ids are never used twice', async (t) => {
  const first = await testHost(t);
  const ids = new Set<string>();
  const one = await first.create();
  ids.add(one.id);
  await first.registry.destroy(asUser(), one);
  await assert.rejects(first.create({ name: '' }), fault('InvalidName'));
  const two = await first.create();
  ids.add(two.id);
  await first.registry.destroy(asUser(), two);
  const host = await first.restart();
  const three = await host.create();
  ids.add(three.id);
  await host.registry.unregister(asUser(), three);
  ids.add((await register(host, '[datastore1] web/web.vmx')).id);
  assert.equal(ids.size, 4);
});

void test('Destroy removes the VM with all its files, and leaves what is not its own', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const own = ['vmware.log', 'vmware-1.log', 'vmware-monitor.log', 'vmware-monitor.log.1', 'web.nvram', 'web-1.png'];
  const foreign = ['notes.txt', 'web.iso', 'web-backup.vmx', 'other.vmdk', 'web2.nvram'];
  for (const name of [...own, ...foreign]) await writeFile(join(vm.folder, name), name);
  await host.registry.destroy(asUser(), vm);
  assert.deepEqual(await host.files(), ['web/', ...foreign.map((name) => `web/${name}`)].toSorted());
  assert.deepEqual(eventTypes(host.events).at(-1), 'VmRemovedEvent');
  assert.deepEqual(names(await host.restart()), []);
});

void test('Destroy removes the folder when nothing else is in it', async (t) => {
  const host = await testHost(t);
  await host.registry.destroy(asUser(), await host.create());
  assert.deepEqual(await host.files(), []);
});

void test('Destroy leaves a disk that another VM has, and one that is marked as not to be deleted', async (t) => {
  const host = await testHost(t);
  const [vm, other] = [await host.create(), await host.create(vmSpec('other'))];
  const attach = {
    operation: 'add',
    device: {
      _typeName: 'VirtualDisk',
      key: -1,
      controllerKey: 1000,
      capacityInKB: 0,
      backing: {
        _typeName: 'VirtualDiskFlatVer2BackingInfo',
        fileName: '[datastore1] web/web.vmdk',
        diskMode: 'persistent',
      },
    },
  };
  await other.reconfigure(asUser(), { deviceChange: [attach as never] });
  await vm.reconfigure(asUser(), { deviceChange: [diskChange(-1, 1000, 4)] });
  const descriptor = join(host.root, 'web/web_1.vmdk');
  await writeFile(descriptor, `${await readFile(descriptor, 'utf8')}ddb.deletable = "false"\n`);
  await host.registry.destroy(asUser(), vm);
  assert.deepEqual(
    (await host.files()).filter((path) => path.startsWith('web/')),
    ['web/', 'web/web.qcow2', 'web/web.vmdk', 'web/web_1.qcow2', 'web/web_1.vmdk'],
  );
  await other.powerOn(asUser());
});

void test('UnregisterVM keeps the files, and RegisterVM finds the same VM again', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await vm.powerOn(asUser());
  await vm.powerOff(asUser());
  const files = await host.files();
  await host.registry.unregister(asUser(), vm);
  assert.deepEqual(await host.files(), files);
  assert.deepEqual(names(host), []);
  host.events.length = 0;
  const again = await register(host, '[datastore1] web/web.vmx');
  assert.deepEqual(eventTypes(host.events), ['VmRegisteredEvent']);
  assert.equal(again.config.uuid, vm.config.uuid);
  assert.deepEqual(again.config.hardware, vm.config.hardware);
  const mac = (machine: typeof vm) =>
    machine.config.hardware.device?.flatMap((device) => ('macAddress' in device ? [device.macAddress] : []));
  assert.deepEqual(mac(again), mac(vm));
  assert.deepEqual(names(await host.restart()), ['web']);
});

void test('what cannot be registered is refused by its own fault', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  const web = '[datastore1] web/web.vmx';
  await assert.rejects(register(host, web), fault('AlreadyExists', { name: web }));
  await assert.rejects(register(host, '[datastore1] web/./web.vmx'), fault('AlreadyExists'));
  await assert.rejects(register(host, '[datastore1] no/no.vmx'), fault('NotFound'));
  await assert.rejects(register(host, '[datastore9] web/web.vmx'), fault('InvalidDatastorePath'));
  await assert.rejects(register(host, '[datastore1] ../web.vmx'), fault('InvalidDatastorePath'));
  await assert.rejects(register(host, '[datastore1] web/web.vmdk'), fault('InvalidDatastorePath'));
  await host.registry.unregister(asUser(), vm);
  const text = await readFile(vm.vmxFile, 'utf8');
  await writeFile(vm.vmxFile, 'no VMX at all');
  await assert.rejects(register(host, web), fault('InvalidVmConfig'));
  await rm(vm.vmxFile);
  await mkdir(vm.vmxFile);
  await assert.rejects(register(host, web), fault('NotAFile'));
  await rm(vm.vmxFile, { recursive: true });
  await writeFile(vm.vmxFile, text);
  const [first, second] = await Promise.allSettled([register(host, web), register(host, web)]);
  assert.equal(first.status, 'fulfilled');
  assert.equal(second.status, 'rejected');
  fault('AlreadyExists')(second.reason);
  assert.deepEqual(names(host), ['web']);
});

void test('a copied VM is registered under a new name, and both run at once', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  await cp(join(host.root, 'web'), join(host.root, 'copy'), { recursive: true });
  await assert.rejects(register(host, '[datastore1] copy/web.vmx'), fault('DuplicateName', { name: 'web' }));
  const copy = await register(host, '[datastore1] copy/web.vmx', 'copy');
  assert.equal(copy.name, 'copy');
  assert.match(await readFile(copy.vmxFile, 'utf8'), /displayName = "copy"/);
  await vm.powerOn(asUser());
  await copy.powerOn(asUser());
  assert.deepEqual(
    host.network.ports().map(({ portKey }) => portKey),
    ['1-4000', '2-4000'],
  );
});

void test('a VM from elsewhere gets its hardware settled once', async (t) => {
  const host = await testHost(t);
  await mkdir(join(host.root, 'old'));
  const vmx = [
    'config.version = "8"',
    'virtualHW.version = "19"',
    'displayName = "old"',
    'guestOS = "otherlinux-64"',
    'memSize = "128"',
    'ethernet0.present = "TRUE"',
    'ethernet0.virtualDev = "vmxnet3"',
    'ethernet0.networkName = "VM Network"',
  ];
  await writeFile(join(host.root, 'old/old.vmx'), vmx.join('\n'));
  const vm = await register(host, '[datastore1] old/old.vmx');
  const text = await readFile(vm.vmxFile, 'utf8');
  assert.match(text, /vivarium\.machineType = "pc-q35-11\.0"/);
  assert.match(text, /ethernet0\.pciSlotNumber = "\d+"/i);
  await vm.powerOn(asUser());
  assert.equal(vm.power, 'poweredOn');
});

void test('a running VM is found again by the next hostd, with its machine and its guest', async (t) => {
  const first = await testHost(t);
  const [on, off] = [await first.create(), await first.create(vmSpec('off'))];
  await on.powerOn(asUser());
  const machine = first.vmms.machine(on.id);
  machine.agentComes({ interfaces: [], hostName: 'web' });
  await turns();
  assert.equal(on.view().guest?.hostName, 'web');
  const host = await first.restart();
  const [again, stillOff] = [host.registry.find(on.id), host.registry.find(off.id)];
  assert.equal(again?.power, 'poweredOn');
  assert.equal(stillOff?.power, 'poweredOff');
  assert.equal(again?.view().bootTime, '2026-11-22T00:00:00.000Z');
  assert.deepEqual(again?.portKeys(), ['1-4000']);
  assert.deepEqual(again?.filesInUse(), on.filesInUse());
  assert.equal(again?.config.hardware.device?.find(({ key }) => key === 4000)?.connectable?.connected, true);
  await turns();
  assert.equal(again?.view().guest?.hostName, 'web', 'its agent was there all the time');
  assert.deepEqual(eventTypes(host.events), []);
  await again?.powerOff(asUser());
  assert.equal(host.vmms.machines.size, 0);
});

void test('a VM that died while there was no hostd is off', async (t) => {
  const first = await testHost(t);
  const vm = await first.create();
  await vm.powerOn(asUser());
  first.vmms.abandon();
  await first.vmms.machine(vm.id).dies();
  const host = await first.restart();
  assert.equal(host.registry.find(vm.id)?.power, 'poweredOff');
  const nic = host.registry.find(vm.id)?.config.hardware.device?.find(({ key }) => key === 4000);
  assert.equal(nic?.connectable?.connected, false);
});

void test('a running VM whose disk is not where its VMX says is taken over all the same', async (t) => {
  const first = await testHost(t);
  const vm = await first.create();
  await vm.powerOn(asUser());
  await rm(join(first.root, 'web/web.vmdk'));
  const host = await first.restart();
  const again = host.registry.find(vm.id);
  assert.equal(again?.power, 'poweredOn');
  await again?.powerOff(asUser());
  assert.equal(again?.power, 'poweredOff');
});

void test('a VM whose VMX cannot be read stays registered: it is told, not forgotten, and can be registered anew', async (t) => {
  const first = await testHost(t);
  const [vm, other] = [await first.create(), await first.create(vmSpec('other'))];
  const text = await readFile(vm.vmxFile, 'utf8');
  await writeFile(vm.vmxFile, 'gibberish');
  const second = await first.restart();
  assert.deepEqual([...second.broken.keys()], [vm.id]);
  assert.deepEqual(names(second), ['other']);
  assert.ok(second.registry.find(other.id));
  await writeFile(vm.vmxFile, text);
  const third = await second.restart();
  assert.deepEqual(names(third), ['other', 'web'], 'readable again: there again');
  await writeFile(vm.vmxFile, 'gibberish');
  const fourth = await third.restart();
  await writeFile(vm.vmxFile, text);
  await register(fourth, '[datastore1] web/web.vmx');
  const fifth = await fourth.restart();
  assert.deepEqual(names(fifth), ['other', 'web'], 'once, not twice');
});

void test('a disk that was being added to a VM whose VMX is unreadable is left for later', async (t) => {
  const first = await testHost(t);
  const vm = await first.create();
  await first.store.batch([
    {
      put: 'vm-intent/1-x',
      value: { kind: 'change', vmx: '[datastore1] web/web.vmx', files: ['[datastore1] web/web.vmdk'] },
    },
  ]);
  const text = await readFile(vm.vmxFile, 'utf8');
  await writeFile(vm.vmxFile, 'gibberish');
  const second = await first.restart();
  assert.ok((await second.files()).includes('web/web.vmdk'));
  await writeFile(vm.vmxFile, text);
  const third = await second.restart();
  assert.ok((await third.files()).includes('web/web.vmdk'), 'the VMX names it');
  assert.deepEqual(third.store.range('vm-intent/'), []);
});

void test('what could not be removed is tried again, but never taken from a VM that has it by then', async (t) => {
  const first = await testHost(t);
  const vm = await first.create();
  const { remove } = first.disks;
  first.host.disks.remove = () => Promise.reject(Object.assign(new Error('busy'), { code: 'EBUSY' }));
  await first.registry.destroy(asUser(), vm);
  first.host.disks.remove = remove;
  assert.deepEqual(await first.files(), ['web/', 'web/web.qcow2', 'web/web.vmdk']);
  assert.equal(first.store.range('vm-intent/').length, 1);
  // Somebody finds the disk useful.
  const heir = await first.create(vmSpec('heir'));
  await heir.reconfigure(asUser(), {
    deviceChange: [
      {
        operation: 'add',
        device: {
          _typeName: 'VirtualDisk',
          key: -1,
          controllerKey: 1000,
          capacityInKB: 0,
          backing: {
            _typeName: 'VirtualDiskFlatVer2BackingInfo',
            fileName: '[datastore1] web/web.vmdk',
            diskMode: 'persistent',
          },
        } as never,
      },
    ],
  });
  const second = await first.restart();
  assert.ok((await second.files()).includes('web/web.vmdk'));
  assert.deepEqual(second.store.range('vm-intent/'), []);
});

void test('a VM that is held from its making on does nothing for anybody until it is let go', async (context) => {
  const host = await testHost(context);
  const held = new DisposableStack();
  const made = (vm: Vm) => void held.use(vm.hold(moRef('Task', 'import')));
  const vm = await host.registry.create(asUser(), vmSpec(), { made });
  const busy = fault('TaskInProgress', { task: { type: 'Task', value: 'import' } });
  await assert.rejects(vm.powerOn(asUser()), busy);
  await assert.rejects(vm.reconfigure(asUser(), { annotation: 'mine' }), busy);
  await assert.rejects(host.registry.destroy(asUser(), vm), busy);
  held.dispose();
  await vm.powerOn(asUser());
  assert.equal(vm.power, 'poweredOn');
});
