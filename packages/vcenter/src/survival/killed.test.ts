// vCenter is killed in the middle of random operations, again and again. The hosts live on. What was acknowledged is there, what
// was not is either there as a whole or not at all. The kill is played: the store's files are taken as they are at that moment,
// the old vCenter can do nothing any more, and a new one starts on the copy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, systemRandom } from '@vivarium/base/node';
import type { Store } from '@vivarium/store';
import { type MoRef, make } from '@vivarium/vim';
import { seededDraw } from '@vivarium/vmomi/testing/tenant';
import { joinDomain } from '../sso/join-domain.ts';
import { SsoDomain } from '../sso/sso-domain.ts';
import { Tagging } from '../tagging/tagging.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { allOperations } from '../testing/killed/all-operations.ts';
import type { Draw, Kind, Operation } from '../testing/killed/operation.ts';
import { leftovers, look, type Picture, type World } from '../testing/killed/picture.ts';
import { namesOf } from '../testing/killed/pool-facts.ts';
import { type TestCenter, testCenter } from '../testing/test-center.ts';

const OPERATIONS = Number(process.env['VIVARIUM_KILLS'] ?? 200);
/** A kill comes this many turns of the event loop after the beginning of an operation, at most. */
const MOST_TURNS = 25;
/** A step takes milliseconds, on a busy machine a few seconds. One that takes this long waits for what does not come. */
const STUCK_AFTER_MS = 120_000;
/** One operation of so many is killed. */
const KILLED_EVERY = 4;

type Random = ReturnType<typeof seededDraw>;

void test('what was acknowledged survives every kill, and nothing is half there', async (context) => {
  const seed = Number(process.env['VIVARIUM_SEED'] ?? Date.now() % 2 ** 31);
  context.diagnostic(`seed ${seed} (VIVARIUM_SEED=${seed} repeats it)`);
  const random = seededDraw(seed);
  const users = (store: Store) => new SsoDomain({ store, random: systemRandom, clock: systemClock });
  const center = await testCenter(context, { users });
  const { cluster } = await center.cluster();
  // vApps need it.
  const spec = make('ClusterConfigSpecEx', { drsConfig: make('ClusterDrsConfigInfo', { enabled: true }) });
  await center.task(cluster as MoRef, 'ReconfigureComputeResource_Task', { spec, modify: true });
  const shared = { datastores: { shared: 'ds:///vmfs/volumes/shared/', x0: 'ds:///vmfs/volumes/x0/' } };
  const hosts = [new FakeHost('esx1', shared), new FakeHost('esx2', shared)];
  for (const host of hosts) await center.addHost(cluster as MoRef, host);
  let world = await complete(center, hosts);
  let picture = look(world);
  const kinds = new Map<string, number>();
  let kills = 0;
  for (let count = 0; count < OPERATIONS; count++) {
    const { operation, kind: drawn } = draw(picture, random, count);
    world.called.clear();
    const [kind = ''] = operation.text.split(' ');
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const running = operation.run(world).then(
      () => 'done' as const,
      (error: unknown) => error,
    );
    const which = `${operation.text} (seed ${seed}, operation ${count})`;
    if (random.below(KILLED_EVERY) > 0) {
      assert.equal(await ended(running, which), 'done', which);
      picture = operation.after(picture);
      assert.deepEqual(look(world), picture, which);
      requireDeclared(world, drawn, which);
      continue;
    }
    kills += 1;
    let outcome: unknown;
    void running.then((result) => (outcome = result));
    for (let turn = random.below(MOST_TURNS); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
    const isAcknowledged = outcome === 'done';
    for (const host of world.center.dialer.hosts.values()) host.sever();
    const machines = powered(hosts);
    const next = await ended(world.center.killed(), `a new start after the kill in ${which}`);
    world = await ended(complete(next, hosts), `the return of the hosts after the kill in ${which}`);
    assert.deepEqual(powered(hosts), machines, 'VMs have noticed');
    const what = `${which}, killed${isAcknowledged ? ' when it was acknowledged' : ''}`;
    picture = checked(look(world), { before: picture, operation, isAcknowledged, what });
    // What a host tells of is taken in; what was said of those that have gone follows them.
    const { center: started } = world;
    const left = () => leftovers(world);
    await ended(
      started.eventually(() => left().length === 0),
      () => `${what}: the going of ${left().join()}`,
    );
    const onHosts = hosts.flatMap((host) => [...host.vms.values()].map(({ name }) => name)).sort();
    assert.deepEqual(namesOf(picture, 'vm').sort(), onHosts, what);
  }
  context.diagnostic(
    `${OPERATIONS} operations, ${kills} kills: ${[...kinds].map(([kind, times]) => `${kind} ${times}`).join(', ')}`,
  );
});

/** Fails, instead of waiting for ever, when a step does not come to its end; says what it was. */
async function ended<T>(step: Promise<T>, what: string | (() => string)): Promise<T> {
  const stuck = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      stuck.reject(new assert.AssertionError({ message: `${typeof what === 'string' ? what : what()} does not end` })),
    STUCK_AFTER_MS,
  );
  try {
    return await Promise.race([step, stuck.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is found after a kill: all of the operation or nothing; of one that has steps, all or nothing of each. */
function checked(
  found: Picture,
  {
    before,
    operation,
    isAcknowledged,
    what,
  }: {
    readonly before: Picture;
    readonly operation: Operation;
    readonly isAcknowledged: boolean;
    readonly what: string;
  },
): Picture {
  const wanted = operation.after(before);
  const isThere = JSON.stringify(found) === JSON.stringify(wanted);
  if (isAcknowledged || isThere) assert.deepEqual(found, wanted, what);
  else if (!operation.isOfSteps) assert.deepEqual(found, before, what);
  else {
    for (const key of new Set([...Object.keys(before), ...Object.keys(wanted), ...Object.keys(found)])) {
      const is = (one: Picture) => JSON.stringify(found[key]) === JSON.stringify(one[key]);
      assert.ok(is(before) || is(wanted), `${what}: ${key} is ${JSON.stringify(found[key])}`);
    }
  }
  return found;
}

/** The hosts are connected, and the services beside the inventory are there, as vpxd begins. */
async function complete(center: TestCenter, hosts: readonly FakeHost[]): Promise<World> {
  const { service } = center;
  const { store, random, graph } = service;
  for (const [host, { isDisconnected }] of [...center.center.inventory.ofType('HostSystem')]) {
    if (!isDisconnected) await center.center.hosts.open(host).whenConnected();
  }
  const domain = service.users as SsoDomain;
  await joinDomain(service, domain);
  const tagging = new Tagging(store, random);
  tagging.watch(graph, (error) => assert.fail(String(error)));
  await tagging.sweep((object) => graph.find(object as MoRef) !== undefined);
  const called = new Set<string>();
  const noted =
    <F extends TestCenter['invoke']>(call: F) =>
    (ref: MoRef, method: string, args?: object) => {
      called.add(`${ref.type}.${method}`);
      return call(ref, method, args);
    };
  const watched = { ...center, invoke: noted(center.invoke), task: noted(center.task) } as TestCenter;
  return { center: watched, domain, tagging, hosts, called };
}

/** What is drawn is known by what the kinds say that they call. */
function requireDeclared({ called }: World, { calls }: Kind, which: string): void {
  assert.deepEqual(
    [...called].filter((call) => !calls.includes(call)),
    [],
    `${which} calls what its kind does not name`,
  );
}

/** By host and VM. */
function powered(hosts: readonly FakeHost[]): string[] {
  return hosts.flatMap(({ address, vms }) =>
    Array.from(vms.values(), ({ ref, powerState }) => `${address} ${ref.value} ${powerState}`),
  );
}

/** A random operation that is possible now. */
function draw(picture: Picture, random: Random, count: number): { operation: Operation; kind: Kind } {
  const all = (kind: string) => namesOf(picture, kind);
  const choices: Draw = {
    count,
    picture,
    all,
    below: (most) => random.below(most),
    one(kind) {
      const names = all(kind);
      return names.length === 0 ? undefined : random.pick(names);
    },
    fact: <T>(key: string) => picture[key] as T,
  };
  for (;;) {
    const kind = random.pick(random.pick(allOperations));
    const operation = kind.draw(choices);
    if (operation) return { operation, kind };
  }
}
