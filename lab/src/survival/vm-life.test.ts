// VMs in trouble, and several at once who want something of them: a VMM that dies, two power-ons, deletion during a power-on,
// fifty clients, suspended guests.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { VimClient } from '@vivarium/client';
import { make, moRef } from '@vivarium/vim';
import { faultName, vmEvents } from '../testing/events.ts';
import {
  createGuestVm,
  createVm,
  destroy,
  findVm,
  guestAddress,
  guestShell,
  guestUptime,
  listVms,
  powerOff,
  powerOn,
  powerState,
  reconfigure,
  runInGuest,
  suspend,
  taskDone,
  type VmRef,
} from '../testing/lab-vm.ts';
import { listProcesses, listQemus } from '../testing/machine-traces.ts';
import { needsRoot, useLabHost } from '../testing/use-lab-host.ts';
import { waitFor } from '../testing/wait-for.ts';
import { assertWhole } from './wholeness.ts';

const CLIENTS = 50;
const NONE = {} as never;

describe('the life of VMs', { skip: needsRoot }, () => {
  const lab = useLabHost();
  let demo = '';

  before(async () => {
    await using client = await lab().connect();
    demo = await guestAddress(client, await findVm(client, 'demo'));
  });

  /** What each of two simultaneous requests came to, sorted: fault names, `none` for success. */
  const race = async (...work: Promise<unknown>[]) => (await Promise.all(work.map(faultName))).sort();

  async function fresh(client: VimClient, name: string): Promise<VmRef> {
    return createVm(client, name, { memoryMB: 32 });
  }

  test('a VMM that is killed leaves a powered-off VM, an event that says why, and the others alone', async () => {
    const host = lab();
    await using client = await host.connect();
    const vm = await fresh(client, 'victim');
    const uptime = await guestUptime(demo);
    const others = await listQemus(host.hostDir);
    await powerOn(client, vm);
    const pid = (await listQemus(host.hostDir)).find((candidate) => !others.includes(candidate));
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    await waitFor('the VM to be off', async () => (await powerState(client, vm)) === 'poweredOff', 20_000);
    const events = (await vmEvents(client, vm)).map((event) => ({
      type: event._typeName,
      text: `${event.fullFormattedMessage} ${'message' in event ? String(event.message) : ''}`,
    }));
    const why = events.find(({ text }) => /ended unexpectedly|SIGKILL|killed/i.test(text));
    assert.ok(why, `an event that says why: ${JSON.stringify(events)}`);
    assert.equal(events.at(-1)?.type, 'VmPoweredOffEvent');
    assert.deepEqual(await listQemus(host.hostDir), others);
    assert.ok((await guestUptime(demo)) >= uptime);
    await assertWhole(host, client);
    await powerOn(client, vm);
    await powerOff(client, vm);
    await destroy(client, vm);
  });

  test('of two power-ons at once one wins, and the other hears of it', async () => {
    await using one = await lab().connect();
    await using two = await lab().connect();
    const vm = await fresh(one, 'twice');
    const before = (await listQemus(lab().hostDir)).length;
    const outcome = await race(powerOn(one, vm), powerOn(two, vm));
    assert.equal(outcome.filter((name) => name === 'none').length, 1);
    assert.match(outcome.join(), /TaskInProgress|InvalidPowerState/);
    assert.equal((await listQemus(lab().hostDir)).length, before + 1);
    assert.equal(await faultName(powerOn(one, vm)), 'InvalidPowerState');
    await powerOff(one, vm);
    await destroy(one, vm);
  });

  test('a VM is not deleted while it powers on', async () => {
    await using one = await lab().connect();
    await using two = await lab().connect();
    for (const ask of [destroy, (client: VimClient, vm: VmRef) => client.call(vm, 'UnregisterVM', NONE)]) {
      const vm = await fresh(one, 'contested');
      const starting = one.call(vm, 'PowerOnVM_Task', {});
      const outcome = await race(taskDone(one, starting), ask(two, vm));
      assert.equal(outcome.filter((name) => name === 'none').length, 1, outcome.join());
      assert.match(outcome.join(), /TaskInProgress|InvalidPowerState|ManagedObjectNotFound/);
      const left = (await listVms(one)).get('contested');
      if (left) {
        assert.equal(await powerState(one, left), 'poweredOn');
        await powerOff(one, left);
        await destroy(one, left);
      }
      await assertWhole(lab(), one);
    }
  });

  test('a suspended guest goes on where it was, also after hostd has been killed', async () => {
    const host = lab();
    let uptime = 0;
    let address = '';
    {
      await using client = await host.connect();
      const vm = await createGuestVm(client, 'sleeper');
      await powerOn(client, vm);
      address = await guestAddress(client, vm);
      await guestShell(address);
      await runInGuest(
        address,
        'echo remembered >/run/note; (while :; do date +%s >/run/alive; sleep 1; done) >/dev/null 2>&1 &',
      );
      uptime = await guestUptime(address);
      await suspend(client, vm);
      assert.equal(await powerState(client, vm), 'suspended');
      assert.equal(await faultName(suspend(client, vm)), 'InvalidPowerState');
      assert.equal(await faultName(client.call(vm, 'ShutdownGuest', NONE)), 'InvalidPowerState');
      await assertWhole(host, client);
    }
    await host.killHostd();
    await host.startHostd();
    await using client = await host.connect();
    const vm = await findVm(client, 'sleeper');
    assert.equal(await powerState(client, vm), 'suspended');
    await powerOn(client, vm);
    const later = await guestUptime(address);
    assert.ok(later >= uptime && later < uptime + 600, `uptime went on: ${uptime} → ${later}`);
    assert.equal((await runInGuest(address, 'cat /run/note')).trim(), 'remembered');
    assert.match(
      (await vmEvents(client, vm)).map(({ _typeName }) => _typeName).join(),
      /VmSuspendedEvent.*VmResumingEvent/,
    );
    await waitFor(
      'the agent to speak again',
      async () => (await client.get(vm, 'guest'))?.toolsRunningStatus === 'guestToolsRunning',
    );
    // Once more, and thrown away this time.
    await suspend(client, vm);
    await powerOff(client, vm);
    assert.equal(await powerState(client, vm), 'poweredOff');
    await assertWhole(host, client);
    await destroy(client, vm);
    // The seed that the test had put beside the VM's files is not the VM's.
    await rm(join(host.hostDir, 'datastore1', 'sleeper'), { recursive: true });
  });

  test(`${CLIENTS} clients at once get answers or typed faults`, { timeout: 180_000 }, async () => {
    const host = lab();
    await using client = await host.connect();
    const vms = await Promise.all(Array.from({ length: 4 }, (_, index) => fresh(client, `crowd-${index}`)));
    const faults = new Map<string, number>();
    const count = async (work: Promise<unknown>) => {
      const name = await faultName(work);
      faults.set(name, (faults.get(name) ?? 0) + 1);
    };
    const began = performance.now();
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, index) => {
        await using mine = await host.connect();
        const vm = vms[index % vms.length] as VmRef;
        await count(powerOn(mine, vm));
        await count(reconfigure(mine, vm, { annotation: `by ${index}` }));
        await count(createVm(mine, `mine-${index}`, { memoryMB: 32 }));
        await count(mine.get(vm, 'summary'));
        await count(powerOff(mine, vm));
      }),
    );
    console.log(`${CLIENTS} clients: ${Math.round(performance.now() - began)} ms, ${JSON.stringify([...faults])}`);
    const typed = ['none', 'TaskInProgress', 'InvalidPowerState'];
    assert.deepEqual(
      [...faults.keys()].filter((name) => !typed.includes(name)),
      [],
    );
    assert.ok((faults.get('none') ?? 0) >= 3 * CLIENTS, 'reads, creations and reconfigurations are not refused');
    const all = await listVms(client);
    assert.equal([...all.keys()].filter((name) => name.startsWith('mine-')).length, CLIENTS);
    for (const vm of vms) if ((await powerState(client, vm)) === 'poweredOn') await powerOff(client, vm);
    await assertWhole(host, client);
    const doomed = [...all].filter(([name]) => /^(mine|crowd)-/.test(name));
    await Promise.all(doomed.map(([, vm]) => destroy(client, vm)));
    await assertWhole(host, client);
  });

  test('two clients who create the same VM make one', async () => {
    await using one = await lab().connect();
    await using two = await lab().connect();
    const outcome = await race(fresh(one, 'same'), fresh(two, 'same'));
    assert.equal(outcome.filter((name) => name === 'none').length, 1, outcome.join());
    assert.match(outcome.join(), /DuplicateName|AlreadyExists|FileAlreadyExists/);
    await assertWhole(lab(), one);
    await destroy(one, await findVm(one, 'same'));
  });

  test('a client that goes away in the middle of a task does not stop the task', async () => {
    const host = lab();
    const client = await host.connect();
    const folder = moRef('Folder', 'ha-folder-vm');
    const config = make('VirtualMachineConfigSpec', {
      name: 'orphaned',
      memoryMB: 32,
      files: make('VirtualMachineFileInfo', { vmPathName: '[datastore1]' }),
    });
    await client.call(folder, 'CreateVM_Task', { config, pool: moRef('ResourcePool', 'ha-root-pool') });
    client.close();
    await using other = await host.connect();
    const vm = await waitFor('the VM', async () => (await listVms(other)).get('orphaned'), 20_000);
    await destroy(other, vm);
    assert.ok((await listProcesses(host.hostDir)).length > 0);
  });
});
