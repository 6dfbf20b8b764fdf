// Control groups of version 2 on a real kernel, whatever the machine of the tests has: the demo guest's kernel is asked to take
// what would be written, in the order in which it would be.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setInterval } from 'node:timers';
import { delay } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { connectGuestAgent } from '../agent/connect.ts';
import { ping } from '../agent/guest-facts.ts';
import { execInGuest } from '../agent/guest-orders.ts';
import { inReverse, own, plainMachine, startMachine, testFolder } from '../test-machine.ts';
import { testGuest, testRuntime } from '../test-runtime.ts';
import { type Group, Layout } from './cgroup-layout.ts';
import { freshValues, planWrites } from './cgroup-steps.ts';

const guest = testGuest();
const skip = (testRuntime() === undefined || guest === undefined) && 'no runtime root and demo guest in the cache';
const BOOT_MS = 120_000;
const ROOT = '/tmp/cg';
const CONTROLLERS = ['cpu', 'memory', 'pids'] as const;
const ENABLE = CONTROLLERS.map((controller) => `+${controller}`).join(' ');

const MB = 2 ** 20;
const first: Group[] = [
  { name: 'pool1', holds: 'groups', limits: { cpuShares: 4096, cpuLimit: 1, guaranteedBytes: 40 * MB } },
  { name: 'pool2', holds: 'groups', limits: { cpuShares: 1024 } },
  {
    ...{ name: 'vm-1', parent: 'pool1', holds: 'processes' },
    limits: { cpuShares: 2, cpuLimit: 0.5, guaranteedBytes: 20 * MB, ceilingBytes: 30 * MB, tasks: 4096 },
  },
];
/** The VM is in another pool, whose limit is less than the VM's was. */
const second: Group[] = [
  { name: 'pool2', holds: 'groups', limits: { cpuShares: 262_144, cpuLimit: 0.1, guaranteedBytes: 20 * MB } },
  { name: 'pool3', parent: 'pool2', holds: 'groups', limits: {} },
  { name: 'vm-1', parent: 'pool3', holds: 'processes', limits: { cpuLimit: 0.05, guaranteedBytes: 20 * MB } },
];

void test('a kernel with control groups of version 2 takes trees of them', {
  skip,
  timeout: 300_000,
}, async (context) => {
  const t = inReverse(context);
  const folders = testFolder(t);
  copyFileSync(guest?.disk ?? '', join(folders.folder, 'disk.raw'));
  own(join(folders.folder, 'disk.raw'));
  const vm = await startMachine(t, bootable(), folders);
  const agent = await connectGuestAgent(join(vm.runFolder, 'agent.sock'), { clock: systemClock, random: systemRandom });
  t.after(() => agent.close());
  await answered(() => ping(agent, 2000));
  const run = async (script: string): Promise<string> => {
    const program = { path: '/bin/sh', args: ['-e', '-c', script], timeoutMs: 30_000 };
    const { exitCode, stdout, stderr } = await execInGuest(agent, program);
    assert.equal(exitCode, 0, `${script}\n${stderr.toString()}`);
    return stdout.toString();
  };
  await run(`mkdir -p ${ROOT}; mount -t cgroup2 none ${ROOT}; echo "${ENABLE}" >${ROOT}/cgroup.subtree_control`);
  await run(`mkdir ${ROOT}/host; echo "${ENABLE}" >${ROOT}/host/cgroup.subtree_control`);

  const hierarchy = { version: 2, folder: `${ROOT}/host`, enabled: CONTROLLERS } as const;
  const layout = new Layout(hierarchy);
  const known = new Map<string, string>();
  const present = new Set<string>();
  const apply = async (groups: readonly Group[]): Promise<void> => {
    const { changed, left } = layout.update(groups);
    for (const { path, holds } of changed) {
      if (present.has(path)) continue;
      await run(`mkdir ${path}${holds === 'groups' ? `; echo "${ENABLE}" >${path}/cgroup.subtree_control` : ''}`);
      for (const [file, value] of freshValues(path)) known.set(file, value);
      present.add(path);
    }
    for (const { file, value } of planWrites(changed, known)) {
      await run(`echo "${value}" >${file}`);
      known.set(file, value);
    }
    for (const path of left) {
      const [home] = layout.foldersOf(path.slice(path.lastIndexOf('/') + 1));
      if (home) await run(`for pid in $(cat ${path}/cgroup.procs); do echo $pid >${home.path}/cgroup.procs; done`);
    }
    for (const { path, values } of changed) {
      for (const [name, value] of Object.entries(values)) {
        assert.equal((await run(`cat ${path}/${name}`)).trim(), value, `${path}/${name}`);
      }
    }
  };
  await apply(first);
  const [home] = layout.foldersOf('vm-1');
  const pid = (await run(`sleep 1000 >/dev/null 2>&1 & echo $! >${home?.path}/cgroup.procs; echo $!`)).trim();
  await apply(second);
  assert.match(await run(`cat /proc/${pid}/cgroup`), /^0::\/host\/pool2\/pool3\/vm-1$/m);
  await run(`rmdir ${ROOT}/host/pool1/vm-1 ${ROOT}/host/pool1`);
});

function bootable() {
  return plainMachine({
    memoryMB: 256,
    controllers: [{ id: 'scsi0', kind: 'pvscsi' }],
    disks: [
      {
        ...{ id: 'disk-2000', controller: 'scsi0', unit: 0, file: 'disk.raw', format: 'raw', backing: [] },
        ...{ readOnly: false, writeThrough: false, discard: true, bootIndex: 1 },
        serial: '6000c29e3d5f4a0b8c7d6e5f4a3b2c10',
      },
    ],
  });
}

/** Asks until there is an answer: the guest boots. */
async function answered(ask: () => Promise<unknown>): Promise<void> {
  const deadline = systemClock.monotonic() + BOOT_MS;
  const awake = setInterval(() => undefined, 1000);
  try {
    for (;;) {
      const isThere = await ask().then(
        () => true,
        () => false,
      );
      if (isThere) return;
      if (systemClock.monotonic() > deadline) throw new Error(`the guest does not answer within ${BOOT_MS} ms`);
      await delay(systemClock, 50);
    }
  } finally {
    clearInterval(awake);
  }
}
