// A host behind 150 ms of round trip and 1 % loss, whose connections are now and then reset or fall silent: our client's stream
// of updates stays right, and its tasks end as they ended.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { ConnectionLost, type StreamEvent, TaskFollower, TaskLost, VimClient } from '@vivarium/client';
import { isA, make, moRef, unbox } from '@vivarium/vim';
import type { LabHost } from '../testing/lab-host.ts';
import { createVm, destroy, listVms, newVmSpec, powerState, type VmRef } from '../testing/lab-vm.ts';
import { labSeed, seededRandom } from '../testing/random.ts';
import { openSlowLink, type SlowLink } from '../testing/slow-link.ts';
import { useLabHost } from '../testing/use-lab-host.ts';
import { waitFor } from '../testing/wait-for.ts';

const ROUND_TRIP_MS = 150;
const VMS = 12;
const OPERATIONS = 40;
const POOL = moRef('ResourcePool', 'ha-root-pool');
const FOLDER = moRef('Folder', 'ha-folder-vm');

describe('a host that is far away', () => {
  const lab = useLabHost();

  test('many tasks at once end within few round trips, each after what it changed', async () => {
    await using link = await farFrom(lab(), labSeed());
    await using world = await follow(lab(), link);
    const { tasks, picture } = world;
    const configs = Array.from({ length: VMS }, (_, index) => newVmSpec(`far-${index}`, { memoryMB: 32 }));
    const made = await Promise.all(
      configs.map(async (config) => {
        const { value } = await tasks.run(FOLDER, 'CreateVM_Task', { config, pool: POOL });
        assert.equal(picture.get(value)?.name, config.name, 'the VM was told of before its task ended');
        return moRef('VirtualMachine', value);
      }),
    );
    await Promise.all(
      made.map(async (vm) => {
        await tasks.run(vm, 'Rename_Task', { newName: `${vm.value}-renamed` });
        assert.equal(picture.get(vm.value)?.name, `${vm.value}-renamed`);
      }),
    );
    assert.ok(link.counts.connections <= 20, `${link.counts.connections} connections`);
    await Promise.all(made.map((vm) => tasks.run(vm, 'Destroy_Task', {} as never)));
    assert.ok(made.every(({ value }) => !picture.has(value)));
    assert.deepEqual(
      world.events.filter((kind) => kind !== 'updates'),
      ['begun'],
    );
  });

  test('connections that are cut or fall silent, and sessions that end, leave the picture right', async () => {
    const seed = labSeed();
    const random = seededRandom(seed);
    const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
    await using near = await lab().connect();
    const vms = await Promise.all(
      Array.from({ length: 4 }, (_, index) => createVm(near, `unsteady-${index}`, { memoryMB: 32 })),
    );
    await using link = await farFrom(lab(), seed);
    await using world = await follow(lab(), link);
    const outcomes = { done: 0, refused: 0, unknown: 0 };
    link.setFaults({ reset: 0.01, silence: 0.003 });
    for (let done = 0; done < OPERATIONS; done += vms.length) {
      if (done % 16 === 0) await endOtherSessions(near);
      const work = vms.map((vm) =>
        change(world, vm, pick(['PowerOnVM_Task', 'PowerOffVM_Task', 'ReconfigVM_Task'] as const)),
      );
      for (const outcome of await Promise.all(work)) outcomes[outcome] += 1;
    }
    link.setFaults({ reset: 0, silence: 0 });
    console.log(JSON.stringify({ ...outcomes, ...link.counts, events: count(world.events) }));
    assert.ok(outcomes.done > 0 && link.counts.resets + link.counts.silences > 0);
    await waitFor('the picture to be right', async () => isDeepStrictEqual(world.truth(), await truth(near)));
    for (const vm of vms) {
      if ((await powerState(near, vm)) === 'poweredOn')
        await near.waitForTask(await near.call(vm, 'PowerOffVM_Task', {} as never));
      await destroy(near, vm);
    }
    await waitFor('the removals to be told', async () => vms.every(({ value }) => !world.picture.has(value)));
  });

  test('a hostd that is killed under many tasks comes back, and every task ends as its history says', async () => {
    const host = lab();
    await using link = await farFrom(host, labSeed());
    await using world = await follow(host, link);
    const names = Array.from({ length: VMS }, (_, index) => `cut-${index}`);
    const work = names.map(async (name) => {
      const config = newVmSpec(name, { memoryMB: 32 });
      const task = world.tasks.run(FOLDER, 'CreateVM_Task', { config, pool: POOL });
      return task.then(
        () => [name, 'made'] as const,
        (error: unknown) => [name, error] as const,
      );
    });
    await Promise.race(work);
    await host.killHostd();
    await host.startHostd();
    link.lead(portOf(host));
    const outcomes = await Promise.all(work);
    await using near = await host.connect();
    const made = await listVms(near);
    for (const [name, outcome] of outcomes) {
      if (outcome === 'made') assert.ok(made.has(name), `${name} was acknowledged`);
      else if (outcome instanceof Error && 'fault' in outcome) assert.ok(!made.has(name), `${name} failed: ${outcome}`);
      else assert.ok(outcome instanceof ConnectionLost || outcome instanceof TaskLost, String(outcome));
    }
    await waitFor('the picture to be right', async () => isDeepStrictEqual(world.truth(), await truth(near)));
    for (const name of names) {
      const vm = made.get(name);
      if (vm) await destroy(near, vm);
    }
  });
});

const portOf = (host: LabHost) => Number(new URL(host.url).port);

const farFrom = (host: LabHost, seed: number) =>
  openSlowLink({ port: portOf(host), roundTripMs: ROUND_TRIP_MS, loss: 0.01, seed });

interface Seen {
  name: string;
  power: string;
  memoryMB: number;
}

interface World extends AsyncDisposable {
  readonly tasks: TaskFollower;
  /** VMs as the stream tells of them, by their id. */
  readonly picture: ReadonlyMap<string, Seen>;
  /** Kinds of the stream's events. */
  readonly events: readonly StreamEvent['kind'][];
  truth(): unknown;
}

/** A client beyond the link that follows every VM and its own tasks in one stream. */
async function follow(host: LabHost, link: SlowLink): Promise<World> {
  const certificate = await readFile(join(host.hostDir, 'ssl', 'rui.crt'), 'utf8');
  const url = `https://127.0.0.1:${link.port}`;
  const client = new VimClient({ url, trust: { certificate }, renewsSession: true, idleTimeoutMs: 4000 });
  const tasks = new TaskFollower(client);
  const stop = new AbortController();
  const picture = new Map<string, Seen>();
  const events: StreamEvent['kind'][] = [];
  await client.login(host.userName, host.password);
  const whole = Promise.withResolvers<void>();
  const stream = client.stream({
    filters: async () => [{ spec: vmFilter() }, await tasks.filter()],
    reconnect: true,
    signal: stop.signal,
    maxWaitSeconds: 2,
    heartbeatSeconds: 4,
  });
  const reading = (async () => {
    for await (const event of stream) {
      events.push(event.kind);
      if (event.kind === 'begun') picture.clear();
      if (event.kind !== 'updates') continue;
      for (const { obj, kind, changeSet = [] } of event.objects) {
        if (obj.type !== 'VirtualMachine') continue;
        if (kind === 'leave') picture.delete(obj.value);
        const seen = picture.get(obj.value) ?? { name: '', power: '', memoryMB: 0 };
        for (const { name, val } of changeSet) {
          if (name === 'name') seen.name = String(unbox(val));
          if (name === 'runtime.powerState') seen.power = String(unbox(val));
          if (name === 'config' && isA('VirtualMachineConfigInfo', val)) seen.memoryMB = val.hardware.memoryMB;
        }
        if (kind !== 'leave') picture.set(obj.value, seen);
      }
      tasks.apply(event.objects);
      whole.resolve();
    }
  })();
  reading.catch((error: unknown) => {
    whole.reject(error);
    tasks.close(error);
  });
  await whole.promise;
  return {
    tasks,
    picture,
    events,
    truth: () => Object.fromEntries([...picture].toSorted(([a], [b]) => Number(a) - Number(b))),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await reading;
      tasks.close(new Error('the test is over'));
      client.close();
    },
  };
}

function vmFilter() {
  return make('PropertyFilterSpec', {
    propSet: [make('PropertySpec', { type: 'VirtualMachine', pathSet: ['name', 'runtime.powerState', 'config'] })],
    objectSet: [
      make('ObjectSpec', {
        obj: FOLDER,
        skip: true,
        selectSet: [make('TraversalSpec', { type: 'Folder', path: 'childEntity' })],
      }),
    ],
  });
}

/** One operation; whether it was done, was refused, or is not known to have been done. */
async function change(
  { tasks }: World,
  vm: VmRef,
  method: 'PowerOnVM_Task' | 'PowerOffVM_Task' | 'ReconfigVM_Task',
): Promise<'done' | 'refused' | 'unknown'> {
  const spec = make('VirtualMachineConfigSpec', { annotation: method });
  try {
    if (method === 'ReconfigVM_Task') await tasks.run(vm, method, { spec });
    else await tasks.run(vm, method, {} as never);
    return 'done';
  } catch (error) {
    if (error instanceof ConnectionLost || error instanceof TaskLost) return 'unknown';
    if (error instanceof Error && 'fault' in error) return 'refused';
    throw error;
  }
}

/** What a client beside the host sees. */
async function truth(near: VimClient): Promise<unknown> {
  const refs = [...(await listVms(near)).values()].toSorted((a, b) => Number(a.value) - Number(b.value));
  const entries = await Promise.all(
    refs.map(async (vm) => {
      const [name, runtime, config] = await Promise.all([
        near.get(vm, 'name'),
        near.get(vm, 'runtime'),
        near.get(vm, 'config'),
      ]);
      return [vm.value, { name, power: runtime?.powerState, memoryMB: config?.hardware.memoryMB }];
    }),
  );
  return Object.fromEntries(entries);
}

/** Ends every session but the one that asks. */
async function endOtherSessions(client: VimClient): Promise<void> {
  const manager = moRef('SessionManager', 'ha-sessionmgr');
  const [all, own] = await Promise.all([client.get(manager, 'sessionList'), client.get(manager, 'currentSession')]);
  const sessionId = (all ?? []).map(({ key }) => key).filter((key) => key !== own?.key);
  await client.call(manager, 'TerminateSession', { sessionId });
}

function count(kinds: readonly string[]): Record<string, number> {
  return Object.fromEntries([...new Set(kinds)].map((kind) => [kind, kinds.filter((one) => one === kind).length]));
}
