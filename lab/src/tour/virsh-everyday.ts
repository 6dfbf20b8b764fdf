// Everyday work with virsh, of a host (esx://) and of a vCenter (vpx://): libvirt's own driver, unmodified.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VimClient } from '@vivarium/client';
import { type MoRef, make } from '@vivarium/vim';
import { taskDone } from '../testing/lab-vm.ts';
import { run } from '../testing/run.ts';

export interface VirshEndpoint {
  readonly scheme: 'esx' | 'vpx';
  /** Of the URI: datacenter, cluster and host of a vCenter. */
  readonly path: string;
  readonly url: string;
  readonly userName: string;
  readonly password: string;
  /** For files of the test. */
  readonly stateDir: string;
  /** For what virsh cannot do: making a disk. */
  readonly client: VimClient;
  readonly datacenter: MoRef<'Datacenter'>;
}

/** The host has the demo VM running, and datastore1. Leaves everything as it was. */
export async function virshEveryday(endpoint: VirshEndpoint): Promise<void> {
  const { stateDir, client, datacenter } = endpoint;
  const virsh = await openVirsh(endpoint);
  assert.match(await virsh('list', '--all'), /demo +running/);
  assert.match(await virsh('dominfo', 'demo'), /Max memory: +262144 KiB/);
  assert.match(await virsh('dumpxml', 'demo'), /<model type='vmxnet3'\/>/);
  const picture = join(stateDir, 'screen.png');
  assert.match(await virsh('screenshot', 'demo', picture), /image\/png/);
  assert.equal((await readFile(picture)).subarray(1, 4).toString('latin1'), 'PNG');
  await virsh('destroy', 'demo');
  assert.match(await virsh('list', '--all'), /demo +shut off/);
  await virsh('start', 'demo');
  assert.match(await virsh('list', '--all'), /demo +running/);
  assert.match(await virsh('vol-list', 'datastore1'), /\[datastore1\] demo\/demo\.vmdk/);
  assert.match(await virsh('net-list', '--all'), /vSwitch0 +active/);

  await makeDisk(client, datacenter, 'defined/defined.vmdk');
  const file = join(stateDir, 'defined.xml');
  await writeFile(file, DOMAIN);
  await virsh('define', file);
  assert.match(await virsh('dominfo', 'defined'), /State: +shut off\n[\s\S]*Max memory: +131072 KiB/);
  await virsh('start', 'defined');
  await virsh('suspend', 'defined');
  await virsh('resume', 'defined');
  assert.equal((await virsh('domstate', 'defined')).trim(), 'running');
  await virsh('destroy', 'defined');
  const described = await virsh('dumpxml', 'defined');
  for (const element of [
    /<controller type='scsi' index='0' model='vmpvscsi'\/>/,
    /<source file='\[datastore1\] defined\//,
  ])
    assert.match(described, element);
  await virsh('undefine', 'defined');
  assert.doesNotMatch(await virsh('list', '--all'), /defined/);
}

async function openVirsh({ scheme, path, url, userName, password, stateDir }: VirshEndpoint) {
  const auth = join(stateDir, 'virsh-auth.conf');
  const credentials = `[credentials-lab]\nusername=${userName}\npassword=${password}\n`;
  await writeFile(auth, `${credentials}[auth-esx-127.0.0.1]\ncredentials=lab\n`, { mode: 0o600 });
  const user = encodeURIComponent(userName);
  const uri = `${scheme}://${user}@127.0.0.1:${new URL(url).port}/${path}?no_verify=1`;
  return async (...args: string[]): Promise<string> => {
    const result = await run('virsh', ['-c', uri, ...args], { env: { LIBVIRT_AUTH_FILE: auth } });
    assert.equal(result.code, 0, `virsh ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  };
}

async function makeDisk(client: VimClient, datacenter: MoRef<'Datacenter'>, path: string): Promise<void> {
  const { virtualDiskManager, fileManager } = await client.content();
  assert.ok(virtualDiskManager && fileManager);
  const folder = `[datastore1] ${path.slice(0, path.lastIndexOf('/'))}`;
  await client.call(fileManager, 'MakeDirectory', { name: folder, datacenter });
  const spec = make('FileBackedVirtualDiskSpec', { diskType: 'thin', adapterType: 'lsiLogic', capacityKb: 16_384 });
  const args = { name: `[datastore1] ${path}`, datacenter, spec };
  await taskDone(client, client.call(virtualDiskManager, 'CreateVirtualDisk_Task', args));
}

const DOMAIN = `<domain type='vmware'>
  <name>defined</name>
  <memory unit='KiB'>131072</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
  <devices>
    <controller type='scsi' index='0' model='vmpvscsi'/>
    <disk type='file' device='disk'>
      <source file='[datastore1] defined/defined.vmdk'/>
      <target dev='sda' bus='scsi'/>
    </disk>
    <interface type='bridge'>
      <source bridge='VM Network'/>
      <model type='vmxnet3'/>
    </interface>
  </devices>
</domain>
`;
