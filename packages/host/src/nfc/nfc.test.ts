import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { type Store, StoreFull } from '@vivarium/store';
import { type HttpNfcLeaseInfo, isFault, MethodFault, make, moRef, type VirtualDevice } from '@vivarium/vim';
import { type Call, registerNfcDoor } from '@vivarium/vmomi';
import fastify from 'fastify';
import { makeApi, noImages, qemuImg } from '../virtual-disk-manager/fixtures.ts';
import { Imports } from './imports.ts';
import { nfcReceivers } from './nfc-receiver.ts';

const MB = 1024 * 1024;
const vmRef = moRef('VirtualMachine', '7');

/** A host whose one VM has one thin disk of 8 MB. */
async function makeImporter(options: { readonly refuse?: boolean; readonly gate?: Promise<void> } = {}) {
  const host = await makeApi();
  const kept = new Map<string, unknown>();
  const timers: (() => void)[] = [];
  const destroyed: string[] = [];
  const ended: string[] = [];
  const cancelling = new AbortController();
  const locked = new Set<string>();
  const fails = { store: false, destroy: false };
  const batch: Store['batch'] = async (ops) => {
    if (fails.store) throw new StoreFull('no room');
    for (const op of ops) {
      if ('put' in op) kept.set(op.put, op.value);
      else kept.delete(op.delete);
    }
    return 1;
  };
  const path = '[datastore1] web/web.vmdk';
  const imports = new Imports({
    graph: host.graph,
    tasks: {
      start(_spec, work) {
        const ref = moRef('Task', 'import');
        const { signal } = cancelling;
        work({ ref, signal, progress: (percent) => void ended.push(`${percent} %`) }).then(
          () => ended.push('done'),
          (error: unknown) => ended.push(isFault(error, 'MethodFault') ? error.fault._typeName : String(error)),
        );
        return ref;
      },
    },
    store: {
      range: () => Array.from(kept, ([key, value]) => ({ key, value, revision: 1 })) as never,
      batch,
    },
    host: {
      async createVm(_spec, _pool, _call, { also, task }) {
        await options.gate;
        if (options.refuse) throw new MethodFault('DuplicateName', { name: 'web', object: vmRef });
        await mkdir(join(host.root, 'web'));
        await host.disks.create({ path, capacityBytes: 8 * MB, provisioning: 'thin', adapter: 'lsilogic' });
        const device: VirtualDevice[] = [
          make('ParaVirtualSCSIController', { key: 1000, busNumber: 0, sharedBus: 'noSharing' }),
          make('VirtualDisk', {
            key: 2000,
            controllerKey: 1000,
            unitNumber: 0,
            capacityInKB: 8192,
            backing: make('VirtualDiskFlatVer2BackingInfo', { fileName: path, diskMode: 'persistent' }),
          }),
        ];
        host.graph.add(vmRef, { name: 'web', config: { hardware: { device } } as never });
        await batch(also(vmRef));
        locked.add(task.value);
        return { ref: vmRef, lock: { [Symbol.dispose]: () => void locked.delete(task.value) } };
      },
      async destroyVm() {
        assert.equal(locked.size, 0, 'nobody destroys what is locked');
        if (fails.destroy) throw new MethodFault('TaskInProgress', { task: moRef('Task', 't') });
        destroyed.push('7');
        host.graph.remove(vmRef);
        await host.disks.remove(path);
      },
    },
    clock: {
      ...systemClock,
      setTimer(_delayMs, fire) {
        timers.push(fire);
        return { cancel: () => void timers.splice(timers.indexOf(fire), 1) };
      },
    },
    random: systemRandom,
    log: silentLogger,
    endpoint: () => ({ port: 8443, sslThumbprint: 'AB:CD' }),
  });
  const app = fastify();
  registerNfcDoor(app, { find: nfcReceivers(imports, host.disks), log: silentLogger });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const call = { session: { onEnd: () => undefined } } as unknown as Call;
  const lease = host.graph.get(
    imports.importVApp(
      moRef('ResourcePool', 'ha-root-pool'),
      make('VirtualMachineImportSpec', { configSpec: make('VirtualMachineConfigSpec', { name: 'web' }) }),
      call,
    ),
  );
  const settled = async () => {
    while (lease.get('state') === 'initializing') await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    ...host,
    folder: host.path,
    imports,
    lease,
    timers,
    destroyed,
    ended,
    locked,
    cancel: () => cancelling.abort(),
    fails,
    kept,
    path,
    settled,
    invoke: async (method: 'HttpNfcLeaseComplete' | 'HttpNfcLeaseAbort' | 'HttpNfcLeaseProgress', args: object = {}) =>
      lease.method(method)?.(args as Record<string, unknown>, call),
    async send(body: Buffer, url?: string): Promise<{ status: number; body: string }> {
      const info = lease.get('info') as HttpNfcLeaseInfo;
      const target = url ?? new URL((info.deviceUrl?.[0]?.url ?? '').replace('*:8443', 'x')).pathname;
      const headers = { 'content-type': 'application/x-vnd.vmware-streamVmdk' };
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request({ port, host: '127.0.0.1', method: 'POST', path: target, headers }, resolve)
          .on('error', reject)
          .end(body);
      });
      return { status: response.statusCode ?? 0, body: await text(response) };
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await host[Symbol.asyncDispose]();
    },
  };
}

async function streamOptimized(folder: string, content: Buffer): Promise<Buffer> {
  const [raw, vmdk] = [join(folder, 'raw'), join(folder, 'x.vmdk')];
  await writeFile(raw, content);
  await qemuImg('convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, vmdk);
  return readFile(vmdk);
}

void test('a lease becomes ready, takes the disk, and the disk keeps its identity', { skip: noImages }, async () => {
  await using importer = await makeImporter();
  await importer.settled();
  const { lease, path, disks } = importer;
  assert.equal(lease.get('state'), 'ready');
  const info = lease.get('info') as HttpNfcLeaseInfo;
  assert.deepEqual([info.entity.value, info.leaseTimeout, info.totalDiskCapacityInKB], ['7', 300, 8192]);
  const [device] = info.deviceUrl ?? [];
  assert.deepEqual(
    [device?.importKey, device?.key, device?.disk, device?.sslThumbprint],
    ['/web/ParaVirtualSCSIController0:0', '/7/2000', true, 'AB:CD'],
  );
  assert.match(device?.url ?? '', /^https:\/\/\*:8443\/nfc\/[0-9a-f]{48}\/disk-0\.vmdk$/);
  const uuid = disks.findDisk(path)?.uuid;
  const content = Buffer.concat([Buffer.alloc(MB), randomBytes(2 * MB), Buffer.alloc(5 * MB)]);
  assert.deepEqual(await importer.send(await streamOptimized(importer.folder, content)), { status: 200, body: '' });
  await importer.invoke('HttpNfcLeaseProgress', { percent: 50 });
  assert.equal(lease.get('transferProgress'), 50);
  assert.deepEqual([...importer.locked], ['import']);
  await importer.invoke('HttpNfcLeaseComplete');
  assert.equal(importer.locked.size, 0);
  assert.deepEqual(importer.ended, ['50 %', 'done']);
  assert.equal(lease.get('state'), 'done');
  assert.equal(disks.findDisk(path)?.uuid, uuid);
  assert.deepEqual((await readdir(join(importer.root, 'web'))).sort(), ['web.qcow2', 'web.vmdk']);
  const { file } = await disks.open(path);
  await qemuImg('convert', '-f', 'qcow2', '-O', 'raw', file, join(importer.root, 'check'));
  assert.ok((await readFile(join(importer.root, 'check'))).equals(content));
  assert.equal(importer.kept.size, 0);
  await assert.rejects(importer.invoke('HttpNfcLeaseComplete'), (error) => isFault(error, 'InvalidState'));
});

void test('a disk that is none, or hostile, or too large is refused and the empty one stays', {
  skip: noImages,
}, async () => {
  await using importer = await makeImporter();
  await importer.settled();
  const descriptor =
    '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 16 FLAT "web.qcow2" 0\n';
  for (const body of [Buffer.from(descriptor), Buffer.alloc(0), randomBytes(5000)]) {
    assert.ok([404, 422].includes((await importer.send(body)).status));
  }
  const large = await streamOptimized(importer.folder, Buffer.alloc(16 * MB, 'x'));
  assert.equal((await importer.send(large)).status, 422);
  assert.equal((await importer.send(large.subarray(0, -600))).status, 422);
  assert.equal((await importer.send(large, '/nfc/0000/disk-0.vmdk')).status, 404);
  assert.deepEqual((await readdir(join(importer.root, 'web'))).sort(), ['web.qcow2', 'web.vmdk']);
  await importer.disks.open(importer.path);
});

void test('silence ends a lease and the VM with it', { skip: noImages }, async () => {
  await using importer = await makeImporter();
  await importer.settled();
  assert.equal(importer.timers.length, 1);
  importer.timers[0]?.();
  while (importer.kept.size > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(importer.lease.get('state'), 'error');
  assert.equal(importer.lease.get('error')?.fault._typeName, 'Timedout');
  assert.deepEqual(importer.destroyed, ['7']);
  assert.deepEqual(importer.ended, ['Timedout']);
  await assert.rejects(importer.invoke('HttpNfcLeaseProgress', { percent: 1 }), (error) => isFault(error, 'Timedout'));
  assert.equal((await importer.send(Buffer.alloc(10))).status, 404);
});

void test('an aborted lease, and one whose VM cannot be made, say why', { skip: noImages }, async () => {
  await using importer = await makeImporter();
  await importer.settled();
  await importer.invoke('HttpNfcLeaseAbort');
  assert.equal(importer.lease.get('state'), 'error');
  assert.deepEqual(importer.destroyed, ['7']);
  await using refused = await makeImporter({ refuse: true });
  await refused.settled();
  assert.equal(refused.lease.get('error')?.fault._typeName, 'DuplicateName');
  assert.deepEqual(refused.destroyed, []);
});

void test('who cancels the task of an import ends the lease', { skip: noImages }, async () => {
  await using importer = await makeImporter();
  await importer.settled();
  importer.cancel();
  while (importer.kept.size > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(importer.lease.get('error')?.fault._typeName, 'RequestCanceled');
  assert.deepEqual([importer.destroyed, importer.ended], [['7'], ['RequestCanceled']]);
});

void test('an import that nobody ended is undone at the next start', { skip: noImages }, async () => {
  await using importer = await makeImporter();
  await importer.settled();
  assert.equal(importer.kept.size, 1);
  importer.imports.close();
  await importer.imports.undoAbandoned();
  assert.deepEqual(importer.destroyed, ['7']);
  assert.equal(importer.kept.size, 0);
});

void test('a lease that ends before its VM is made has none, and stays ended', { skip: noImages }, async () => {
  const gate = Promise.withResolvers<void>();
  await using importer = await makeImporter({ gate: gate.promise });
  await importer.invoke('HttpNfcLeaseAbort');
  gate.resolve();
  while (importer.destroyed.length === 0 || importer.kept.size > 0)
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal(importer.lease.get('state'), 'error');
  assert.equal(importer.kept.size, 0);
});

void test('a completion that is not on disk is none', { skip: noImages }, async () => {
  await using importer = await makeImporter();
  await importer.settled();
  importer.fails.store = true;
  await assert.rejects(importer.invoke('HttpNfcLeaseComplete'), StoreFull);
  assert.equal(importer.lease.get('state'), 'ready');
  assert.equal(importer.locked.size, 1);
  importer.fails.store = false;
  await importer.invoke('HttpNfcLeaseComplete');
  assert.equal(importer.lease.get('state'), 'done');
  assert.deepEqual([importer.kept.size, importer.destroyed], [0, []]);
});

void test('a VM that cannot be removed with its import is removed at the next start', { skip: noImages }, async () => {
  await using importer = await makeImporter();
  await importer.settled();
  importer.fails.destroy = true;
  await importer.invoke('HttpNfcLeaseAbort');
  assert.equal(importer.kept.size, 1);
  importer.fails.destroy = false;
  await importer.imports.undoAbandoned();
  assert.deepEqual([importer.kept.size, importer.destroyed], [0, ['7']]);
});
