// What must be true of a host whenever nothing is under way: the machine has exactly what the inventory says, and the
// datastore nothing that belongs to no VM.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { VimClient } from '@vivarium/client';
import { isA } from '@vivarium/vim';
import type { LabHost } from '../testing/lab-host.ts';
import { listVms, type VmRef } from '../testing/lab-vm.ts';
import { listQemus, machineTraces, tapNames } from '../testing/machine-traces.ts';
import { waitFor } from '../testing/wait-for.ts';

/** Files that a VM's folder may hold beside those that `layoutEx` lists. */
const BESIDE = /^(vmware(-monitor)?(\.\d+|-\d+)?\.log(\.\d+)?|seed\.iso)$/;

export async function assertWhole(host: LabHost, client: VimClient): Promise<void> {
  const vms = await Promise.all([...(await listVms(client)).values()].map((ref) => readVm(client, ref)));
  const running = vms.filter(({ isOn }) => isOn);
  const ids = running.map(({ id }) => id).sort();

  assert.equal((await listQemus(host.hostDir)).length, running.length, 'QEMU processes');
  assert.equal(
    (await tapNames(host.hostDir)).length,
    running.reduce((sum, { nics }) => sum + nics, 0),
    'taps',
  );
  assert.deepEqual((await readdir(join(host.hostDir, 'run'))).sort(), ids, 'run folders');
  // A group goes a moment after its last process.
  await waitFor(`control groups of ${ids.join(', ')} and no others`, async () => {
    const { controlGroups } = await machineTraces(host.hostDir);
    const names = controlGroups.map((path) => basename(path)).filter((name) => name.startsWith('vm-'));
    return isDeepStrictEqual([...new Set(names)].sort(), ids.map((id) => `vm-${id}`).sort());
  });

  const root = join(host.hostDir, 'datastore1');
  const known = new Set(vms.flatMap(({ files }) => files));
  const hidden = ['.viv-datastore.json', ...ids.map((id) => `.viv-media-${id}`)];
  const strays: string[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(root.length + 1);
    if (hidden.includes(path.split('/')[0] ?? '')) continue;
    const isKnown = entry.isDirectory()
      ? vms.some(({ folder }) => folder === path)
      : known.has(path) || (BESIDE.test(entry.name) && vms.some(({ folder }) => folder === dirname(path)));
    if (!isKnown) strays.push(path);
  }
  assert.deepEqual(strays, [], 'files that belong to no VM');
  const listed = await readdir(root, { recursive: true });
  assert.deepEqual(
    [...known].filter((path) => !listed.includes(path)),
    [],
    'files of VMs that are not there',
  );
}

async function readVm(client: VimClient, ref: VmRef) {
  // What the datastore holds is otherwise looked at a moment later.
  await client.call(ref, 'RefreshStorageInfo', {} as never);
  const [config, layout, runtime] = await Promise.all([
    client.get(ref, 'config'),
    client.get(ref, 'layoutEx'),
    client.get(ref, 'runtime'),
  ]);
  assert.ok(config, `VM ${ref.value} has a configuration`);
  const onFirst = (path: string) => (path.startsWith('[datastore1] ') ? [path.slice('[datastore1] '.length)] : []);
  return {
    id: ref.value,
    isOn: runtime?.powerState === 'poweredOn',
    nics: (config.hardware.device ?? []).filter((device) => isA('VirtualEthernetCard', device)).length,
    folder: onFirst(config.files.vmPathName ?? '').map(dirname)[0],
    files: (layout?.file ?? []).flatMap(({ name }) => onFirst(name)),
  };
}
