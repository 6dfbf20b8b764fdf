// For tests: a malicious tenant looks through every door: what it sees is what an oracle of vSphere's permissions says that it may
// see, and no less. Inventory and permissions change while it looks.
import assert from 'node:assert/strict';
import type { Draw } from './draw.ts';
import { SPEECHES } from './speech.ts';
import type { Tenant, World } from './world.ts';

const CHANGES = 10;

export interface Seen<W extends World> {
  newWorld(): Promise<W>;
  changeInventory(world: W): Promise<void>;
  /** By name. */
  readonly doors: Readonly<Record<string, (world: W, who: Tenant) => Promise<void>>>;
  /** Routes that are compared elsewhere. */
  readonly elsewhere?: RegExp;
}

/** Rejects with the first that is seen wrongly, and when there is a route that nobody has come through. */
export async function compareSights<W extends World>(seen: Seen<W>, draw: Draw, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const world = await seen.newWorld();
    for (let change = 0; change < CHANGES; change++) {
      const who = draw.pick(world.tenants);
      for (const [name, compare] of Object.entries(seen.doors)) {
        world.speech = draw.pick(SPEECHES);
        await compare(world, who).catch((cause: unknown) => {
          const { form, version } = world.speech;
          const where = `${form} ${version}, round ${round}, change ${change}`;
          throw new Error(`${who.userName} of ${who.groups.join()} through ${name} (${where})`, { cause });
        });
      }
      await (draw.below(3) === 0 ? seen.changeInventory(world) : world.changePermissions());
    }
    const undriven = [...world.routes].filter((route) => !seen.elsewhere?.test(route) && !world.driven.has(route));
    assert.deepEqual(undriven, [], 'routes that nobody came through');
  }
}
