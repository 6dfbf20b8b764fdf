// Whatever a client sends as a filter spec, it gets an answer or a fault, soon.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, type MoRef, moRef, type PropertyFilterSpec } from '@vivarium/vim';
import fc from 'fast-check';
import { addFolder, addMachine, COLLECTOR, fault, ROOT, TestWorld } from './test-world.ts';

const refs: MoRef[] = [
  ROOT,
  moRef('Folder', 'group-v2'),
  moRef('VirtualMachine', 'vm-1'),
  moRef('VirtualMachine', 'vm-2'),
  COLLECTOR,
];

/** Folders that contain each other and themselves, machines that are in all of them. */
function knot(): TestWorld {
  const world = new TestWorld();
  const folders = [ROOT, moRef('Folder', 'group-v2')];
  for (const folder of folders) addFolder(world, folder, folder.value, refs, folder);
  for (const id of ['vm-1', 'vm-2']) addMachine(world, id, { parent: ROOT });
  return world;
}

const types = [
  'Folder',
  'VirtualMachine',
  'ManagedEntity',
  'PropertyCollector',
  'PropertyFilter',
  'Nope',
  '',
  'VirtualDisk',
];
const paths = [
  'childEntity',
  'parent',
  'name',
  'filter',
  'vm',
  'runtime.host',
  'a..b',
  '',
  'config.hardware.device[',
  '__proto__',
  'constructor',
];
const reference = fc.oneof(
  fc.constantFrom(...refs),
  fc.record(
    { type: fc.constantFrom('Folder', 'HostSystem', 'PropertyFilter'), value: fc.string({ maxLength: 4 }) },
    { noNullPrototype: true },
  ),
);
const { selection } = fc.letrec<{ selection: object }>((tie) => ({
  selection: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record(
      { name: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }) },
      { requiredKeys: [], noNullPrototype: true },
    ),
    fc.record(
      {
        _typeName: fc.constant('TraversalSpec'),
        name: fc.constantFrom('a', 'b', ''),
        type: fc.constantFrom(...types),
        path: fc.constantFrom(...paths),
        skip: fc.boolean(),
        selectSet: fc.array(tie('selection'), { maxLength: 4 }),
      },
      { requiredKeys: ['_typeName', 'type', 'path'], noNullPrototype: true },
    ),
  ),
}));
const spec = fc.record(
  {
    propSet: fc.array(
      fc.record(
        {
          type: fc.constantFrom(...types),
          all: fc.boolean(),
          pathSet: fc.array(fc.constantFrom(...paths), { maxLength: 4 }),
        },
        { requiredKeys: ['type'], noNullPrototype: true },
      ),
      { maxLength: 3 },
    ),
    objectSet: fc.array(
      fc.record(
        { obj: reference, skip: fc.boolean(), selectSet: fc.array(selection, { maxLength: 4 }) },
        { requiredKeys: ['obj'], noNullPrototype: true },
      ),
      { maxLength: 3 },
    ),
    reportMissingObjectsInResults: fc.boolean(),
  },
  { requiredKeys: ['propSet', 'objectSet'], noNullPrototype: true },
);

async function answerOrFault(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    assert.ok(isFault(error, 'MethodFault'), String(error));
    return undefined;
  }
}

void test('any filter spec is answered or refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(spec, { maxLength: 3 }), async (specSet) => {
      const world = knot();
      await answerOrFault(() => world.retrieve(specSet as unknown as PropertyFilterSpec[]));
      for (const one of specSet)
        await answerOrFault(() => world.createFilter(one as unknown as PropertyFilterSpec, true));
      const set = await world.check('');
      world.graph.remove(refs[1] ?? ROOT);
      world.graph.get(ROOT).set('childEntity', []);
      if (set) await world.check(set.version);
      world.user.end();
      assert.equal(world.router.size, 0, 'nothing is watched any more');
    }),
    { numRuns: 1000, verbose: 1, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true },
  );
});

void test('a dense knot of folders under as many selections as may be is walked in reasonable time', async () => {
  const world = new TestWorld();
  const folders = Array.from({ length: 100 }, (_, index) => moRef('Folder', `group-v${index}`));
  for (const folder of folders) addFolder(world, folder, folder.value, folders, folders[0]);
  const knotted = (count: number) => {
    const names = Array.from({ length: count }, (_, index) => ({ name: `s${index}` }));
    const selectSet = names.map(({ name }) => ({
      _typeName: 'TraversalSpec',
      name,
      type: 'Folder',
      path: 'childEntity',
      selectSet: names,
    }));
    return {
      propSet: [{ type: 'Folder', pathSet: ['name'] }],
      objectSet: [{ obj: folders[0], selectSet }],
    } as unknown as PropertyFilterSpec;
  };
  await assert.rejects(world.retrieve([knotted(50)]), fault('LimitExceeded', { limit: 2000 }));
  const started = performance.now();
  assert.equal((await world.retrieve([knotted(44)])).length, 100);
  await world.createFilter(knotted(44));
  const version = (await world.check(''))?.version ?? '';
  world.graph.get(folders[0] ?? ROOT).set('childEntity', []);
  const left = await world.check(version);
  assert.equal(left?.filterSet?.[0]?.objectSet?.length, 99);
  assert.ok(performance.now() - started < 60_000);
});
