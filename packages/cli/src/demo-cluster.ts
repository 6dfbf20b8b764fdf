// The cluster that `viv up` makes, through vCenter's public API alone: a datacenter, a cluster, the hosts, the demo VM in its
// folder. Each step finds what an earlier run has done.

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VimClient } from '@vivarium/client';
import { type MoRef, make, moRef } from '@vivarium/vim';
import type { Step } from './progress.ts';
import { findCredentials, type Instance } from './state.ts';

export const DATACENTER = 'DC';
export const CLUSTER = 'Cluster';
const DEMO_VM = 'demo';

export interface ClusterHost {
  readonly instance: Instance;
  readonly port: number;
}

export async function ensureCluster(client: VimClient, hosts: readonly ClusterHost[], step: Step): Promise<void> {
  const { rootFolder } = await client.content();
  step.update('making the datacenter and the cluster');
  const datacenter =
    (await findChild(client, rootFolder as MoRef, 'Datacenter', DATACENTER)) ??
    (await client.call(rootFolder, 'CreateDatacenter', { name: DATACENTER }));
  const hostFolder = await client.get(datacenter as MoRef<'Datacenter'>, 'hostFolder');
  if (!hostFolder) throw new Error('the datacenter has no folder for hosts');
  const spec = make('ClusterConfigSpecEx', {
    drsConfig: make('ClusterDrsConfigInfo', { enabled: true, defaultVmBehavior: 'fullyAutomated', vmotionRate: 3 }),
  });
  const cluster = ((await findChild(client, hostFolder as MoRef, 'ClusterComputeResource', CLUSTER)) ??
    (await client.call(hostFolder, 'CreateClusterEx', { name: CLUSTER, spec }))) as MoRef<'ClusterComputeResource'>;
  const present = new Set<string>();
  for (const host of (await client.get(cluster, 'host')) ?? []) present.add((await client.get(host, 'name')) ?? '');
  for (const host of hosts) {
    const name = nameInCenter(host.instance);
    if (present.has(name)) continue;
    step.update(`adding ${host.instance.name} to the cluster`);
    await addHost(client, cluster, host, name);
  }
}

/** Out of the folder for VMs that were found, into the datacenter's own. */
export async function placeDemoVm(client: VimClient): Promise<void> {
  const { rootFolder, searchIndex } = await client.content();
  const datacenter = await findChild(client, rootFolder as MoRef, 'Datacenter', DATACENTER);
  const vmFolder = datacenter && (await client.get(datacenter as MoRef<'Datacenter'>, 'vmFolder'));
  if (!vmFolder || !searchIndex) return;
  const inventoryPath = `${DATACENTER}/vm/Discovered virtual machine/${DEMO_VM}`;
  const found = await client.call(searchIndex, 'FindByInventoryPath', { inventoryPath });
  if (!found) return;
  await client.waitForTask(await client.call(vmFolder, 'MoveIntoFolder_Task', { list: [found] }));
}

/** Names below .localhost lead to this machine; the port tells the hosts apart. */
function nameInCenter({ name }: Instance): string {
  return `${name}.localhost`;
}

async function addHost(
  client: VimClient,
  cluster: MoRef<'ClusterComputeResource'>,
  { instance, port }: ClusterHost,
  name: string,
): Promise<void> {
  const credentials = await findCredentials(instance);
  if (!credentials) throw new Error(`the credentials of ${instance.name} are not there`);
  const certificate = new X509Certificate(await readFile(join(instance.stateDir, 'ssl', 'rui.crt')));
  const spec = make('HostConnectSpec', {
    hostName: name,
    port,
    sslThumbprint: certificate.fingerprint,
    userName: credentials.userName,
    password: credentials.password,
    force: false,
  });
  await client.waitForTask(await client.call(cluster, 'AddHost_Task', { spec, asConnected: true }));
}

async function findChild(client: VimClient, folder: MoRef, type: string, name: string): Promise<MoRef | undefined> {
  const { searchIndex } = await client.content();
  if (!searchIndex) throw new Error('vCenter has no SearchIndex');
  const found = await client.call(searchIndex, 'FindChild', { entity: folder as MoRef<'Folder'>, name });
  return found?.type === type ? (moRef(type as 'Folder', found.value) as MoRef) : undefined;
}
