// Virtual machines for tests, made and steered through the API alone, by our own client.
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import type { VimClient } from '@vivarium/client';
import { createSeedIso, ensureDemoGuest, type Seed } from '@vivarium/guests';
import { ensureRuntime } from '@vivarium/qemu';
import {
  isFault,
  type MoRef,
  make,
  moRef,
  type VirtualDevice,
  type VirtualDeviceConfigSpec,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { labCache } from './lab-cache.ts';
import { waitFor } from './wait-for.ts';

export type VmRef = ReturnType<typeof moRef<'VirtualMachine'>>;

const DATACENTER = moRef('Datacenter', 'ha-datacenter');
const POOL = moRef('ResourcePool', 'ha-root-pool');
/** What the generated types ask of empty arguments. */
const NONE = {} as never;

export interface VmOptions {
  readonly datastore?: string;
  readonly memoryMB?: number;
  readonly devices?: readonly VirtualDevice[];
  readonly spec?: Partial<VirtualMachineConfigSpec>;
}

/** Waits for the task that a call answered. */
export async function taskDone(client: VimClient, task: Promise<MoRef<'Task'>>): Promise<unknown> {
  return client.waitForTask(await task);
}

export function newVmSpec(name: string, options: VmOptions = {}): VirtualMachineConfigSpec {
  return make('VirtualMachineConfigSpec', {
    name,
    guestId: 'debian12_64Guest',
    numCPUs: 1,
    memoryMB: options.memoryMB ?? 128,
    files: make('VirtualMachineFileInfo', { vmPathName: `[${options.datastore ?? 'datastore1'}]` }),
    deviceChange: (options.devices ?? []).map(added),
    ...options.spec,
  });
}

export function added(device: VirtualDevice): VirtualDeviceConfigSpec {
  return make('VirtualDeviceConfigSpec', { operation: 'add', device });
}

export async function createVm(client: VimClient, name: string, options: VmOptions = {}): Promise<VmRef> {
  const config = newVmSpec(name, options);
  const vmFolder = moRef('Folder', 'ha-folder-vm');
  const made = (await taskDone(client, client.call(vmFolder, 'CreateVM_Task', { config, pool: POOL }))) as VmRef;
  return moRef('VirtualMachine', made.value);
}

/** Every VM of the host by name. */
export async function listVms(client: VimClient): Promise<Map<string, VmRef>> {
  const refs = (await client.get(moRef('Folder', 'ha-folder-vm'), 'childEntity')) ?? [];
  const vms = refs.map((ref) => moRef('VirtualMachine', ref.value));
  return new Map(await Promise.all(vms.map(async (vm) => [String(await client.get(vm, 'name')), vm] as const)));
}

export async function findVm(client: VimClient, name: string): Promise<VmRef> {
  const vm = (await listVms(client)).get(name);
  if (!vm) throw new Error(`the host has no VM ${name}`);
  return vm;
}

export const powerOn = (client: VimClient, vm: VmRef) => taskDone(client, client.call(vm, 'PowerOnVM_Task', {}));
export const powerOff = (client: VimClient, vm: VmRef) => taskDone(client, client.call(vm, 'PowerOffVM_Task', NONE));
export const suspend = (client: VimClient, vm: VmRef) => taskDone(client, client.call(vm, 'SuspendVM_Task', NONE));
export const destroy = (client: VimClient, vm: VmRef) => taskDone(client, client.call(vm, 'Destroy_Task', NONE));

export function reconfigure(client: VimClient, vm: VmRef, spec: Partial<VirtualMachineConfigSpec>): Promise<unknown> {
  return taskDone(client, client.call(vm, 'ReconfigVM_Task', { spec: make('VirtualMachineConfigSpec', spec) }));
}

export async function powerState(client: VimClient, vm: VmRef): Promise<string | undefined> {
  return (await client.get(vm, 'runtime'))?.powerState;
}

export function scsiController(key = -1): VirtualDevice {
  return make('ParaVirtualSCSIController', { key, busNumber: 0, sharedBus: 'noSharing' });
}

/** A new thin disk of `sizeMB` on `datastore`, or the disk that is at `file` already. */
export function disk(
  where: { readonly datastore?: string; readonly sizeMB: number } | { readonly file: string },
  unitNumber = 0,
  controllerKey = -1,
): VirtualDeviceConfigSpec {
  const isNew = 'sizeMB' in where;
  return make('VirtualDeviceConfigSpec', {
    operation: 'add',
    fileOperation: isNew ? 'create' : undefined,
    device: make('VirtualDisk', {
      key: -10 - unitNumber,
      controllerKey,
      unitNumber,
      capacityInKB: isNew ? where.sizeMB * 1024 : 0,
      backing: make('VirtualDiskFlatVer2BackingInfo', {
        fileName: isNew ? (where.datastore ? `[${where.datastore}]` : '') : where.file,
        diskMode: 'persistent',
        thinProvisioned: isNew ? true : undefined,
      }),
    }),
  });
}

export function vmxnet3(key = -30): VirtualDevice {
  return make('VirtualVmxnet3', {
    key,
    addressType: 'generated',
    backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName: 'VM Network' }),
    connectable: make('VirtualDeviceConnectInfo', { startConnected: true, allowGuestControl: true, connected: true }),
  });
}

export interface GuestVmOptions {
  readonly datastore?: string;
  readonly memoryMB?: number;
  readonly seed?: Partial<Seed>;
  /** Further devices. */
  readonly devices?: readonly VirtualDeviceConfigSpec[];
}

/** A VM with a copy of the demo guest's disk and a seed that opens `runInGuest`. Powered off. */
export async function createGuestVm(client: VimClient, name: string, options: GuestVmOptions = {}): Promise<VmRef> {
  const { datastore = 'datastore1', memoryMB = 192 } = options;
  const common = { cacheDir: labCache(), clock: systemClock, log: silentLogger, progress: () => undefined };
  const [runtime, guest] = await Promise.all([ensureRuntime(common), ensureDemoGuest(common)]);
  const folder = `[${datastore}] ${name}`;
  await makeFolder(client, folder);
  await uploadDisk(client, guest.disk, datastore, `${name}/${name}`);
  const work = await mkdtemp(join(tmpdir(), 'vivseed-'));
  try {
    const iso = join(work, 'seed.iso');
    const seed = {
      instanceId: name,
      hostname: name,
      ...options.seed,
      commands: [OPEN_SHELL, ...(options.seed?.commands ?? [])],
    };
    await createSeedIso(iso, seed, { runtime });
    const place = { datacenter: DATACENTER.value, datastore, path: `${name}/seed.iso` };
    await client.upload(place, createReadStream(iso), (await stat(iso)).size);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return createVm(client, name, {
    datastore,
    memoryMB,
    spec: {
      files: make('VirtualMachineFileInfo', { vmPathName: `${folder}/${name}.vmx` }),
      deviceChange: [
        added(scsiController()),
        disk({ file: `${folder}/${name}.vmdk` }),
        added(cdrom(`${folder}/seed.iso`)),
        added(vmxnet3()),
        ...(options.devices ?? []),
      ],
    },
  });
}

export function cdrom(isoPath: string): VirtualDevice {
  return make('VirtualCdrom', {
    key: -40,
    controllerKey: 200,
    unitNumber: 0,
    backing: make('VirtualCdromIsoBackingInfo', { fileName: isoPath }),
    connectable: make('VirtualDeviceConnectInfo', { startConnected: true, allowGuestControl: true, connected: true }),
  });
}

export async function makeFolder(client: VimClient, name: string): Promise<void> {
  const { fileManager } = await client.content();
  if (!fileManager) throw new Error('the host has no FileManager');
  const args = { name, datacenter: DATACENTER, createParentDirectories: true };
  await client.call(fileManager, 'MakeDirectory', args).catch((error: unknown) => {
    if (!isFault(error, 'FileAlreadyExists')) throw error;
  });
}

/** Makes `[datastore] stem.vmdk` out of a raw image of this machine. */
export async function uploadDisk(client: VimClient, image: string, datastore: string, stem: string): Promise<void> {
  const { virtualDiskManager } = await client.content();
  if (!virtualDiskManager) throw new Error('the host has no VirtualDiskManager');
  const { size } = await stat(image);
  const creation = client.call(virtualDiskManager, 'CreateVirtualDisk_Task', {
    name: `[${datastore}] ${stem}.vmdk`,
    datacenter: DATACENTER,
    spec: make('FileBackedVirtualDiskSpec', {
      diskType: 'preallocated',
      adapterType: 'lsiLogic',
      capacityKb: size / 1024,
    }),
  });
  await taskDone(client, creation);
  const place = { datacenter: DATACENTER.value, datastore, path: `${stem}-flat.vmdk` };
  await client.upload(place, createReadStream(image), size);
}

/** The address that the guest's agent reports; waits for it. */
export function guestAddress(client: VimClient, vm: VmRef, timeoutMs = 120_000): Promise<string> {
  return waitFor(`an IP address of ${vm.value}`, async () => (await client.get(vm, 'guest'))?.ipAddress, timeoutMs);
}

/** Seconds that the guest says it has been up; waits until its web page answers. */
export function guestUptime(address: string, timeoutMs = 60_000): Promise<number> {
  return waitFor(
    `the web page of the guest at ${address}`,
    async () => {
      const page = await fetchText(`http://${address}/cgi-bin/index.cgi`).catch(() => '');
      const uptime = /^uptime: ([\d.]+)/m.exec(page)?.[1];
      return uptime === undefined ? undefined : Number(uptime);
    },
    timeoutMs,
  );
}

// The web server runs what is posted to it.
const OPEN_SHELL = [
  `printf '%s\\n' '#!/bin/sh' 'printf "Content-Type: text/plain\\r\\n\\r\\n"' 'exec sh 2>&1' >/srv/www/cgi-bin/shell`,
  'chmod 755 /srv/www/cgi-bin/shell',
].join(' && ');

/** Waits until `runInGuest` works in a guest made by `createGuestVm`. */
export async function guestShell(address: string, timeoutMs = 60_000): Promise<void> {
  const hello = () =>
    runInGuest(address, 'true', 5000).then(
      () => true,
      () => false,
    );
  await waitFor(`the shell of the guest at ${address}`, hello, timeoutMs);
}

/** Runs shell commands as root in the guest; what they print. Throws when the last one fails. */
export async function runInGuest(address: string, script: string, timeoutMs = 60_000): Promise<string> {
  const body = `${script}\necho "ended $?"\n`;
  const said = await fetchText(`http://${address}/cgi-bin/shell`, { body, timeoutMs });
  const end = said.lastIndexOf('ended ');
  if (said.slice(end).trim() !== 'ended 0') throw new Error(`in the guest:\n${script}\n${said}`);
  return said.slice(0, end);
}

// A connection of its own: one that was open before a guest was suspended is of no use afterwards.
function fetchText(url: string, post?: { readonly body: string; readonly timeoutMs: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(post?.timeoutMs ?? 2000);
    const outgoing = request(url, { method: post ? 'POST' : 'GET', agent: false, signal }, (incoming) => {
      text(incoming).then((body) => resolve(incoming.statusCode === 200 ? body : ''), reject);
    });
    outgoing.on('error', reject);
    outgoing.end(post?.body);
  });
}
