// A malicious tenant calls every operation of the Automation API, below /rest, below /api and by JSON-RPC: what it lacks a
// privilege for is refused and changes nothing; what it lacks nothing for is not refused.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { MoRef } from '@vivarium/vim';
import { type Draw, fetchFrom, picture, quiet, seededDraw, type Tenant } from '@vivarium/vmomi/testing/tenant';
import { automationOperations } from '../rest/automation.ts';
import type { Operation } from '../rest/operation.ts';
import { Tagging } from '../tagging/tagging.ts';
import { type Answered, call, FORMS, type Form, type Names, randomInput } from '../testing/tenant/automation-call.ts';
import { DOMAIN_ONLY, type Input, needsOf } from '../testing/tenant/automation-needs.ts';
import { tenantWorld, type World } from '../testing/tenant/world.ts';

const ROUNDS = Number(process.env['VIVARIUM_TENANTS'] ?? 1);
const TRIES = 25;
/** Documents that the Automation API alone changes. */
const DOCUMENTS = ['tagging/', 'sso/'];

void test('an operation of the Automation API is refused to whom it would be refused as a method', async (context) => {
  const seed = Number(process.env['VIVARIUM_SEED'] ?? Date.now() % 2 ** 31);
  context.diagnostic(`seed ${seed} (VIVARIUM_SEED=${seed} repeats it)`);
  const draw = seededDraw(seed);
  const count = { refused: 0, done: 0, failed: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const { world, operations, names } = await automationWorld(context, draw);
    for (const form of FORMS) {
      await world.changePermissions();
      for (const wantsRefusal of [true, false]) {
        for (const operation of operations) {
          const { who, input } = drawCall(world, operation, names, wantsRefusal);
          const outcome = await attempt(world, who, operation, input, form).catch((cause: unknown) => {
            const what = `${operation.service} ${operation.name} ${JSON.stringify(input)} below ${form}`;
            throw new Error(`${what} by ${who.userName} of ${who.groups.join()} (seed ${seed})`, { cause });
          });
          if (outcome) count[outcome] += 1;
        }
      }
    }
    const undriven = [...world.routes].filter((route) => AUTOMATION.test(route) && !world.driven.has(route));
    assert.deepEqual(undriven, [], 'routes that nobody came through');
  }
  context.diagnostic(JSON.stringify(count));
});

const AUTOMATION = /^\w+ \/(api|rest)(\/|$)/;

async function automationWorld(context: TestContext, draw: Draw) {
  const world = await tenantWorld(context, draw);
  const { service } = world.center;
  const tagging = new Tagging(service.store, service.random);
  const operations = automationOperations({ service, tagging, domain: world.domain });
  const unknown = operations.filter(({ service: of, name }) => needsOf(of, name) === undefined);
  assert.deepEqual(unknown, [], 'operations of which nobody has said what they need');
  return { world, operations, names: await namesIn(world) };
}

async function namesIn(world: World): Promise<Names> {
  const make = async (path: string, spec: object) =>
    String((await fetchFrom(world, world.admin, 'POST', `/api/cis/tagging/${path}`, spec)).body);
  const category = await make('category', {
    name: 'c',
    description: '',
    cardinality: 'MULTIPLE',
    associable_types: [],
  });
  return { category, tag: await make('tag', { name: 't', description: '', category_id: category }) };
}

/** Somebody who lacks something for the call, or lacks nothing: if a few draws find one. */
function drawCall(world: World, operation: Operation, names: Names, wantsRefusal: boolean) {
  for (let tries = TRIES; ; tries--) {
    const who = world.draw.pick(world.tenants);
    const input = randomInput(world, operation, names);
    if (tries === 0 || isRefused(world, who, operation, input) === wantsRefusal) return { who, input };
  }
}

function isRefused(world: World, who: Tenant, { service, name }: Operation, input: Input): boolean {
  const rule = needsOf(service, name);
  if (rule === undefined || rule === DOMAIN_ONLY) return true;
  return rule(world, input).some(({ on, privilege }) => !world.may(who, on, privilege));
}

async function attempt(
  world: World,
  who: Tenant,
  operation: Operation,
  input: Input,
  form: Form,
): Promise<'refused' | 'done' | 'failed' | undefined> {
  const isMissing = isRefused(world, who, operation, input);
  const before = state(world);
  const endsSession = operation.service === 'com.vmware.cis.session' && operation.name === 'delete';
  const answered = await call(world, endsSession ? world.open(who) : who, operation, input, form);
  if (!answered) return undefined;
  if (!isMissing) {
    await quiet(world);
    world.changed();
    if (isOpening(operation)) assert.equal(answered.error, 'unauthenticated');
    else assert.notEqual(answered.error, 'unauthorized', answered.text);
    if (operation.name === 'list') compareList(world, who, operation, answered);
    return answered.error === undefined ? 'done' : 'failed';
  }
  assert.notEqual(answered.error, undefined, `done, though something is missing: ${answered.text}`);
  const changed = [...state(world)].filter(([key, value]) => before.get(key) !== value);
  assert.deepEqual(changed, [], 'refused, but something is different');
  return 'refused';
}

/** It asks for a password, which no tenant here has. */
const isOpening = ({ service, name }: Operation) => service === 'com.vmware.cis.session' && name === 'create';

function state(world: World): Map<string, string> {
  const documents = DOCUMENTS.flatMap((prefix) => world.center.service.store.range(prefix));
  return new Map([...picture(world), ...documents.map(({ key, value }) => [key, JSON.stringify(value)] as const)]);
}

const LISTED: Readonly<Record<string, readonly string[]>> = {
  'com.vmware.vcenter.VM': ['VirtualMachine'],
  'com.vmware.vcenter.host': ['HostSystem'],
  'com.vmware.vcenter.cluster': ['ClusterComputeResource'],
  'com.vmware.vcenter.datacenter': ['Datacenter'],
  'com.vmware.vcenter.datastore': ['Datastore'],
  'com.vmware.vcenter.network': ['Network', 'DistributedVirtualPortgroup'],
  'com.vmware.vcenter.folder': ['Folder'],
  'com.vmware.vcenter.resource_pool': ['ResourcePool', 'VirtualApp'],
};

/** The ids in a list, however it is written, are those of what may be read. */
function compareList(world: World, who: Tenant, { service }: Operation, { text }: Answered): void {
  const types = LISTED[service];
  if (!types) return;
  const mayRead = (ref: MoRef) => types.includes(ref.type) && world.may(who, ref, 'System.Read');
  const wanted = world.entities().filter(mayRead);
  const said = new Set(Array.from(text.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, word]) => word));
  const listed = world.entities().filter((ref) => said.has(ref.value));
  assert.deepEqual(listed.map(({ value }) => value).sort(), wanted.map(({ value }) => value).sort());
}
