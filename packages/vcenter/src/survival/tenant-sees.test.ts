// A malicious tenant looks through every door: what it sees is what an oracle of vSphere's permissions says that it may see,
// and no less. Random inventories, users, groups, roles and permissions, which change while somebody looks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SPEECHES, seededDraw } from '@vivarium/vmomi/testing/tenant';
import { DOORS } from '../testing/tenant/doors/index.ts';
import { tenantWorld } from '../testing/tenant/world.ts';

const ROUNDS = Number(process.env['VIVARIUM_TENANTS'] ?? 2);
const CHANGES = 10;
/** See tenant-automation.test.ts. */
const AUTOMATION = /^\w+ \/(api|rest)(\/|$)/;

void test('a tenant sees what its permissions say, through every door', async (context) => {
  const seed = Number(process.env['VIVARIUM_SEED'] ?? Date.now() % 2 ** 31);
  context.diagnostic(`seed ${seed} (VIVARIUM_SEED=${seed} repeats it)`);
  const draw = seededDraw(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const world = await tenantWorld(context, draw);
    for (let change = 0; change < CHANGES; change++) {
      const who = draw.pick(world.tenants);
      for (const [name, compare] of Object.entries(DOORS)) {
        world.speech = draw.pick(SPEECHES);
        await compare(world, who).catch((cause: unknown) => {
          const { form, version } = world.speech;
          const where = `${form} ${version}, seed ${seed}, round ${round}, change ${change}`;
          throw new Error(`${who.userName} of ${who.groups.join()} through ${name} (${where})`, { cause });
        });
      }
      await (draw.below(3) === 0 ? world.changeInventory() : world.changePermissions());
    }
    const undriven = [...world.routes].filter((route) => !AUTOMATION.test(route) && !world.driven.has(route));
    assert.deepEqual(undriven, [], `routes that nobody came through (seed ${seed})`);
  }
});
