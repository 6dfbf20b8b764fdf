// For tests: a malicious tenant calls every method of everything with plausible arguments: what it lacks a privilege for is
// refused and changes nothing, what it may do changes nothing that it has no rights on.
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { MethodFault, type MoRef, moRefKey, schema } from '@vivarium/vim';
import type { Draw } from './draw.ts';
import type { Need } from './need.ts';
import { needed } from './needed.ts';
import { picture, quiet } from './picture.ts';
import { randomArgs } from './random-args.ts';
import { refOf, type Tenant, type World } from './world.ts';

export interface Callee<W extends World> {
  /** A new inventory. */
  newWorld(): Promise<W>;
  /** Of methods whose arguments matter, some are called more often than others. */
  readonly often: ReadonlySet<string>;
  /** What calls need that only this daemon looks at. */
  furtherNeeds(world: W, target: MoRef, method: string, args: Args): Need[];
  /** What there is besides entities, by names of its own. */
  beside(world: W): ReadonlyMap<string, string>;
  /** Whether something of that may be different after a call that is allowed. */
  mayTouchBeside(world: W, who: Tenant, name: string, target: MoRef): boolean;
  /** By method and type of its object: types of what goes along with what the call is about. */
  readonly along: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Tenants have destroyed the last of something. */
  isUsedUp(world: W): boolean;
}

export type Args = Record<string, unknown>;

export interface Count {
  refused: number;
  done: number;
  failed: number;
}

/** A new inventory after so many: what a tenant may do uses it up. */
const CALLS_OF_A_WORLD = 600;
const TRIES = 25;
const PATIENCE_TURNS = 20_000;
/** Wait, or change who calls. */
export const LEFT_OUT: ReadonlySet<string> = new Set(['WaitForUpdates', 'WaitForUpdatesEx', 'Logout', 'Fetch']);
/** Faults that say no more than that something is not to be done. */
const REFUSALS: ReadonlySet<string> = new Set(['NoPermission', 'ManagedObjectNotFound', 'NotAuthenticated']);
/** Properties, events and inherited permissions name places that somebody may not see: their ids, no more. Filters tell of what
 * they name. */
const TELLS_OF_MORE: ReadonlySet<string> = new Set([
  'RetrieveProperties',
  'RetrievePropertiesEx',
  'CheckForUpdates',
  'QueryEvents',
  'RetrieveEntityPermissions',
]);

/** `calls` calls of tenants; how they ended. Rejects with the first that ended wrongly. */
export async function compareChanges<W extends World>(callee: Callee<W>, draw: Draw, calls: number): Promise<Count> {
  const count = { refused: 0, done: 0, failed: 0 };
  let world = await callee.newWorld();
  for (let call = 0; call < calls; call++) {
    if ((call > 0 && call % CALLS_OF_A_WORLD === 0) || callee.isUsedUp(world)) world = await callee.newWorld();
    if (call % 10 === 0) await world.changePermissions();
    const isWanted = WANTED[call % WANTED.length] ?? (() => true);
    let drawn = drawCall(world, callee);
    for (let tries = TRIES; tries > 0 && !isWanted(world, drawn); tries--) drawn = drawCall(world, callee);
    const { who, target, method, args } = drawn;
    const outcome = await attempt(world, callee, drawn).catch((cause: unknown) => {
      const what = `${moRefKey(target)}.${method} ${JSON.stringify(args)} by ${who.userName} of ${who.groups.join()}`;
      throw new Error(`${what} (call ${call})`, { cause });
    });
    count[outcome] += 1;
  }
  return count;
}

interface Drawn {
  readonly who: Tenant;
  readonly target: MoRef;
  readonly method: string;
  readonly args: Args;
  readonly needs: readonly Need[];
}

function drawCall<W extends World>(world: W, callee: Callee<W>): Drawn {
  const { draw, service } = world;
  const who = draw.pick(world.tenants);
  const target = draw.pick(targets(world));
  const methods = schema.methodNames(target.type).filter((name) => !LEFT_OUT.has(name));
  if (methods.length === 0) return drawCall(world, callee);
  const often = methods.filter((name) => callee.often.has(name));
  const built =
    often.length > 0 && draw.below(2) === 0
      ? often
      : methods.filter((name) => service.graph.find(target)?.method(name));
  const method = draw.pick(draw.below(5) === 0 || built.length === 0 ? methods : built);
  const args = randomArgs(world, draw, target.type, method);
  const needs = [...needed(world, target, method, args), ...callee.furtherNeeds(world, target, method, args)];
  return { who, target, method, args, needs };
}

/** Any call; one that is allowed; one that is nearly allowed: if a few draws find one. */
const WANTED: readonly ((world: World, drawn: Drawn) => boolean)[] = [
  () => true,
  (world, drawn) => !lacking(world, drawn),
  (world, { who, needs }) => {
    const held = needs.filter(({ on, privilege }) => !privilege.startsWith('System.') && world.may(who, on, privilege));
    return held.length > 0 && needs.some(({ on, privilege }) => !world.may(who, on, privilege));
  },
];

/** The first privilege that a call needs and its caller does not have. */
function lacking(world: World, { who, needs }: Drawn): Need | undefined {
  return needs.find(({ on, privilege }) => !world.may(who, on, privilege));
}

async function attempt<W extends World>(world: W, callee: Callee<W>, drawn: Drawn): Promise<keyof Count> {
  const { who, target, method, args } = drawn;
  const missing = lacking(world, drawn);
  const before = picture(world);
  const besideBefore = callee.beside(world);
  const untouchable = [...before].filter(([key]) => !mayTouch(world, callee, who, key, target, method));
  const { fault, result } = await run(world, who, target, method, args);
  if (missing) {
    const { on, privilege } = missing;
    assert.ok(fault !== undefined && REFUSALS.has(fault), `${fault ?? 'done'} without ${privilege} on ${moRefKey(on)}`);
    assert.deepEqual(picture(world), before);
    assert.deepEqual(callee.beside(world), besideBefore);
    return 'refused';
  }
  assert.notEqual(fault, 'NoPermission', 'refused, though nothing is missing');
  await quiet(world);
  world.changed();
  if (!TELLS_OF_MORE.has(method)) {
    const seen = refsIn(result).filter((ref) => schema.isSubtype(ref.type, 'ManagedEntity'));
    // What the call has made its maker knows, and where everything begins everybody.
    const there = seen.filter((ref) => before.has(moRefKey(ref)) && ref.value !== world.root.value);
    const hidden = there.filter((ref) => !isKnown(world, who, ref, args));
    assert.deepEqual(hidden, [], 'is told of what it may not see');
  }
  const after = picture(world);
  const changed = untouchable.filter(([key, was]) => after.get(key) !== was);
  assert.deepEqual(new Map(changed.map(([key]) => [key, after.get(key)])), new Map(changed));
  const besideAfter = callee.beside(world);
  for (const name of new Set([...besideBefore.keys(), ...besideAfter.keys()])) {
    if (callee.mayTouchBeside(world, who, name, target)) continue;
    assert.equal(besideAfter.get(name), besideBefore.get(name), name);
  }
  return fault === undefined ? 'done' : 'failed';
}

interface Outcome {
  readonly fault: string | undefined;
  readonly result: unknown;
  /** The fault as data. */
  readonly data?: object | undefined;
}

/** The caller has named it itself, or may see it. */
function isKnown(world: World, who: Tenant, ref: MoRef, args: object): boolean {
  if (refsIn(args).some((named) => moRefKey(named) === moRefKey(ref))) return true;
  return world.may(who, ref, 'System.View');
}

/** Every reference in a value, however deep. */
function refsIn(value: unknown): MoRef[] {
  if (typeof value !== 'object' || value === null) return [];
  const { type, value: id } = value as { type?: unknown; value?: unknown };
  if (typeof type === 'string' && typeof id === 'string') return [value as MoRef];
  return Object.values(value).flatMap(refsIn);
}

/** The fault and the result of the call, or of the task that it has started. */
export async function run(
  { service, admin }: World,
  who: Tenant,
  target: MoRef,
  method: string,
  args: Args,
): Promise<Outcome> {
  try {
    const result = await service.invoke({ this: target, method, args }, who.call);
    const task = (result as MoRef | undefined)?.type === 'Task' ? (result as MoRef<'Task'>) : undefined;
    for (let turns = 0; task; turns++) {
      const info = service.graph.find(task)?.get('info');
      if (info?.state === 'success' || !info) return { fault: undefined, result: info?.result };
      if (info.state === 'error')
        return { fault: info.error?.fault._typeName ?? 'error', result: undefined, data: info.error?.fault };
      // It waits for what does not come, as for the last VM to be off.
      if (turns === PATIENCE_TURNS && info.cancelable)
        await service.invoke({ this: task, method: 'CancelTask', args: {} }, admin.call);
      await turn();
    }
    return { fault: undefined, result };
  } catch (error) {
    // Arguments that no client could send: something that is not there was looked for.
    if (!(error instanceof MethodFault)) return { fault: `error: ${String(error)}`, result: undefined };
    return { fault: error.fault._typeName, result: undefined, data: error.fault };
  }
}

/** Entities, and what belongs to the service and to them; no tasks, no session's own. */
export function targets({ service, entities }: World): MoRef[] {
  const others = [...service.graph.all()].filter(
    ({ ref, session }) => !session && ref.type !== 'Task' && !schema.isSubtype(ref.type, 'ManagedEntity'),
  );
  return [...entities(), ...entities(), ...others.map(({ ref }) => ref)];
}

/** Whether something of an entity may be different after a call that is allowed. */
function mayTouch<W extends World>(
  world: W,
  { along }: Callee<W>,
  who: Tenant,
  key: string,
  target: MoRef,
  method: string,
): boolean {
  if (world.mayChange(who, refOf(key))) return true;
  const type = key.slice(0, key.indexOf(':'));
  return (along[method]?.[target.type] ?? along[method]?.['any'] ?? ALONG[method] ?? []).includes(type);
}

const EVERYTHING = schema.names('managed');

/** What a role or a custom field is used by. */
const ALONG: Readonly<Record<string, readonly string[]>> = {
  UpdateAuthorizationRole: EVERYTHING,
  RemoveAuthorizationRole: EVERYTHING,
  MergePermissions: EVERYTHING,
  RemoveCustomFieldDef: EVERYTHING,
};
