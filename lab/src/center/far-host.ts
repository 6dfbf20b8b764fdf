// A host of a vCenter behind 150 ms of round trip and 1 % loss: added through the link, followed through it, and cut off from
// time to time.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { VimClient } from '@vivarium/client';
import { isFault, type MoRef, make, moRef } from '@vivarium/vim';
import type { LabCenter } from '../testing/lab-center.ts';
import { destroy, listVms, newVmSpec, reconfigure, taskDone, type VmRef } from '../testing/lab-vm.ts';
import { labSeed } from '../testing/random.ts';
import { openSlowLink } from '../testing/slow-link.ts';
import { waitFor } from '../testing/wait-for.ts';

const ROUND_TRIP_MS = 150;
const VMS = 8;
const CHANGES = 3;
/** Connections are cut so often, with a change in each direction under way. */
const CUTS = 3;

/** The host must not be in the inventory; it is when this has been right, and cut off. */
export async function farHost(lab: LabCenter, name: string): Promise<void> {
  const hostDir = join(lab.stateDir, name);
  const { port } = JSON.parse(await readFile(join(hostDir, 'hostd.pid'), 'utf8')) as { port: number };
  await using link = await openSlowLink({ port, roundTripMs: ROUND_TRIP_MS, loss: 0.01, seed: labSeed() });
  await using center = await lab.connect();
  await using near = await connectTo(hostDir, port);
  const host = await addHost(center, hostDir, `${name}.localhost`, link.port);
  const [datastore] = (await center.get(host, 'datastore')) ?? [];
  assert.ok(datastore, 'its datastore is in the inventory');
  const datastoreName = await center.get(datastore, 'name');

  const vmFolder = moRef('Folder', (await atPath(center, 'DC/vm')).value);
  const pool = moRef('ResourcePool', (await atPath(center, 'DC/host/Cluster/Resources')).value);
  const vms = await Promise.all(
    Array.from({ length: VMS }, async (_, index) => {
      const config = newVmSpec(`far-${index}`, { memoryMB: 32, datastore: datastoreName ?? '' });
      const made = await taskDone(center, center.call(vmFolder, 'CreateVM_Task', { config, pool, host }));
      return moRef('VirtualMachine', (made as MoRef).value);
    }),
  );
  await assertSame(center, near, vms);

  const beforeAll = link.counts.answered;
  await taskDone(center, center.call(host, 'DisconnectHost_Task', {} as never));
  await taskDone(center, center.call(host, 'ReconnectHost_Task', {}));
  const wholeBytes = link.counts.answered - beforeAll;
  // The least of some: every 20 seconds there are statistics too.
  let changeBytes = wholeBytes;
  for (let change = 0; change < CHANGES; change += 1) {
    const beforeOne = link.counts.answered;
    await taskDone(center, center.call(vms[0] as VmRef, 'Rename_Task', { newName: `far-renamed-${change}` }));
    changeBytes = Math.min(changeBytes, link.counts.answered - beforeOne);
  }

  const beforeCuts = link.counts.answered;
  for (let cut = 0; cut < CUTS; cut += 1) {
    const annotation = `written beside vCenter, ${cut}`;
    const there = reconfigure(near, await localVm(near, 'far-1'), { annotation });
    const here = vms.slice(2).map((vm) => rename(center, vm, `${vm.value}-${cut}`));
    link.cut();
    await Promise.all([there, ...here]);
    const written = async () => (await center.get(vms[1] as VmRef, 'config'))?.annotation === annotation;
    await waitFor('what was changed on the host meanwhile', written);
  }
  const cutBytes = link.counts.answered - beforeCuts;
  await waitFor('both to say the same', () => isSame(center, near, vms));
  console.log(JSON.stringify({ wholeBytes, changeBytes, cutBytes, ...link.counts }));
  assert.ok(changeBytes * 4 < wholeBytes, `${changeBytes} bytes for one change, ${wholeBytes} for everything`);
  assert.ok(link.counts.resets === 0 && link.counts.connections > CUTS);
  assert.deepEqual(await losses(center, host), [], 'a connection that is cut is no host that is lost');

  await Promise.all(vms.map((vm) => destroy(center, vm)));
  await taskDone(center, center.call(host, 'DisconnectHost_Task', {} as never));
}

/** A client beside the host, by its own administrator. */
export async function connectTo(hostDir: string, port: number): Promise<VimClient & AsyncDisposable> {
  const certificate = await readFile(join(hostDir, 'ssl', 'rui.crt'), 'utf8');
  const client = new VimClient({ url: `https://127.0.0.1:${port}`, trust: { certificate } });
  const { userName, password } = await credentialsOf(hostDir);
  await client.login(userName, password);
  return Object.assign(client, {
    async [Symbol.asyncDispose]() {
      await client.logout().catch(() => undefined);
      client.close();
    },
  });
}

async function credentialsOf(hostDir: string): Promise<{ readonly userName: string; readonly password: string }> {
  return JSON.parse(await readFile(join(hostDir, 'credentials.json'), 'utf8')) as {
    userName: string;
    password: string;
  };
}

async function addHost(center: VimClient, hostDir: string, hostName: string, port: number) {
  const cluster = moRef('ClusterComputeResource', (await atPath(center, 'DC/host/Cluster')).value);
  const { fingerprint } = new X509Certificate(await readFile(join(hostDir, 'ssl', 'rui.crt')));
  const account = await credentialsOf(hostDir);
  const spec = make('HostConnectSpec', { hostName, port, sslThumbprint: fingerprint, ...account, force: false });
  const added = await taskDone(center, center.call(cluster, 'AddHost_Task', { spec, asConnected: true }));
  return moRef('HostSystem', (added as MoRef).value);
}

async function atPath(center: VimClient, inventoryPath: string): Promise<MoRef> {
  const { searchIndex } = await center.content();
  assert.ok(searchIndex);
  const found = await center.call(searchIndex, 'FindByInventoryPath', { inventoryPath });
  assert.ok(found, inventoryPath);
  return found as MoRef;
}

async function localVm(near: VimClient, name: string): Promise<VmRef> {
  const vm = (await listVms(near)).get(name);
  assert.ok(vm, name);
  return vm;
}

/** It may be cut off in the middle: then nobody knows, and the inventory has to tell. */
async function rename(center: VimClient, vm: VmRef, newName: string): Promise<void> {
  try {
    await taskDone(center, center.call(vm, 'Rename_Task', { newName }));
    assert.equal(await center.get(vm, 'name'), newName);
  } catch (error) {
    if (!isFault(error, 'HostCommunication')) throw error;
  }
}

/** Names and annotations of the VMs, by instance UUID. */
async function isSame(center: VimClient, near: VimClient, vms: readonly VmRef[]): Promise<boolean> {
  const [shown, real] = await Promise.all([describe(center, vms), describe(near, [...(await listVms(near)).values()])]);
  return isDeepStrictEqual(shown, real);
}

async function assertSame(center: VimClient, near: VimClient, vms: readonly VmRef[]): Promise<void> {
  assert.deepEqual(await describe(center, vms), await describe(near, [...(await listVms(near)).values()]));
}

async function describe(client: VimClient, vms: readonly VmRef[]): Promise<Record<string, unknown>> {
  const entries = await Promise.all(
    vms.map(async (vm) => {
      const config = await client.get(vm, 'config');
      return [config?.instanceUuid ?? '', [config?.name, config?.annotation, await client.get(vm, 'name')]] as const;
    }),
  );
  return Object.fromEntries(entries.toSorted(([a], [b]) => a.localeCompare(b)));
}

async function losses(center: VimClient, host: MoRef<'HostSystem'>) {
  const { eventManager } = await center.content();
  assert.ok(eventManager);
  const filter = make('EventFilterSpec', {
    entity: make('EventFilterSpecByEntity', { entity: host, recursion: 'self' }),
    eventTypeId: ['HostConnectionLostEvent', 'vim.event.HostConnectionLostEvent'],
  });
  return (await center.call(moRef('EventManager', eventManager.value), 'QueryEvents', { filter })) ?? [];
}
