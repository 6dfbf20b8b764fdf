// For tests: every method of everything that there is asks for the privileges that the schema and VMware's tables name, where they
// name them, and for no others.
import assert from 'node:assert/strict';
import { type MoRef, moRefKey, schema } from '@vivarium/vim';
import { type Args, type Callee, LEFT_OUT, run, targets } from './changes.ts';
import { type Need, placeOf } from './need.ts';
import { needed } from './needed.ts';
import { picture, quiet } from './picture.ts';
import { randomArgs } from './random-args.ts';
import type { Tenant, World } from './world.ts';

/** What calls take away another inventory has. */
const CALLS_OF_A_WORLD = 60;

/** How many methods were refused, and how many were let through. Rejects with the first that was not as it should be. */
export async function comparePrivileges<W extends World>(
  callee: Callee<W>,
): Promise<{ readonly refused: number; readonly passed: number }> {
  let world = await callee.newWorld();
  const nobody = world.open({ userName: 'nobody', groups: [] });
  const all = methodsOf(world);
  let refused = 0;
  for (const { target, method } of all) {
    const { args, needs } = draw(world, callee, target, method);
    if (needs.every(({ on, privilege }) => world.may(nobody, on, privilege))) continue;
    await compareRefused(world, callee, nobody, { target, method, args, needs });
    refused += 1;
  }
  let passed = 0;
  for (const { target: former, method } of all) {
    if (!world.service.graph.find(former)?.method(method) && passed === 0) continue;
    if (passed % CALLS_OF_A_WORLD === CALLS_OF_A_WORLD - 1 || callee.isUsedUp(world)) world = await callee.newWorld();
    const target = targets(world).find(({ type }) => type === former.type);
    if (!target || !world.service.graph.get(target).method(method)) continue;
    const { args, needs } = draw(world, callee, target, method);
    await comparePassed(world, `only${passed}`, { target, method, args, needs });
    passed += 1;
  }
  return { refused, passed };
}

interface Called {
  readonly target: MoRef;
  readonly method: string;
  readonly args: Args;
  readonly needs: readonly Need[];
}

/** Each of each type, once. */
function methodsOf(world: World): { readonly target: MoRef; readonly method: string }[] {
  const byType = new Map(targets(world).map((target) => [target.type, target]));
  return [...byType.values()].flatMap((target) =>
    schema
      .methodNames(target.type)
      .filter((method) => !LEFT_OUT.has(method))
      .map((method) => ({ target, method })),
  );
}

function draw<W extends World>(world: W, callee: Callee<W>, target: MoRef, method: string) {
  const args = randomArgs(world, world.draw, target.type, method);
  return { args, needs: [...needed(world, target, method, args), ...callee.furtherNeeds(world, target, method, args)] };
}

async function compareRefused<W extends World>(
  world: W,
  callee: Callee<W>,
  nobody: Tenant,
  { target, method, args, needs }: Called,
): Promise<void> {
  const before = [picture(world), callee.beside(world)];
  const { fault, data = {} } = await run(world, nobody, target, method, args);
  const what = `${moRefKey(target)}.${method} ${JSON.stringify(args)}`;
  assert.equal(fault, 'NoPermission', what);
  const { object, privilegeId } = data as { object: MoRef; privilegeId: string };
  const declared = schema.method(target.type, method)?.privilege;
  if (declared !== undefined && declared !== 'System.Anonymous') {
    assert.deepEqual([moRefKey(object), privilegeId], [moRefKey(placeOf(world, target)), declared], what);
  }
  const isNeeded = needs.some(({ on, privilege }) => privilege === privilegeId && moRefKey(on) === moRefKey(object));
  assert.ok(isNeeded, `${what}: ${privilegeId} on ${moRefKey(object)} is not what it needs`);
  assert.deepEqual([picture(world), callee.beside(world)], before, what);
}

async function comparePassed(world: World, userName: string, { target, method, args, needs }: Called): Promise<void> {
  const { authorization } = world.service;
  const places = Map.groupBy(needs, ({ on }) => moRefKey(on));
  for (const [key, here] of places) {
    const privileges = here.map(({ privilege }) => privilege).filter((privilege) => !privilege.startsWith('System.'));
    const roleId = await authorization.addRole(`${userName} ${key}`, privileges);
    const entity = here[0]?.on;
    assert.ok(entity);
    await authorization.grant(entity, [{ principal: userName, isGroup: false, roleId, propagate: false }]);
  }
  world.changed();
  const who = world.open({ userName, groups: [] });
  const { fault, data = {} } = await run(world, who, target, method, args);
  const what = `${moRefKey(target)}.${method} ${JSON.stringify(args)} with ${JSON.stringify(needs)}`;
  const { object, privilegeId } = data as { object?: MoRef; privilegeId?: string };
  assert.notEqual(fault, 'NoPermission', `${what}: ${privilegeId} on ${JSON.stringify(object)}`);
  world.service.sessions.logout(who.session);
  await quiet(world);
  world.changed();
}
