// Many clients on one VM, and whatever its guest does meanwhile. Random: a failing run prints its seed; run it again with
// VIVARIUM_SEED=n.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { isFault } from '@vivarium/vim';
import fc from 'fast-check';
import { asUser, type TestHost, testHost } from '../testing/test-host.ts';
import { turns } from '../testing/virtual-clock.ts';
import { checkPowerState, type PowerState, type VmRequest } from './power-state.ts';
import type { Vm } from './vm.ts';
import type { NewEvent } from './vm-host.ts';

const seed = Number(process.env['VIVARIUM_SEED'] ?? Date.now() % 2 ** 31);

const clients = {
  powerOn: (vm: Vm) => vm.powerOn(asUser()),
  powerOff: (vm: Vm) => vm.powerOff(asUser()),
  reset: (vm: Vm) => vm.reset(asUser()),
  suspend: (vm: Vm) => vm.suspend(asUser()),
  shutdownGuest: (vm: Vm) => vm.shutdownGuest(asUser()),
  rebootGuest: (vm: Vm) => vm.rebootGuest(asUser()),
  annotate: (vm: Vm) => vm.reconfigure(asUser(), { annotation: `note ${Math.random()}` }),
  screenshot: (vm: Vm) => vm.screenshot(asUser()),
  sendKeys: (vm: Vm) => vm.sendKeys(asUser(), [{ usage: 4, modifiers: [] }]),
  retry: (vm: Vm) => vm.answer(asUser(), vm.view().question?.id ?? '1-1', '0'),
  cancel: (vm: Vm) => vm.answer(asUser(), vm.view().question?.id ?? '1-1', '1'),
  reload: (vm: Vm) => vm.reload(asUser()),
  spaceReturned: (vm: Vm) => vm.spaceReturned(),
} as const satisfies Record<string, (vm: Vm) => Promise<unknown>>;

const guest = {
  powersOff: async (host: TestHost, vm: Vm) => host.vmms.machines.get(vm.id)?.powersOff(),
  dies: async (host: TestHost, vm: Vm) => host.vmms.machines.get(vm.id)?.dies(),
  agentComes: async (host: TestHost, vm: Vm) => host.vmms.machines.get(vm.id)?.agentComes({ interfaces: [] }),
  agentGoes: async (host: TestHost, vm: Vm) => host.vmms.machines.get(vm.id)?.agentGoes(),
  async fillsDisk(host: TestHost, vm: Vm) {
    const machine = host.vmms.machines.get(vm.id);
    if (!machine) return;
    machine.isFull = true;
    machine.writes();
  },
  async findsRoom(host: TestHost, vm: Vm) {
    const machine = host.vmms.machines.get(vm.id);
    if (machine) machine.isFull = false;
  },
  async heedsPowerButton(host: TestHost, vm: Vm) {
    const machine = host.vmms.machines.get(vm.id);
    if (machine) machine.powerButton = 'shutdown';
  },
} as const;

type Act =
  | { readonly by: 'client'; readonly what: keyof typeof clients; readonly after: number }
  | { readonly by: 'guest'; readonly what: keyof typeof guest; readonly after: number };

const after = fc.nat({ max: 12 });
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      by: fc.constant('client' as const),
      what: fc.constantFrom(...(Object.keys(clients) as (keyof typeof clients)[])),
      after,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      by: fc.constant('guest' as const),
      what: fc.constantFrom(...(Object.keys(guest) as (keyof typeof guest)[])),
      after,
    }),
  },
);

const EXPECTED = new Set([
  'TaskInProgress',
  'InvalidPowerState',
  'InvalidArgument',
  'ConcurrentAccess',
  'QuestionPending',
  // A VMM that dies during its start.
  'GenericVmConfigFault',
]);

/** What the events tell must be possible: nobody is powered on twice, nothing off is suspended. */
function checkStory(events: readonly NewEvent[], start: PowerState, end: PowerState): void {
  let power = start;
  const move = (from: readonly PowerState[], to: PowerState, event: string) => {
    assert.ok(from.includes(power), `${event} when ${power}`);
    power = to;
  };
  for (const { _typeName: type } of events) {
    if (type === 'VmPoweredOnEvent') move(['poweredOff', 'suspended'], 'poweredOn', type);
    if (type === 'VmPoweredOffEvent') move(['poweredOn', 'suspended'], 'poweredOff', type);
    if (type === 'VmSuspendedEvent') move(['poweredOn'], 'suspended', type);
  }
  assert.equal(power, end, 'the events end where the VM is');
}

async function checkConsistent(host: TestHost, vm: Vm): Promise<void> {
  const machine = host.vmms.machines.get(vm.id);
  assert.equal(vm.power === 'poweredOn', machine !== undefined, 'on exactly while a machine is there');
  assert.equal(vm.view().question !== undefined, machine?.state === 'ioError', 'asks exactly while it waits');
  if (machine) assert.ok(machine.state === 'running' || machine.state === 'ioError', machine.state);
  assert.equal(host.network.ports().length, machine ? 1 : 0);
  const text = await readFile(vm.vmxFile, 'utf8');
  const note = /^checkpoint\.vmState = "(.+)"$/m.exec(text)?.[1];
  assert.equal(vm.power === 'suspended', note !== undefined, 'suspended exactly when the VMX says so');
  assert.deepEqual(
    (await host.files()).filter((path) => path.endsWith('.vmss')),
    note === undefined ? [] : [`web/${note}`],
  );
  const annotation = /^annotation = "(.*)"$/m.exec(text)?.[1] ?? '';
  assert.equal(annotation, vm.config.annotation);
  if (vm.power !== 'poweredOn')
    assert.deepEqual(
      host.clock.timers.filter((ms) => ms < 60_000),
      [],
      'no timer runs on',
    );
}

void test('fifty clients at once on one VM are all answered, and the VM is in one state', async (t) => {
  t.diagnostic(`seed ${seed}`);
  const host = await testHost(t);
  const vm = await host.create();
  const property = fc.asyncProperty(fc.array(act, { minLength: 50, maxLength: 60 }), async (acts) => {
    const start = vm.power;
    host.events.length = 0;
    host.complaints.length = 0;
    const running = acts.map(async (one) => {
      await turns(one.after);
      if (one.by === 'guest') return guest[one.what](host, vm);
      try {
        return await clients[one.what](vm);
      } catch (error) {
        assert.ok(isFault(error, 'MethodFault'), error instanceof Error ? error.stack : String(error));
        assert.ok(EXPECTED.has(error.fault._typeName), `${one.what}: ${error.stack}`);
        return undefined;
      }
    });
    await within(Promise.all(running));
    // What the last guest event set in motion.
    await turns(30);
    await checkConsistent(host, vm);
    checkStory(host.events, start, vm.power);
  });
  await fc.assert(property, { seed, numRuns: 40, endOnFailure: true });
});

void test('one client after the other meets exactly the table of power states', async (t) => {
  t.diagnostic(`seed ${seed}`);
  const host = await testHost(t);
  const vm = await host.create();
  const requests = {
    powerOn: ['powerOn', () => 'poweredOn'],
    powerOff: ['powerOff', () => 'poweredOff'],
    reset: ['reset', () => 'poweredOn'],
    suspend: ['suspend', () => 'suspended'],
    shutdownGuest: ['shutdownGuest', () => 'poweredOn'],
    rebootGuest: ['rebootGuest', () => 'poweredOn'],
    annotate: ['reconfigure', (state: PowerState) => state],
    screenshot: ['console', (state: PowerState) => state],
    reload: ['reload', (state: PowerState) => state],
  } as const satisfies Partial<Record<keyof typeof clients, [VmRequest, (state: PowerState) => PowerState]>>;
  const names = Object.keys(requests) as (keyof typeof requests)[];
  const property = fc.asyncProperty(
    fc.array(fc.constantFrom(...names), { minLength: 20, maxLength: 40 }),
    async (run) => {
      for (const name of run) {
        const [request, outcome] = requests[name];
        const before = vm.power;
        let allowed = true;
        try {
          checkPowerState(request, before);
        } catch {
          allowed = false;
        }
        const done = await clients[name](vm).then(
          () => true,
          (error: unknown) => {
            assert.ok(isFault(error, 'InvalidPowerState'), String(error));
            return false;
          },
        );
        assert.equal(done, allowed, `${name} when ${before}`);
        assert.equal(vm.power, allowed ? outcome(before) : before);
      }
      await checkConsistent(host, vm);
    },
  );
  await fc.assert(property, { seed, numRuns: 20, endOnFailure: true });
});

void test('two hundred creations and removals at once leave what the registry lists, and nothing else', async (t) => {
  t.diagnostic(`seed ${seed}`);
  const host = await testHost(t);
  const property = fc.asyncProperty(
    fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'a:b', 'a*b'), after }), {
      minLength: 20,
      maxLength: 40,
    }),
    async (wishes) => {
      const running = wishes.map(async ({ name, after: wait }, index) => {
        await turns(wait);
        try {
          if (index % 2 === 0) return await host.create({ name, deviceChange: [] });
          const victim = host.registry.all[index % Math.max(1, host.registry.all.length)];
          return victim && (await host.registry.destroy(asUser(), victim));
        } catch (error) {
          const expected = ['DuplicateName', 'TaskInProgress', 'ManagedObjectNotFound', 'FileAlreadyExists'];
          assert.ok(isFault(error, 'MethodFault'), error instanceof Error ? error.stack : String(error));
          assert.ok(expected.includes(error.fault._typeName), error.stack);
          return undefined;
        }
      });
      await within(Promise.all(running));
      const listed = host.registry.all.map((vm) => host.host.paths.format(vm.vmxFile)).toSorted();
      const found = (await host.files()).filter((path) => path.endsWith('.vmx')).map((path) => `[datastore1] ${path}`);
      assert.deepEqual(found, listed);
      assert.deepEqual(host.store.range('vm-intent/'), []);
      assert.equal(host.store.range('vm/').length, listed.length);
      const names = host.registry.all.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
    },
  );
  await fc.assert(property, { seed, numRuns: 5, endOnFailure: true });
});

/** A hang is a failure with a name. Real time: nothing here waits for it. */
async function within<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('somebody was not answered within 30 s')), 30_000);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
