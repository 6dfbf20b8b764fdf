// Resource pools that are really enforced: busy guests that compete for one processor get it by their pools' shares, a limit
// holds, a guest gives memory back, and all of it while they run, and after hostd was killed.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import type { VimClient } from '@vivarium/client';
import { make, moRef, type ResourceAllocationInfo } from '@vivarium/vim';
import {
  createGuestVm,
  guestAddress,
  guestShell,
  powerOn,
  reconfigure,
  runInGuest,
  type VmRef,
} from '../testing/lab-vm.ts';
import { run, runOk } from '../testing/run.ts';
import { needsRoot, useLabHost } from '../testing/use-lab-host.ts';
import { cpuLoads, vmPid } from '../testing/vm-process.ts';
import { waitFor } from '../testing/wait-for.ts';

type PoolRef = ReturnType<typeof moRef<'ResourcePool'>>;

const ROOT = moRef('ResourcePool', 'ha-root-pool');
/** Long enough that the scheduler's turns even out. */
const WINDOW_S = 8;
/** Of one processor: so little that a guest gets more of it on a machine that is busy with other things, too. */
const LIMIT = 0.05;

const allocation = (given: Partial<ResourceAllocationInfo> = {}, shares = 4000) =>
  make('ResourceAllocationInfo', {
    ...{ reservation: 0, limit: -1, expandableReservation: true },
    shares: make('SharesInfo', { level: 'custom', shares }),
    ...given,
  });

const shares = (number: number) =>
  make('ResourceConfigSpec', { cpuAllocation: allocation({}, number), memoryAllocation: allocation() });

const limit = (mhz: number) =>
  make('ResourceConfigSpec', {
    cpuAllocation: make('ResourceAllocationInfo', { limit: mhz }),
    memoryAllocation: make('ResourceAllocationInfo', {}),
  });

async function createPool(client: VimClient, name: string, spec = shares(4000), parent: PoolRef = ROOT) {
  const { value } = await client.call(parent, 'CreateResourcePool', { name, spec });
  return moRef('ResourcePool', value);
}

const update = (client: VimClient, pool: PoolRef, config: ReturnType<typeof shares>) =>
  client.call(pool, 'UpdateConfig', { config });

const move = (client: VimClient, vm: VmRef, pool: PoolRef) => client.call(pool, 'MoveIntoResourcePool', { list: [vm] });

/** All threads on one and the same processor, as those that come. */
async function pin(pid: number): Promise<void> {
  await runOk('taskset', ['--all-tasks', '--cpu-list', '--pid', '0', String(pid)]);
}

/** Below the host's own group, in the hierarchy of processors. */
async function groupOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cgroup`, 'utf8');
  const path = /^(?:\d+:(?:[^:]*,)?cpu(?:,[^:]*)?|0:):.*\/vivarium\/[^/]+\/(.*)$/m.exec(text)?.[1];
  assert.ok(path, text);
  return path;
}

const hasTaskset = (await run('taskset', ['--version']).catch(() => undefined))?.code === 0;

describe('resource pools', { skip: needsRoot || (hasTaskset ? false : 'not run: there is no taskset') }, () => {
  const host = useLabHost();
  const guests: { readonly vm: VmRef; readonly address: string; readonly pid: number }[] = [];
  const pools: PoolRef[] = [];

  test('two guests are kept busy, each in a pool of its own', async () => {
    await using client = await host().connect();
    for (const [index, name] of ['small', 'large'].entries()) {
      pools.push(await createPool(client, name, shares(index === 0 ? 1000 : 4000)));
      const vm = await createGuestVm(client, name);
      await move(client, vm, pools[index] ?? ROOT);
      await powerOn(client, vm);
      const address = await guestAddress(client, vm);
      await guestShell(address);
      guests.push({ vm, address, pid: await vmPid(host(), vm) });
    }
    for (const { address, pid } of guests) {
      await runInGuest(address, 'sh -c "while :; do :; done" >/dev/null 2>&1 &');
      await pin(pid);
    }
    for (const [index, { pid, vm }] of guests.entries()) {
      assert.equal(await groupOf(pid), `${pools[index]?.value}/vm-${vm.value}`);
    }
  });

  const loads = () =>
    cpuLoads(
      guests.map(({ pid }) => pid),
      WINDOW_S,
    );

  test('shares of 1 to 4 are about that when both want all', async (t) => {
    const [small = 0, large = 0] = await loads();
    t.diagnostic(`${small.toFixed(3)} and ${large.toFixed(3)} of a processor: 1 to ${(large / small).toFixed(2)}`);
    assert.ok(large / small > 2.5 && large / small < 6.5, `1 to ${large / small}`);
  });

  test('another number of shares counts at once', async (t) => {
    await using client = await host().connect();
    await update(client, pools[0] ?? ROOT, shares(16_000));
    const [first = 0, second = 0] = await loads();
    t.diagnostic(`${first.toFixed(3)} and ${second.toFixed(3)} of a processor: ${(first / second).toFixed(2)} to 1`);
    assert.ok(first / second > 2.5, `${first / second} to 1`);
  });

  test('a reservation is more than the shares would give', async (t) => {
    await using client = await host().connect();
    const info = await client.get(moRef('HostSystem', 'ha-host'), 'hardware');
    const mhz = Math.round((info?.cpuInfo.hz ?? 0) / 1e6);
    const cores = info?.cpuInfo.numCpuCores ?? 1;
    await update(client, pools[0] ?? ROOT, shares(4000));
    await update(client, pools[1] ?? ROOT, shares(4000));
    // Of what all processors have; here they compete for one, where weights say the same.
    const reservation = Math.floor(mhz * cores * 0.8);
    const second = guests[1]?.vm ?? assert.fail();
    await reconfigure(client, second, { cpuAllocation: make('ResourceAllocationInfo', { reservation }) });
    const [less = 0, more = 0] = await loads();
    t.diagnostic(`${less.toFixed(3)} and ${more.toFixed(3)} of a processor: 1 to ${(more / less).toFixed(2)}`);
    assert.ok(more / less > 2.5, `1 to ${more / less}`);
    await reconfigure(client, second, { cpuAllocation: make('ResourceAllocationInfo', { reservation: 0 }) });
  });

  test('a limit holds, whoever else is idle, and hostd that was killed finds it so', async (t) => {
    await using client = await host().connect();
    const info = await client.get(moRef('HostSystem', 'ha-host'), 'hardware');
    const mhz = Math.round((info?.cpuInfo.hz ?? 0) / 1e6);
    await update(client, pools[0] ?? ROOT, limit(Math.round(mhz * LIMIT)));
    const check = async () => {
      const [limited = 0, free = 0] = await loads();
      t.diagnostic(`${limited.toFixed(3)} of a processor with a limit of ${LIMIT}, ${free.toFixed(3)} without`);
      assert.ok(limited < LIMIT * 1.3 && limited < free / 1.5, `${limited} and ${free} of a processor`);
    };
    await check();
    await host().killHostd();
    await check();
    await host().startHostd();
    await using next = await host().connect();
    await check();
    assert.equal((await next.get(pools[0] ?? ROOT, 'config'))?.cpuAllocation.limit, Math.round(mhz * LIMIT));
  });

  test('a guest that runs moves out of the limit, and takes its process along', async (t) => {
    await using client = await host().connect();
    const [guest] = guests;
    assert.ok(guest);
    const inner = await createPool(client, 'inner', shares(64_000), pools[1]);
    await move(client, guest.vm, inner);
    assert.equal(await groupOf(guest.pid), `${pools[1]?.value}/${inner.value}/vm-${guest.vm.value}`);
    const [first = 0, second = 0] = await loads();
    t.diagnostic(`${first.toFixed(3)} of a processor without the limit`);
    assert.ok(first > second, `${first} and ${second}`);
    // And out of the pool, when that goes.
    await client.waitForTask(await client.call(inner, 'Destroy_Task', {} as never));
    assert.equal(await groupOf(guest.pid), `${pools[1]?.value}/vm-${guest.vm.value}`);
    assert.equal((await client.get(guest.vm, 'resourcePool'))?.value, pools[1]?.value);
  });

  test('a guest gives memory back for its limit, and gets it again', async () => {
    await using client = await host().connect();
    const [guest] = guests;
    assert.ok(guest);
    const ballooned = async () => (await client.get(guest.vm, 'summary'))?.quickStats.balloonedMemory ?? 0;
    const config = (await client.get(guest.vm, 'config')) ?? assert.fail();
    const { memoryMB } = config.hardware;
    await reconfigure(client, guest.vm, {
      memoryAllocation: make('ResourceAllocationInfo', { limit: memoryMB - 48 }),
    });
    // Figures are taken every 20 seconds.
    await waitFor('the guest to give back 48 MB', async () => (await ballooned()) === 48, 120_000);
    assert.equal((await client.get(guest.vm, 'runtime'))?.maxMemoryUsage, memoryMB - 48);
    await reconfigure(client, guest.vm, { memoryAllocation: make('ResourceAllocationInfo', { limit: -1 }) });
    await waitFor('the guest to have them again', async () => (await ballooned()) === 0, 120_000);
  });
});
