// A malicious tenant calls every method of everything with plausible arguments: what it lacks a privilege for is refused and
// changes nothing, what it may do changes nothing that it has no rights on. Random inventories, roles and permissions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MethodFault, type MoRef, moRefKey, schema } from '@vivarium/vim';
import { type Draw, seededDraw } from '../testing/tenant/draw.ts';
import { needed } from '../testing/tenant/needed.ts';
import { CALLED, picture, quiet } from '../testing/tenant/picture.ts';
import { randomArgs } from '../testing/tenant/random-args.ts';
import { ROOT, refOf, type Tenant, tenantWorld, type World } from '../testing/tenant/world.ts';

const CALLS = Number(process.env['VIVARIUM_TENANT_CALLS'] ?? 1200);
/** A new inventory after so many: what a tenant may do uses it up. */
const CALLS_OF_A_WORLD = 600;
const TRIES = 25;
/** What their arguments name matters. */
const OFTEN: ReadonlySet<string> = new Set([
  'Destroy_Task',
  'MoveIntoFolder_Task',
  'CreateVM_Task',
  'ImportVApp',
  'RegisterVM_Task',
  'ReconfigVM_Task',
  'MoveIntoResourcePool',
  'DestroyChildren',
  'UpdateChildResourceConfiguration',
  'ReconfigureDvs_Task',
  'MoveInto_Task',
  'PowerOnMultiVM_Task',
]);
/** Wait, or change who calls. */
const LEFT_OUT: ReadonlySet<string> = new Set(['WaitForUpdates', 'WaitForUpdatesEx', 'Logout', 'Fetch']);
/** Faults that say no more than that something is not to be done. */
const REFUSALS: ReadonlySet<string> = new Set(['NoPermission', 'ManagedObjectNotFound', 'NotAuthenticated']);

void test('a tenant changes nothing that its permissions do not let it change', async (context) => {
  const seed = Number(process.env['VIVARIUM_SEED'] ?? Date.now() % 2 ** 31);
  context.diagnostic(`seed ${seed} (VIVARIUM_SEED=${seed} repeats it)`);
  const draw = seededDraw(seed);
  const count = { refused: 0, done: 0, failed: 0 };
  let world = await tenantWorld(context, draw);
  for (let call = 0; call < CALLS; call++) {
    if ((call > 0 && call % CALLS_OF_A_WORLD === 0) || isUsedUp(world)) world = await tenantWorld(context, draw);
    if (call % 10 === 0) await world.changePermissions();
    const isWanted = WANTED[call % WANTED.length] ?? (() => true);
    let drawn = drawCall(world, draw);
    for (let tries = TRIES; tries > 0 && !isWanted(world, drawn); tries--) drawn = drawCall(world, draw);
    const { who, target, method, args } = drawn;
    const outcome = await attempt(world, who, target, method, args).catch((cause: unknown) => {
      const what = `${moRefKey(target)}.${method} ${JSON.stringify(args)} by ${who.userName} of ${who.groups.join()}`;
      throw new Error(`${what} (seed ${seed}, call ${call})`, { cause });
    });
    count[outcome] += 1;
  }
  context.diagnostic(JSON.stringify(count));
});

/** Tenants have destroyed the last of something. */
function isUsedUp(world: World): boolean {
  const left = new Set<string>(world.entities().map(({ type }) => type));
  return !['HostSystem', 'Datastore', 'Network', 'VirtualMachine'].every((type) => left.has(type));
}

interface Drawn {
  readonly who: Tenant;
  readonly target: MoRef;
  readonly method: string;
  readonly args: Record<string, unknown>;
}

function drawCall(world: World, draw: Draw): Drawn {
  const who = draw.pick(world.tenants);
  const target = draw.pick(targets(world));
  const methods = schema.methodNames(target.type).filter((name) => !LEFT_OUT.has(name));
  if (methods.length === 0) return drawCall(world, draw);
  const often = methods.filter((name) => OFTEN.has(name));
  const built =
    often.length > 0 && draw.below(2) === 0
      ? often
      : methods.filter((name) => world.center.service.graph.find(target)?.method(name));
  const method = draw.pick(draw.below(5) === 0 || built.length === 0 ? methods : built);
  return { who, target, method, args: randomArgs(world, draw, target.type, method) };
}

/** Any call; one that is allowed; one that is nearly allowed: if a few draws find one. */
const WANTED: readonly ((world: World, drawn: Drawn) => boolean)[] = [
  () => true,
  (world, { who, target, method, args }) => !lacking(world, who, target, method, args),
  (world, { who, target, method, args }) => {
    const needs = needed(world, target, method, args);
    const held = needs.filter(({ on, privilege }) => !privilege.startsWith('System.') && world.may(who, on, privilege));
    return held.length > 0 && needs.some(({ on, privilege }) => !world.may(who, on, privilege));
  },
];

/** The first privilege that a call needs and its caller does not have. */
function lacking(world: World, who: Tenant, target: MoRef, method: string, args: Record<string, unknown>) {
  return needed(world, target, method, args).find(({ on, privilege }) => !world.may(who, on, privilege));
}

async function attempt(
  world: World,
  who: Tenant,
  target: MoRef,
  method: string,
  args: Record<string, unknown>,
): Promise<'refused' | 'done' | 'failed'> {
  const missing = lacking(world, who, target, method, args);
  const before = picture(world);
  const untouchable = [...before].filter(([key]) => key !== CALLED && !mayTouch(world, who, key, target, method));
  const { fault, result } = await run(world, who, target, method, args);
  if (missing) {
    const { on, privilege } = missing;
    assert.ok(fault !== undefined && REFUSALS.has(fault), `${fault ?? 'done'} without ${privilege} on ${moRefKey(on)}`);
    assert.deepEqual(picture(world), before);
    return 'refused';
  }
  assert.notEqual(fault, 'NoPermission', 'refused, though nothing is missing');
  await quiet(world);
  world.changed();
  if (!TELLS_OF_MORE.has(method)) {
    const seen = refsIn(result).filter((ref) => schema.isSubtype(ref.type, 'ManagedEntity'));
    // What the call has made its maker knows, and where everything begins everybody.
    const there = seen.filter((ref) => before.has(moRefKey(ref)) && ref.value !== ROOT.value);
    const hidden = there.filter((ref) => !isKnown(world, who, ref, args));
    assert.deepEqual(hidden, [], 'is told of what it may not see');
  }
  const after = picture(world);
  const changed = untouchable.filter(([key, was]) => after.get(key) !== was);
  assert.deepEqual(new Map(changed.map(([key]) => [key, after.get(key)])), new Map(changed));
  return fault === undefined ? 'done' : 'failed';
}

interface Outcome {
  readonly fault: string | undefined;
  readonly result: unknown;
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
async function run(
  { center: { service } }: World,
  who: Tenant,
  target: MoRef,
  method: string,
  args: Record<string, unknown>,
): Promise<Outcome> {
  try {
    const result = await service.invoke({ this: target, method, args }, who.call);
    const task = (result as MoRef | undefined)?.type === 'Task' ? (result as MoRef<'Task'>) : undefined;
    while (task) {
      const info = service.graph.find(task)?.get('info');
      if (info?.state === 'success' || !info) return { fault: undefined, result: info?.result };
      if (info.state === 'error') return { fault: info.error?.fault._typeName ?? 'error', result: undefined };
      await turn();
    }
    return { fault: undefined, result };
  } catch (error) {
    // Arguments that no client could send: something that is not there was looked for.
    const fault = error instanceof MethodFault ? error.fault._typeName : `error: ${String(error)}`;
    return { fault, result: undefined };
  }
}

/** Entities, and what belongs to the service and to them; no tasks, no session's own. */
function targets({ center, entities }: World): MoRef[] {
  const others = [...center.service.graph.all()].filter(
    ({ ref, session }) => !session && ref.type !== 'Task' && !schema.isSubtype(ref.type, 'ManagedEntity'),
  );
  return [...entities(), ...entities(), ...others.map(({ ref }) => ref)];
}

/** Whether something of an entity may be different after a call that is allowed. */
function mayTouch(world: World, who: Tenant, key: string, target: MoRef, method: string): boolean {
  if (world.mayChange(who, refOf(key))) return true;
  const type = key.slice(0, key.indexOf(':'));
  return (ALONG[method]?.[target.type] ?? ALONG[method]?.['any'] ?? []).includes(type);
}

const ON_HOSTS = [
  'VirtualApp',
  'Datastore',
  'Network',
  'DistributedVirtualPortgroup',
  'ResourcePool',
  'VirtualMachine',
];
const EVERYTHING = schema.names('managed');

/** What goes along with what a call is about: what is on a host that leaves, what a role or a custom field is used by. */
const ALONG: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  Destroy_Task: {
    HostSystem: [...ON_HOSTS, 'ComputeResource'],
    ComputeResource: ON_HOSTS,
    ClusterComputeResource: ON_HOSTS,
    Datacenter: ON_HOSTS,
    Folder: ON_HOSTS,
    VmwareDistributedVirtualSwitch: ['DistributedVirtualPortgroup'],
    DistributedVirtualPortgroup: ['VmwareDistributedVirtualSwitch'],
    ResourcePool: ['ResourcePool', 'VirtualApp'],
  },
  DestroyNetwork: { any: ['VmwareDistributedVirtualSwitch'] },
  ReconfigureDVPortgroup_Task: { any: ['VmwareDistributedVirtualSwitch'] },
  PowerOnVApp_Task: { any: ['VirtualMachine'] },
  PowerOffVApp_Task: { any: ['VirtualMachine'] },
  SuspendVApp_Task: { any: ['VirtualMachine'] },
  DestroyChildren: { any: ['ResourcePool', 'VirtualApp'] },
  // A root pool has what its hosts have.
  DisconnectHost_Task: { any: ['ResourcePool'] },
  ReconnectHost_Task: { any: ['ResourcePool'] },
  EnterMaintenanceMode_Task: { any: ['ResourcePool'] },
  ExitMaintenanceMode_Task: { any: ['ResourcePool'] },
  MoveInto_Task: { any: ['VirtualMachine', 'ComputeResource', 'ResourcePool', 'VirtualApp'] },
  MoveHostInto_Task: { any: ['VirtualMachine', 'ComputeResource', 'ResourcePool', 'VirtualApp'] },
  UpdateAuthorizationRole: { any: EVERYTHING },
  RemoveAuthorizationRole: { any: EVERYTHING },
  MergePermissions: { any: EVERYTHING },
  RemoveCustomFieldDef: { any: EVERYTHING },
};

/** Properties, events and inherited permissions name places that somebody may not see: their ids, no more. */
const TELLS_OF_MORE: ReadonlySet<string> = new Set([
  'RetrieveProperties',
  'RetrievePropertiesEx',
  'QueryEvents',
  'RetrieveEntityPermissions',
]);
