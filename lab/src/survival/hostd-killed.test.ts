// kill -9 of hostd at random moments, also in the middle of changes: guests run on, the next hostd takes them over, nothing
// acknowledged is lost and nothing half made stays.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { VimClient } from '@vivarium/client';
import { isA } from '@vivarium/vim';
import {
  added,
  createVm,
  destroy,
  disk,
  findVm,
  guestAddress,
  guestUptime,
  listVms,
  powerOff,
  powerOn,
  powerState,
  reconfigure,
  scsiController,
  suspend,
  vmxnet3,
} from '../testing/lab-vm.ts';
import { listQemus } from '../testing/machine-traces.ts';
import { labSeed, seededRandom } from '../testing/random.ts';
import { needsRoot, useLabHost } from '../testing/use-lab-host.ts';
import { assertWhole } from './wholeness.ts';

/** Kills of hostd per kind of change. */
const ROUNDS = 2;
/** The aim is 2 s on a machine of its own; this one also boots guests and runs tests. */
const READY_MS = 10_000;

interface Change {
  readonly name: string;
  /** Brings the VM `target` (off, one disk, one NIC) into the state that the change begins with. */
  prepare?(client: VimClient): Promise<unknown>;
  run(client: VimClient): Promise<unknown>;
  /** Whether it has happened; throws when it has happened by half. */
  isDone(client: VimClient): Promise<boolean>;
}

const target = (client: VimClient) => findVm(client, 'target');
const disksOf = async (client: VimClient) =>
  ((await client.get(await target(client), 'config'))?.hardware.device ?? []).filter((device) =>
    isA('VirtualDisk', device),
  );
const newDisks = [added(scsiController()), disk({ sizeMB: 8 }), disk({ sizeMB: 16 }, 1)];

const changes: readonly Change[] = [
  {
    name: 'CreateVM',
    run: (client) => createVm(client, 'made', { spec: { deviceChange: [...newDisks, added(vmxnet3())] } }),
    async isDone(client) {
      const made = (await listVms(client)).get('made');
      if (!made) return false;
      const devices = (await client.get(made, 'config'))?.hardware.device ?? [];
      assert.equal(devices.filter((device) => isA('VirtualDisk', device)).length, 2);
      await powerOn(client, made);
      return true;
    },
  },
  {
    name: 'ReconfigVM',
    run: async (client) =>
      reconfigure(client, await target(client), {
        annotation: 'changed',
        memoryMB: 96,
        deviceChange: [disk({ sizeMB: 8 }, 1, 1000)],
      }),
    async isDone(client) {
      const config = await client.get(await target(client), 'config');
      const isDone = config?.annotation === 'changed';
      assert.equal(config?.hardware.memoryMB, isDone ? 96 : 64);
      assert.equal((await disksOf(client)).length, isDone ? 2 : 1);
      return isDone;
    },
  },
  {
    name: 'PowerOnVM',
    run: async (client) => powerOn(client, await target(client)),
    isDone: async (client) => (await powerState(client, await target(client))) === 'poweredOn',
  },
  {
    name: 'PowerOffVM',
    prepare: async (client) => powerOn(client, await target(client)),
    run: async (client) => powerOff(client, await target(client)),
    isDone: async (client) => (await powerState(client, await target(client))) === 'poweredOff',
  },
  {
    name: 'SuspendVM',
    prepare: async (client) => powerOn(client, await target(client)),
    run: async (client) => suspend(client, await target(client)),
    async isDone(client) {
      const vm = await target(client);
      const state = await powerState(client, vm);
      assert.notEqual(state, 'poweredOff', 'a suspended guest is not lost');
      if (state === 'suspended') await powerOn(client, vm);
      return state === 'suspended';
    },
  },
  {
    name: 'Destroy',
    run: async (client) => destroy(client, await target(client)),
    isDone: async (client) => !(await listVms(client)).has('target'),
  },
];

/** As at the beginning: `target` is off, with one disk; `made` is not there. */
async function tidy(client: VimClient): Promise<void> {
  for (const name of ['target', 'made']) {
    const vm = (await listVms(client)).get(name);
    if (!vm) continue;
    if ((await powerState(client, vm)) !== 'poweredOff') await powerOff(client, vm);
    await destroy(client, vm);
  }
  const deviceChange = [added(scsiController()), disk({ sizeMB: 8 }), added(vmxnet3())];
  await createVm(client, 'target', { memoryMB: 64, spec: { deviceChange } });
}

describe('hostd is killed', { skip: needsRoot }, () => {
  const lab = useLabHost();
  const random = seededRandom(labSeed());
  const readyTimes: number[] = [];
  let address = '';

  before(async () => {
    await using client = await lab().connect();
    address = await guestAddress(client, await findVm(client, 'demo'));
    await powerOn(client, await createVm(client, 'bystander', { memoryMB: 32 }));
  });

  after(() => {
    const sorted = readyTimes.toSorted((a, b) => a - b);
    console.log(`hostd served again, guests taken over, after ${sorted.join(', ')} ms (aim: 2000)`);
  });

  /** Kills hostd, looks at the guests, starts it and looks at everything. */
  async function killAndRestart(): Promise<void> {
    const host = lab();
    const uptime = await guestUptime(address);
    await host.killHostd();
    assert.ok((await guestUptime(address)) >= uptime, 'the demo guest runs on while there is no hostd');
    const readyMs = await host.startHostd();
    readyTimes.push(readyMs);
    assert.ok(readyMs < READY_MS, `hostd took ${readyMs} ms`);
    await using client = await host.connect();
    for (const name of ['demo', 'bystander']) {
      assert.equal(await powerState(client, await findVm(client, name)), 'poweredOn', name);
    }
    assert.ok((await guestUptime(address)) >= uptime, 'the demo guest has not been rebooted');
  }

  for (const { name, prepare, run, isDone } of changes) {
    test(`in the middle of ${name}`, async () => {
      const host = lab();
      let durationMs = 0;
      // The first round is not cut short: it tells how long the change takes, and that it works.
      for (let round = 0; round <= ROUNDS; round += 1) {
        const bystanders = await listQemus(host.hostDir);
        const moment = random() * durationMs;
        let isAcknowledged = false;
        {
          await using client = await host.connect();
          await tidy(client);
          await prepare?.(client);
          const began = performance.now();
          const done = run(client).then(
            () => {
              isAcknowledged = true;
              durationMs ||= performance.now() - began;
            },
            (error: unknown) => {
              if (round === 0) throw error;
            },
          );
          if (round > 0) {
            await new Promise((resolve) => setTimeout(resolve, moment));
            await killAndRestart();
          }
          await done;
        }
        const say = round === 0 ? 'not killed' : `killed after ${Math.round(moment)} of ${Math.round(durationMs)} ms`;
        await using client = await host.connect();
        const happened = await isDone(client);
        assert.ok(happened || !isAcknowledged, `${say}: an acknowledged ${name} is lost`);
        await assertWhole(host, client);
        await tidy(client);
        const left = await listQemus(host.hostDir);
        assert.deepEqual(
          left.filter((pid) => bystanders.includes(pid)),
          left,
          `${say}: other VMs keep their process`,
        );
        console.log(`${name}, ${say}: ${happened ? 'done' : 'undone'}${isAcknowledged ? ', acknowledged' : ''}`);
      }
    });
  }
});
