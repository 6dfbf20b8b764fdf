// What `viv up` brings up: a vCenter over three hosts, driven by an unmodified govc, and killed in parts.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type MoRef, make, moRef } from '@vivarium/vim';
import { installVirsh } from '../clients/virsh.ts';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import type { LabCenter } from '../testing/lab-center.ts';
import { listQemus } from '../testing/machine-traces.ts';
import { processorLimit } from '../testing/processor-limit.ts';
import { makeStreamVmdk } from '../testing/stream-vmdk.ts';
import { useLabCenter } from '../testing/use-lab-center.ts';
import { waitFor } from '../testing/wait-for.ts';
import { virshEveryday } from '../tour/virsh-everyday.ts';
import { connectTo, farHost } from './far-host.ts';

const WAIT = '120s';
const virsh = await installVirsh();
const withoutVirsh = virsh.state === 'installed' ? false : `not run: ${virsh.detail}`;

describe('vCenter over three hosts', { skip: withoutGovc }, () => {
  const lab = useLabCenter(3);
  const govc = useGovc(lab);
  const property = async (path: string, name: string) => (await govc('object.collect', '-s', path, name)).trim();

  test('one inventory over all of them', async () => {
    assert.match(await govc('about'), /API type: +VirtualCenter/);
    assert.deepEqual(lines(await govc('find', '/DC/host', '-type', 'h')).sort(), [
      '/DC/host/Cluster/esx1.localhost',
      '/DC/host/Cluster/esx2.localhost',
      '/DC/host/Cluster/esx3.localhost',
    ]);
    assert.deepEqual(lines(await govc('ls', '/DC/datastore')).sort(), [
      '/DC/datastore/datastore1',
      '/DC/datastore/datastore1 (1)',
      '/DC/datastore/datastore1 (2)',
    ]);
    assert.match(await govc('vm.info', 'demo'), /Power state: +poweredOn\n[\s\S]*Host: +esx1\.localhost/);
    assert.equal(await property('/DC/host/Cluster', 'summary.numEffectiveHosts'), '3');
  });

  test('a VM is made on the host that has its datastore, and lives its life through vCenter', async () => {
    const hardware = ['-m', '64', '-disk', '64MB', '-net.adapter', 'vmxnet3', '-on=false'];
    await govc('vm.create', '-ds', 'datastore1 (1)', ...hardware, 'web');
    const host = (await govc('vm.info', 'web')).match(/Host: +(\S+)/)?.[1];
    assert.match(await govc('device.info', '-vm', 'web', 'disk-*'), /\[datastore1 \(1\)\] web\/web\.vmdk/);
    await govc('vm.power', '-on', 'web');
    await govc.refused(/current state \(Powered on\)/, 'vm.power', '-on', 'web');
    await govc('vm.change', '-vm', 'web', '-annotation', 'changed while it runs');
    assert.equal(await property('vm/web', 'config.annotation'), 'changed while it runs');
    await govc('object.rename', 'vm/web', 'site');
    assert.equal(await property('vm/site', 'config.name'), 'site');
    const events = await govc('events', 'vm/site');
    assert.match(events, new RegExp(`on ${host} in DC is powered on`));
    const tasks = await govc('tasks', 'vm/site');
    assert.match(tasks, /PowerOnVM +web +\S*Administrator .*success/);
    await govc('vm.power', '-off', 'site');
    await govc('vm.destroy', 'site');
    await govc.refused(/not found/, 'vm.power', '-on', 'site');
  });

  test('a VM is placed on host and datastore by vCenter, which manages the hosts', async () => {
    await govc.with({ GOVC_DATASTORE: undefined, GOVC_RESOURCE_POOL: undefined })(
      ...[
        'vm.create',
        '-cluster',
        'Cluster',
        '-m',
        '64',
        '-disk',
        '16MB',
        '-net.adapter',
        'vmxnet3',
        '-on=false',
        'placed',
      ],
    );
    assert.match(await govc('vm.info', 'placed'), /Host: +esx[123]\.localhost/);
    await govc('vm.destroy', 'placed');
    assert.equal(await property('/DC/host/Cluster/esx1.localhost', 'summary.managementServerIp'), '127.0.0.1');
  });

  test('a limit of a pool of the cluster holds on the host that runs the VM', async () => {
    const mhz = Number(await property('/DC/host/Cluster/esx2.localhost', 'summary.hardware.cpuMhz'));
    const pool = '/DC/host/Cluster/Resources/slow';
    await govc('pool.create', '-cpu.limit', String(Math.round(mhz / 10)), pool);
    await govc('vm.create', '-pool', pool, '-ds', 'datastore1 (1)', '-m', '64', 'limited');
    const [qemu, ...others] = await listQemus(join(lab().stateDir, 'esx2'));
    assert.ok(qemu !== undefined && others.length === 0);
    const limitIs = (expected: number) =>
      waitFor(`a limit of ${expected} processors`, async () => {
        const limit = await processorLimit(qemu);
        return limit === expected || Math.abs(limit / expected - 1) < 0.05;
      });
    await limitIs(0.1);
    await govc('pool.change', '-cpu.limit', String(Math.round(mhz / 4)), pool);
    await limitIs(0.25);
    await govc('pool.destroy', pool);
    await limitIs(Infinity);
    assert.equal(await property('vm/limited', 'runtime.powerState'), 'poweredOn');
    await govc('vm.power', '-off', 'limited');
    await govc('vm.destroy', 'limited');
  });

  test('files of datastores are kept, copied and given through vCenter', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'viv-files-'));
    try {
      const [sent, got] = [join(folder, 'sent'), join(folder, 'got')];
      await writeFile(sent, 'one\ntwo\n'.repeat(200_000));
      const at = ['-ds', 'datastore1 (1)'];
      await govc('datastore.mkdir', ...at, '-p', 'iso/deep er');
      await govc.refused(/already exists/, 'datastore.mkdir', ...at, 'iso');
      await govc('datastore.upload', ...at, sent, 'iso/deep er/a.txt');
      await govc('datastore.cp', ...at, 'iso/deep er/a.txt', 'iso/b.txt');
      await govc('datastore.mv', ...at, 'iso/b.txt', 'iso/c.txt');
      assert.deepEqual(lines(await govc('datastore.ls', ...at, 'iso')).sort(), ['c.txt', 'deep er']);
      await govc('datastore.download', ...at, 'iso/c.txt', got);
      assert.deepEqual(await readFile(got), await readFile(sent));
      assert.equal(await govc('datastore.tail', ...at, '-n', '2', 'iso/c.txt'), 'one\ntwo\n');
      const elsewhere = ['-dc-target', 'DC', '-ds-target', 'datastore1 (2)'];
      await govc.refused(/copying between hosts/, 'datastore.cp', ...at, ...elsewhere, 'iso/c.txt', 'c.txt');
      const missing = /File \[datastore1 \(1\)\] iso\/none was not found|404/;
      await govc.refused(missing, 'datastore.download', ...at, 'iso/none', got);
      await govc('datastore.rm', ...at, 'iso');
      await govc.refused(/File \[datastore1 \(1\)\] iso was not found/, 'datastore.rm', ...at, 'iso/none');

      await govc('datastore.disk.create', ...at, '-size', '64M', 'disk.vmdk');
      assert.match(
        await govc('datastore.disk.info', ...at, '-uuid', 'disk.vmdk'),
        /Name: +disk\.vmdk\n +UUID: +60 00 C2 9/i,
      );
      await govc('datastore.cp', ...at, 'disk.vmdk', 'copy.vmdk');
      await govc('datastore.disk.inflate', ...at, 'disk.vmdk');
      assert.match(await govc('datastore.disk.info', ...at, 'disk.vmdk'), /Type: +eagerZeroedThick/);
      for (const disk of ['disk.vmdk', 'copy.vmdk']) await govc('datastore.rm', ...at, disk);
      await govc.refused(/not found/, 'datastore.disk.info', ...at, 'disk.vmdk');
      assert.match(await govc('tasks', '/DC/datastore/datastore1 (1)'), /CopyVirtualDisk +datastore1 \(1\)/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('a vApp holds, starts and stops its VMs on the hosts', async () => {
    const app = '/DC/host/Cluster/Resources/shop';
    await using client = await lab().connect();
    const { searchIndex } = await client.content();
    const find = async (inventoryPath: string) =>
      client.call(searchIndex as MoRef<'SearchIndex'>, 'FindByInventoryPath', { inventoryPath });
    const allocation = make('ResourceAllocationInfo', {
      reservation: 0,
      limit: -1,
      expandableReservation: true,
      shares: make('SharesInfo', { level: 'normal', shares: 0 }),
    });
    const spec = {
      name: 'shop',
      resSpec: make('ResourceConfigSpec', { cpuAllocation: allocation, memoryAllocation: allocation }),
      configSpec: make('VAppConfigSpec', {}),
    };
    const pool = (await find('DC/host/Cluster/Resources')) as MoRef as MoRef<'ResourcePool'>;
    const made = await client.call(pool, 'CreateVApp', spec);
    const hardware = ['-m', '64', '-net.adapter', 'vmxnet3', '-on=false'];
    for (const [index, name] of ['till', 'stock'].entries()) {
      await govc('vm.create', '-ds', `datastore1 (${index + 1})`, '-pool', app, ...hardware, name);
    }
    const entities = (await client.get(made, 'vAppConfig'))?.entityConfig ?? [];
    const entityConfig = entities.map((entity) => ({ ...entity, startDelay: 0 }));
    await client.call(made, 'UpdateVAppConfig', { spec: make('VAppConfigSpec', { entityConfig }) });
    assert.deepEqual(lines(await govc('find', '/DC', '-type', 'a')), [app]);
    assert.deepEqual(lines(await govc('ls', app)).sort(), [`${app}/stock`, `${app}/till`]);
    await govc('vapp.power', '-on', 'shop');
    const states = async () => [
      await property(`${app}/till`, 'runtime.powerState'),
      await property(app, 'summary.vAppState'),
    ];
    assert.deepEqual(await states(), ['poweredOn', 'started']);
    await govc('vapp.power', '-off', 'shop');
    assert.deepEqual(await states(), ['poweredOff', 'stopped']);
    await govc('vapp.destroy', app);
    assert.deepEqual(lines(await govc('find', '/DC', '-type', 'a')), []);
    await govc.refused(/not found/, 'vm.power', '-on', 'till');
  });

  test('a disk is imported through vCenter, by a lease of the host that takes it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'viv-import-'));
    try {
      const stream = await makeStreamVmdk(folder);
      const at = ['-ds', 'datastore1 (1)'];
      await govc('import.vmdk', ...at, '-pool', '/DC/host/Cluster/Resources', stream, 'imported');
      assert.match(await govc('datastore.disk.info', ...at, 'imported/stream.vmdk'), /Type: +thin/);
      await govc(
        'vm.create',
        ...at,
        '-on=false',
        '-m',
        '64',
        '-disk',
        'imported/stream.vmdk',
        '-link=false',
        'importer',
      );
      assert.match(await govc('device.info', '-vm', 'importer', 'disk-*'), /Summary: +4,096 KB/);
      await govc('vm.destroy', 'importer');
      await govc('datastore.rm', ...at, '-f', 'imported');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('a guest boots on a host of the cluster and tells its address', async () => {
    assert.match(await govc('vm.ip', '-wait', WAIT, 'demo'), /^\d+\.\d+\.\d+\.\d+$/m);
  });

  test('virsh works with VMs of one of its hosts', { skip: withoutVirsh }, async () => {
    await using client = await lab().connect();
    const { url, env, stateDir } = lab();
    const account = { userName: env['GOVC_USERNAME'] ?? '', password: env['GOVC_PASSWORD'] ?? '' };
    const datacenter = moRef(
      'Datacenter',
      (await govc('find', '-i', '/', '-type', 'd')).trim().replace('Datacenter:', ''),
    );
    const path = 'DC/Cluster/esx1.localhost/';
    await virshEveryday({ scheme: 'vpx', path, url, ...account, stateDir, client, datacenter });
  });

  test('hosts are disconnected and connected again', async () => {
    await govc('host.disconnect', 'esx2.localhost');
    assert.equal(await property('/DC/host/Cluster/esx2.localhost', 'runtime.connectionState'), 'disconnected');
    await govc('host.reconnect', 'esx2.localhost');
    assert.equal(await property('/DC/host/Cluster/esx2.localhost', 'runtime.connectionState'), 'connected');
  });

  test('vCenter is killed: VMs do not notice, and everything is there when it comes back', async () => {
    await govc('folder.create', '/DC/vm/kept');
    await govc('vm.create', '-m', '64', '-on=false', '-folder', '/DC/vm/kept', 'still');
    await lab().kill('vcenter');
    await lab().up();
    await waitFor(
      'all hosts to be connected',
      async () => (await property('/DC/host/Cluster', 'summary.numEffectiveHosts')) === '3',
    );
    assert.match(await govc('vm.info', '/DC/vm/kept/still'), /Power state: +poweredOff/);
    assert.match(await govc('vm.info', 'demo'), /Power state: +poweredOn/);
    assert.match(await govc('tasks', '/DC/vm/kept/still'), /./);
    await govc('object.destroy', '/DC/vm/kept');
    await govc.refused(/not found/, 'vm.power', '-on', 'still');
  });

  test('a hostd is killed: its host is shown as not responding, and comes back', async () => {
    await lab().kill('esx1');
    const state = () => property('/DC/host/Cluster/esx1.localhost', 'runtime.connectionState');
    await waitFor('the host to be missed', async () => (await state()) === 'notResponding');
    assert.equal(await property('vm/demo', 'runtime.connectionState'), 'disconnected');
    await govc.refused(/host/i, 'vm.power', '-off', 'demo');
    await lab().up();
    await waitFor('the host to be back', async () => (await state()) === 'connected');
    assert.match(await govc('vm.info', 'demo'), /Power state: +poweredOn/);
  });

  test('a whole machine dies: its VMs are off when it is back, and start again', async () => {
    const hardware = ['-m', '64', '-disk', '64MB', '-host', 'esx2.localhost', '-ds', 'datastore1 (1)'];
    await govc('vm.create', ...hardware, 'lone');
    assert.match(await govc('vm.info', 'lone'), /Power state: +poweredOn/);
    await lab().killMachine('esx2');
    const state = () => property('/DC/host/Cluster/esx2.localhost', 'runtime.connectionState');
    await waitFor('the host to be missed', async () => (await state()) === 'notResponding');
    assert.match(await govc('vm.info', 'demo'), /Power state: +poweredOn/);
    await lab().up();
    await waitFor('the host to be back', async () => (await state()) === 'connected');
    assert.match(await govc('vm.info', 'lone'), /Power state: +poweredOff/);
    await govc('vm.power', '-on', 'lone');
    await govc('vm.power', '-off', 'lone');
    await govc('vm.destroy', 'lone');
  });

  test('a host leaves, and what is only its own goes with it', async () => {
    await govc('host.disconnect', 'esx3.localhost');
    const before = await authoritiesOf(lab(), 'esx3');
    assert.equal(before.length, 1);
    await govc('host.remove', 'esx3.localhost');
    assert.deepEqual(
      await authoritiesOf(lab(), 'esx3'),
      [],
      'it no longer lets in who has a certificate of this vCenter',
    );
    assert.equal(await property('/DC/host/Cluster', 'summary.numHosts'), '2');
    assert.equal(lines(await govc('ls', '/DC/datastore')).length, 2);
  });

  test('a host that is far away joins: what changes is told, and no more, also when connections are cut', () =>
    farHost(lab(), 'esx3'));
});

/** Whose certificates the host lets in. */
async function authoritiesOf({ stateDir }: LabCenter, name: string): Promise<readonly string[]> {
  const hostDir = join(stateDir, name);
  const { port } = JSON.parse(await readFile(join(hostDir, 'hostd.pid'), 'utf8')) as { port: number };
  await using near = await connectTo(hostDir, port);
  const manager = moRef('HostCertificateManager', 'ha-certificate-manager');
  return (await near.call(manager, 'ListCACertificates', {} as never)) ?? [];
}
