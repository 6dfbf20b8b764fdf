// The model test of the PropertyCollector: random inventories, changes, rights, filters and views; whatever a client
// accumulates from its answers must equal what a naive oracle finds by looking at everything. Two sessions of one user do much the
// same (so that their filters share what they can), but ask, destroy and lose answers each at its own times.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isFault,
  type MoRef,
  moRef,
  moRefKey,
  type PropertyFilterSpec,
  type SelectionSpec,
  schema,
  type UpdateSet,
} from '@vivarium/vim';
import fc from 'fast-check';
import type { Call } from '../call.ts';
import { type ObjectCopy, TestClient } from './test-client.ts';
import { Oracle } from './test-oracle.ts';
import { COLLECTOR, ROOT, TestWorld, VIEW_MANAGER } from './test-world.ts';

const FOLDERS = [ROOT, ...['group-v1', 'group-v2', 'group-v3'].map((id) => moRef('Folder', id))];
const MACHINES = ['vm-1', 'vm-2', 'vm-3', 'vm-4'].map((id) => moRef('VirtualMachine', id));
const NETWORKS = ['network-1', 'network-2'].map((id) => moRef('Network', id));
const ENTITIES: readonly MoRef[] = [...FOLDERS, ...MACHINES, ...NETWORKS];

type Action =
  | { readonly do: 'add' | 'remove' | 'unparent'; readonly on: MoRef }
  | { readonly do: 'set'; readonly on: MoRef; readonly path: string; readonly value: unknown }
  | { readonly do: 'children'; readonly on: MoRef; readonly refs: readonly MoRef[] }
  | { readonly do: 'rights'; readonly hidden: readonly MoRef[]; readonly unreadable: readonly MoRef[] }
  | { readonly do: 'side'; readonly sides: Sides; readonly step: SideAction };

/** What sessions do. */
type SideAction =
  | { readonly do: 'filter'; readonly spec: SpecDraft; readonly partialUpdates: boolean }
  | { readonly do: 'unfilter' | 'unview'; readonly index: number }
  | { readonly do: 'containerView'; readonly on: MoRef; readonly types: readonly string[]; readonly recursive: boolean }
  | { readonly do: 'listView'; readonly refs: readonly MoRef[] }
  | {
      readonly do: 'modifyList';
      readonly index: number;
      readonly add: readonly MoRef[];
      readonly remove: readonly MoRef[];
    }
  | { readonly do: 'ask'; readonly part: number | undefined }
  | { readonly do: 'askAndLose' | 'askAgainFromBefore' | 'restart' };

/** Which of the sessions do it. */
type Sides = readonly (0 | 1)[];

/** A spec whose roots may be views, which exist only later. */
interface SpecDraft {
  readonly propSet: PropertyFilterSpec['propSet'];
  readonly roots: readonly { readonly at: MoRef | number; readonly skip: boolean }[];
  readonly selectSet: readonly SelectionSpec[];
}

const of = <T>(items: readonly T[]) => fc.constantFrom(...items);
const plain = { noNullPrototype: true } as const;

const device = fc.record(
  {
    _typeName: fc.constantFrom('VirtualDisk', 'VirtualCdrom'),
    key: fc.integer({ min: 1, max: 4 }),
    unitNumber: fc.nat(2),
  },
  plain,
);
const config = fc.record(
  {
    _typeName: fc.constant('VirtualMachineConfigInfo'),
    name: fc.constantFrom('a', 'b'),
    annotation: fc.constantFrom('x', 'y'),
    hardware: fc.record(
      {
        _typeName: fc.constant('VirtualHardware'),
        memoryMB: fc.nat(2),
        device: fc.uniqueArray(device, { selector: (one) => one.key }),
      },
      { ...plain, requiredKeys: ['_typeName'] },
    ),
  },
  { ...plain, requiredKeys: ['_typeName'] },
);
const runtime = fc.record(
  {
    _typeName: fc.constant('VirtualMachineRuntimeInfo'),
    powerState: fc.constantFrom('poweredOn', 'poweredOff'),
    paused: fc.boolean(),
  },
  { ...plain, requiredKeys: ['_typeName'] },
);

const setAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    do: fc.constant('set' as const),
    on: of(ENTITIES),
    path: fc.constant('name'),
    value: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
  }),
  fc.record({
    do: fc.constant('set' as const),
    on: of(MACHINES),
    path: fc.constant('config'),
    value: fc.option(config, { nil: undefined }),
  }),
  fc.record({
    do: fc.constant('set' as const),
    on: of(MACHINES),
    path: fc.constant('runtime'),
    value: fc.option(runtime, { nil: undefined }),
  }),
  fc.record({
    do: fc.constant('set' as const),
    on: of(MACHINES),
    path: fc.constant('network'),
    value: fc.subarray(NETWORKS),
  }),
  fc.record({
    do: fc.constant('set' as const),
    on: of(NETWORKS),
    path: fc.constant('vm'),
    value: fc.subarray(MACHINES),
  }),
  fc.record({ do: fc.constant('set' as const), on: of(ENTITIES), path: fc.constant('parent'), value: of(FOLDERS) }),
);

const paths: Record<string, string[]> = {
  VirtualMachine: [
    'name',
    'config',
    'config.hardware',
    'config.hardware.device',
    'config.hardware.device[1]',
    'config.hardware.device[2].unitNumber',
    'runtime',
    'runtime.powerState',
    'network',
    'parent',
  ],
  ManagedEntity: ['name', 'parent'],
  Folder: ['name', 'childEntity'],
  Network: ['vm'],
  ContainerView: ['view', 'container'],
  ListView: ['view'],
};
const propSet = fc.oneof(
  ...Object.entries(paths).map(([type, all]) => fc.subarray(all).map((pathSet) => ({ type: type as never, pathSet }))),
);

const STEPS = [
  { name: 'children', type: 'Folder', path: 'childEntity' },
  { name: 'parent', type: 'ManagedEntity', path: 'parent' },
  { name: 'networks', type: 'VirtualMachine', path: 'network' },
  { name: 'machines', type: 'Network', path: 'vm' },
  { name: 'view', type: 'ContainerView', path: 'view' },
  { name: 'list', type: 'ListView', path: 'view' },
];
const selectSet = fc
  .array(fc.record({ next: fc.subarray(STEPS.map((step) => step.name)), skip: fc.boolean() }), {
    minLength: STEPS.length,
    maxLength: STEPS.length,
  })
  .map((drafts) =>
    STEPS.map((step, index) => ({
      _typeName: 'TraversalSpec',
      ...step,
      skip: drafts[index]?.skip ?? false,
      selectSet: (drafts[index]?.next ?? []).map((name) => ({ name })),
    })),
  );
const anySpec: fc.Arbitrary<SpecDraft> = fc.record({
  propSet: fc.array(propSet, { minLength: 1, maxLength: 3 }),
  roots: fc.array(fc.record({ at: fc.oneof(of(ENTITIES), fc.nat(5)), skip: fc.boolean() }), {
    minLength: 1,
    maxLength: 3,
  }),
  selectSet,
});

/** As most clients write it: what is in a view of their own. */
const viewSpec: fc.Arbitrary<SpecDraft> = fc.record({
  propSet: fc.subarray(paths['VirtualMachine'] ?? []).map((pathSet) => [
    { type: 'VirtualMachine' as never, pathSet },
    { type: 'Folder' as never, pathSet: ['name'] },
  ]),
  roots: fc.record({ at: fc.nat(5), skip: fc.constant(true) }).map((root) => [root]),
  selectSet: fc.constant([{ _typeName: 'TraversalSpec', type: 'ContainerView', path: 'view', skip: false }]),
});
const spec = fc.oneof(anySpec, viewSpec);

const made: fc.Arbitrary<SideAction> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('filter' as const), spec, partialUpdates: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('containerView' as const),
      on: of(FOLDERS),
      types: fc.subarray(['VirtualMachine', 'Folder', 'Network', 'ManagedEntity']),
      recursive: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('listView' as const), refs: fc.subarray([...ENTITIES]) }) },
);
const used: fc.Arbitrary<SideAction> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('unfilter' as const, 'unview' as const), index: fc.nat(5) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('modifyList' as const),
      index: fc.nat(5),
      add: fc.subarray([...ENTITIES]),
      remove: fc.subarray([...ENTITIES]),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('ask' as const), part: fc.constantFrom(undefined, undefined, 1, 2) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('askAndLose' as const, 'askAgainFromBefore' as const, 'restart' as const),
    }),
  },
);
const BOTH: Sides = [0, 1];
const onSides = (step: fc.Arbitrary<SideAction>, sides: fc.Arbitrary<Sides>): fc.Arbitrary<Action> =>
  fc.record({ do: fc.constant('side' as const), sides, step });

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: setAction },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('children' as const),
      on: of(FOLDERS),
      refs: fc.array(of(ENTITIES), { maxLength: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('add' as const, 'remove' as const, 'unparent' as const),
      on: of(ENTITIES),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('rights' as const),
      hidden: fc.subarray([...ENTITIES], { maxLength: 2 }),
      unreadable: fc.subarray([...ENTITIES], { maxLength: 3 }),
    }),
  },
  { weight: 4, arbitrary: onSides(made, fc.constantFrom(BOTH, BOTH, BOTH, [0], [1])) },
  { weight: 10, arbitrary: onSides(used, fc.constantFrom([0], [0], [1], BOTH)) },
);

class Run {
  readonly world = new TestWorld();
  readonly sessions = [this.world.user, this.world.login('user')];
  readonly #sides = this.sessions.map(({ session }) => new Side(this.world, this.world.call(session)));

  constructor() {
    for (const ref of ENTITIES) this.#add(ref);
    this.world.graph.get(ROOT).set('childEntity', [...FOLDERS.slice(1), ...MACHINES.slice(0, 2)]);
  }

  async do(step: Action): Promise<void> {
    const { world } = this;
    switch (step.do) {
      case 'add':
        if (!world.graph.find(step.on)) this.#add(step.on);
        break;
      case 'remove':
        if (step.on !== ROOT) world.graph.remove(step.on);
        break;
      case 'unparent':
        world.graph.find(step.on)?.set('parent', undefined);
        break;
      case 'set':
        world.graph.find(step.on)?.set(step.path, step.value);
        break;
      case 'children':
        world.graph.find(step.on)?.set('childEntity', step.refs);
        break;
      case 'rights': {
        const hidden = new Set(step.hidden.map(moRefKey));
        const unreadable = new Set(step.unreadable.map(moRefKey));
        world.authorization.change(
          (_, { ref }, privilege) =>
            !hidden.has(moRefKey(ref)) && (privilege === 'System.View' || !unreadable.has(moRefKey(ref))),
        );
        break;
      }
      case 'side':
        for (const side of step.sides) await this.#sides[side]?.do(step.step);
        break;
    }
  }

  async finish(): Promise<void> {
    for (const side of this.#sides) await side.ask(undefined);
    for (const session of this.sessions) session.end();
  }

  #add(ref: MoRef): void {
    const own = ref.type === 'Folder' ? { childEntity: [] } : {};
    this.world.graph.add(ref, { name: ref.value, ...own } as never);
  }
}

/** One session and its client. */
class Side {
  readonly world: TestWorld;
  readonly call: Call;
  readonly oracle: Oracle;
  readonly client = new TestClient((filter, type) => this.#pathsOf(filter, type));
  readonly filters: { readonly ref: MoRef; readonly spec: PropertyFilterSpec }[] = [];
  readonly views: MoRef[] = [];
  #before: { readonly version: string; readonly filters: TestClient['filters'] } = { version: '', filters: new Map() };

  constructor(world: TestWorld, call: Call) {
    this.world = world;
    this.call = call;
    this.oracle = new Oracle(world);
  }

  async do(step: SideAction): Promise<void> {
    switch (step.do) {
      case 'filter':
        await this.#createFilter(step.spec, step.partialUpdates);
        break;
      case 'unfilter':
        await this.#destroyFilter(step.index);
        break;
      case 'containerView':
        await this.#createView('CreateContainerView', {
          container: step.on,
          type: step.types,
          recursive: step.recursive,
        });
        break;
      case 'listView':
        await this.#createView('CreateListView', { obj: step.refs.filter((ref) => this.world.graph.find(ref)) });
        break;
      case 'unview': {
        const [view] = this.views.splice(step.index % (this.views.length || 1), 1);
        if (view) await this.world.invoke(view, 'DestroyView', {}, this.call);
        break;
      }
      case 'modifyList': {
        const view = this.views[step.index % (this.views.length || 1)];
        if (view?.type === 'ListView')
          await this.world.invoke(view, 'ModifyListView', { add: step.add, remove: step.remove }, this.call);
        break;
      }
      case 'ask':
        await this.ask(step.part);
        break;
      case 'askAndLose':
        await this.#request(this.client.version);
        break;
      case 'askAgainFromBefore':
        await this.#askAgainFromBefore();
        break;
      case 'restart':
        this.client.version = '';
        this.client.filters.clear();
        await this.ask(undefined);
        break;
    }
  }

  /** Catches up, in parts or at once, and compares. */
  async ask(part: number | undefined): Promise<void> {
    this.#before = {
      version: this.client.version,
      filters: new Map([...this.client.filters].map(([filter, objects]) => [filter, new Map(objects)])),
    };
    let set = await this.#request(this.client.version, part);
    this.client.apply(set);
    // What a client accumulates of one answer counts from where it started: only then is it compared.
    while (set?.truncated === true) {
      set = await this.#request(this.client.version, part);
      this.client.apply(set);
    }
    this.#compare();
  }

  /** A client that lost the last answer: it has the copy from before, and asks from there. */
  async #askAgainFromBefore(): Promise<void> {
    const { version, filters } = this.#before;
    if (version === '') return;
    try {
      const answer = await this.#request(version);
      this.client.version = version;
      this.client.filters.clear();
      for (const [filter, objects] of filters) this.client.filters.set(filter, new Map(objects));
      for (const filter of filters.keys()) {
        if (!this.filters.some(({ ref }) => ref.value === filter)) this.client.filters.delete(filter);
      }
      this.client.apply(answer);
      this.#compare();
    } catch (error) {
      if (!isFault(error, 'InvalidCollectorVersion')) throw error;
    }
  }

  async #request(version: string, maxObjectUpdates?: number): Promise<UpdateSet | undefined> {
    const options = { maxWaitSeconds: 0, ...(maxObjectUpdates === undefined ? {} : { maxObjectUpdates }) };
    return await this.world.invoke(COLLECTOR, 'WaitForUpdatesEx', { version, options }, this.call);
  }

  async #createFilter(draft: SpecDraft, partialUpdates: boolean): Promise<void> {
    const objectSet = draft.roots.map(({ at, skip }) => {
      const obj = typeof at === 'number' ? (this.views[at % (this.views.length || 1)] ?? ROOT) : at;
      return { obj, skip, selectSet: draft.selectSet as SelectionSpec[] };
    });
    const full: PropertyFilterSpec = { propSet: draft.propSet, objectSet, reportMissingObjectsInResults: true };
    this.filters.push({ ref: await this.world.createFilter(full, partialUpdates, this.call), spec: full });
  }

  async #destroyFilter(index: number): Promise<void> {
    const [filter] = this.filters.splice(index % (this.filters.length || 1), 1);
    if (!filter) return;
    await this.world.invoke(filter.ref, 'DestroyPropertyFilter', {}, this.call);
    this.client.filters.delete(filter.ref.value);
  }

  async #createView(method: string, args: object): Promise<void> {
    try {
      this.views.push(await this.world.invoke(VIEW_MANAGER, method, args, this.call));
    } catch (error) {
      if (!isFault(error, 'ManagedObjectNotFound')) throw error;
    }
  }

  #pathsOf(filter: string, type: string): string[] {
    const sets = this.filters.find(({ ref }) => ref.value === filter)?.spec.propSet ?? [];
    return sets.filter((set) => schema.isSubtype(type, set.type)).flatMap((set) => set.pathSet ?? []);
  }

  #compare(): void {
    for (const { ref, spec: wanted } of this.filters) {
      const known = this.client.filters.get(ref.value) ?? new Map<string, ObjectCopy>();
      assert.deepEqual(normal(known), normal(this.oracle.report(wanted)));
    }
  }
}

/** Comparable: in the order of ids, views as sets, references without their type name. */
function normal(objects: ReadonlyMap<string, ObjectCopy>): unknown {
  const sorted = [...objects].sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.map(([key, { values, missing }]) => {
    const comparable = Object.entries(values).map(([path, value]) => [
      path,
      path === 'view' ? viewIds(value) : stripped(value),
    ]);
    return [key, Object.fromEntries(comparable.sort()), missing];
  });
}

function viewIds(value: unknown): string[] {
  return (value as MoRef[]).map(moRefKey).sort();
}

function stripped(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, item: unknown) =>
      key === '_typeName' && item === 'ManagedObjectReference' ? undefined : item,
    ),
  );
}

void test('what clients accumulate is what is there, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60, size: 'max' }), async (actions) => {
      const run = new Run();
      for (const step of actions) await run.do(step);
      await run.finish();
      assert.equal(run.world.timers, 0);
      assert.equal(run.world.router.size, 0, 'nobody watches any more');
    }),
    { numRuns: 300, verbose: 1 },
  );
});
