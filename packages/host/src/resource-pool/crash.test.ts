// hostd is killed before every single step of a change of pools. Whatever the step, the next hostd has the change whole or not
// at all, and never loses one that was acknowledged.
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { normalPoolAllocation } from '@vivarium/drs/resource-pool';
import { make } from '@vivarium/vim';
import { countFileSteps, Life } from '../testing/life.ts';
import { asUser, type TestHost, testHost, vmSpec } from '../testing/test-host.ts';
import { ROOT_POOL } from './share-tree.ts';

let counting: AsyncDisposable;
before(async () => {
  counting = await countFileSteps();
});
after(() => counting[Symbol.asyncDispose]());

const spec = (reservation = 0) =>
  make('ResourceConfigSpec', {
    cpuAllocation: { ...normalPoolAllocation('cpu'), reservation },
    memoryAllocation: normalPoolAllocation('memory'),
  });

/** All that the store says of pools and VMs: `path/of/pool reservation: VMs`. */
function picture({ pools, registry }: TestHost): string[] {
  const pathOf = (id: string): string => {
    const { parent, name } = pools.get(id);
    return parent === undefined ? '' : `${pathOf(parent)}/${name}`;
  };
  return pools.all
    .map(({ id, cpu }) => {
      const vms = registry.all.filter((vm) => pools.poolOf(vm.id) === id).map(({ name }) => name);
      return `${pathOf(id)} ${id === ROOT_POOL ? '' : cpu.reservation}: ${vms.sort().join(' ')}`;
    })
    .sort();
}

const idOf = ({ pools }: TestHost, name: string) => pools.all.find((pool) => pool.name === name)?.id ?? name;

async function prepare(host: TestHost): Promise<void> {
  await host.pools.destroyChildren(ROOT_POOL);
  for (const vm of host.registry.all) {
    if (vm.power === 'poweredOn') await vm.powerOff(asUser());
    await host.registry.destroy(asUser(), vm);
  }
  const a = await host.pools.create(ROOT_POOL, 'a', spec(1000));
  const b = await host.pools.create(a.id, 'b', spec());
  await host.pools.create(b.id, 'c', spec());
  const vm = await host.registry.create(asUser(), vmSpec('web'), { pool: b.id });
  await vm.powerOn(asUser());
}

async function killAtEveryStep(t: TestContext, operation: (host: TestHost) => Promise<unknown>): Promise<void> {
  let host = await testHost(t);
  for (let count = 1; ; count++) {
    const life = new Life();
    host = await host.restart({ life });
    await life.run(() => prepare(host));
    const former = picture(host);
    life.killAtStep(count);
    const isDone = await life
      .run(() => operation(host))
      .then(
        () => true,
        () => false,
      );
    const wasKilled = life.isDead;
    const meant = isDone ? picture(host) : undefined;
    host = await host.restart();
    const found = picture(host);
    if (meant) assert.deepEqual(found, meant, `acknowledged, and lost at step ${count}`);
    else assert.deepEqual(found, former, `half done at step ${count}: ${life.steps.at(-1)}`);
    const group = host.groups.get(`vm-${host.registry.all.find(({ name }) => name === 'web')?.id}`);
    const vm = host.registry.all.find(({ name }) => name === 'web');
    const pool = host.pools.poolOf(vm?.id ?? '');
    assert.equal(group?.parent, pool === ROOT_POOL ? undefined : pool, 'the machine is where the VM is');
    if (!wasKilled) {
      assert.ok(isDone, 'without a kill the operation succeeds');
      assert.notDeepEqual(found, former);
      t.diagnostic(`${count - 1} steps`);
      return;
    }
  }
}

const operations: Readonly<Record<string, (host: TestHost) => Promise<unknown>>> = {
  'making a pool': ({ pools }) => pools.create(ROOT_POOL, 'new', spec(5)),
  'changing a pool': (host) => host.pools.update(idOf(host, 'a'), 'other', spec(7)),
  'changing children': (host) => host.pools.updateChildren(ROOT_POOL, [{ id: idOf(host, 'a'), spec: spec(9) }]),
  'moving a pool': (host) => host.pools.move(idOf(host, 'b'), ROOT_POOL),
  'moving a VM': (host) => host.pools.moveVm(host.registry.all[0]?.id ?? '', ROOT_POOL),
  'removing a pool': (host) => host.pools.destroy(idOf(host, 'b')),
  'removing all pools': ({ pools }) => pools.destroyChildren(ROOT_POOL),
};

for (const [name, operation] of Object.entries(operations)) {
  void test(`${name} is done whole or not at all`, (t) => killAtEveryStep(t, operation));
}

void test('a VM that is made in a pool is in it, or is not there', async (t) => {
  let host = await testHost(t);
  for (let count = 1; ; count++) {
    const life = new Life();
    host = await host.restart({ life });
    await life.run(() => prepare(host));
    life.killAtStep(count);
    const pool = idOf(host, 'c');
    const isDone = await life
      .run(() => host.registry.create(asUser(), vmSpec('new'), { pool }))
      .then(
        () => true,
        () => false,
      );
    const wasKilled = life.isDead;
    host = await host.restart();
    const vm = host.registry.all.find(({ name }) => name === 'new');
    if (isDone) assert.ok(vm, `acknowledged, and lost at step ${count}`);
    if (vm) assert.equal(host.pools.poolOf(vm.id), pool, `in another pool at step ${count}`);
    const members = host.store.range<string>('pool-vm/').map(({ key }) => key.slice('pool-vm/'.length));
    assert.deepEqual(members.sort(), host.registry.all.map(({ id }) => id).sort());
    if (!wasKilled) return;
  }
});

void test('a pool that goes while a VM is being made in it takes the VM along, or refuses it', async (t) => {
  const host = await testHost(t);
  const a = await host.pools.create(ROOT_POOL, 'a', spec());
  const [made, gone] = await Promise.allSettled([
    host.registry.create(asUser(), vmSpec('web'), { pool: a.id }),
    host.pools.destroy(a.id),
  ]);
  assert.equal(gone.status, 'fulfilled');
  const next = await host.restart();
  assert.equal(next.registry.all.length, made.status === 'fulfilled' ? 1 : 0);
  for (const { id } of next.registry.all) assert.equal(next.pools.poolOf(id), ROOT_POOL);
  assert.deepEqual(next.store.range('pool-vm/'), []);
});

void test('a change that the store refuses has not been made', async (t) => {
  const host = await testHost(t);
  const a = await host.pools.create(ROOT_POOL, 'a', spec(1000));
  const former = picture(host);
  await host.store.close();
  await assert.rejects(host.pools.create(ROOT_POOL, 'b', spec(15_000)));
  await assert.rejects(host.pools.update(a.id, undefined, spec(2)));
  await assert.rejects(host.pools.destroy(a.id));
  assert.deepEqual(picture(host), former);
  assert.equal(host.pools.tree.usage(ROOT_POOL).cpu.reservationUsed, 1000);
});
