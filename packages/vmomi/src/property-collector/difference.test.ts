import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schema, type TypeRef } from '@vivarium/vim';
import fc from 'fast-check';
import { type Delta, nestedDifferences } from './difference.ts';
import { planPath } from './path-plan.ts';
import { applyDelta } from './test-client.ts';

const NEWEST = Number.POSITIVE_INFINITY;
const CONFIG: TypeRef = { type: 'VirtualMachineConfigInfo', kind: 'data', array: false, optional: false };

const short = ({ name, op, value }: Delta) => (value === undefined ? [op, name] : [op, name, value]);
const between = (before: object, after: object, rank = NEWEST) =>
  nestedDifferences('config', CONFIG, before, after, rank).map(short);

const cdrom = { _typeName: 'VirtualCdrom', key: 3000, connectable: { connected: false } };
const disk = { _typeName: 'VirtualDisk', key: 2000, capacityInKB: 1 };

const cases: [what: string, before: object, after: object, deltas: unknown[]][] = [
  ['equal values differ in nothing', { name: 'a' }, { name: 'a' }, []],
  [
    'a nested property is named',
    { hardware: { memoryMB: 1 } },
    { hardware: { memoryMB: 2 } },
    [['assign', 'config.hardware.memoryMB', 2]],
  ],
  ['what comes is assigned', { name: 'a' }, { name: 'a', annotation: 'x' }, [['assign', 'config.annotation', 'x']]],
  [
    'what is unset is assigned nothing',
    { name: 'a', annotation: 'x' },
    { name: 'a' },
    [['assign', 'config.annotation']],
  ],
  [
    'a device that comes is added',
    { hardware: { device: [cdrom] } },
    { hardware: { device: [cdrom, disk] } },
    [['add', 'config.hardware.device[2000]', disk]],
  ],
  [
    'a device that goes is removed',
    { hardware: { device: [cdrom, disk] } },
    { hardware: { device: [disk] } },
    [['remove', 'config.hardware.device[3000]']],
  ],
  [
    'a change inside a device is named by its key',
    { hardware: { device: [disk, cdrom] } },
    { hardware: { device: [disk, { ...cdrom, connectable: { connected: true } }] } },
    [['assign', 'config.hardware.device[3000].connectable.connected', true]],
  ],
  [
    'a device that became another kind is assigned whole',
    { hardware: { device: [disk] } },
    { hardware: { device: [{ ...cdrom, key: 2000 }] } },
    [['assign', 'config.hardware.device[2000]', { ...cdrom, key: 2000 }]],
  ],
  [
    'keys of text are quoted and escaped',
    { extraConfig: [] },
    { extraConfig: [{ key: 'a"b', value: 1 }] },
    [['add', 'config.extraConfig["a\\"b"]', { key: 'a"b', value: 1 }]],
  ],
  [
    'a new order is assigned whole',
    { hardware: { device: [cdrom, disk] } },
    { hardware: { device: [disk, cdrom] } },
    [['assign', 'config.hardware.device', [disk, cdrom]]],
  ],
  [
    'an element in between is assigned whole: an addition goes to the end',
    { hardware: { device: [cdrom] } },
    { hardware: { device: [disk, cdrom] } },
    [['assign', 'config.hardware.device', [disk, cdrom]]],
  ],
  [
    'elements that share a key are assigned whole',
    { extraConfig: [{ key: 'a', value: 1 }] },
    {
      extraConfig: [
        { key: 'a', value: 1 },
        { key: 'a', value: 2 },
      ],
    },
    [
      [
        'assign',
        'config.extraConfig',
        [
          { key: 'a', value: 1 },
          { key: 'a', value: 2 },
        ],
      ],
    ],
  ],
];

for (const [what, before, after, deltas] of cases) {
  void test(what, () => assert.deepEqual(between(before, after), deltas));
}

void test('many changes become one whole value', () => {
  const devices = (capacityInKB: number) => ({
    hardware: { device: Array.from({ length: 100 }, (_, key) => ({ _typeName: 'VirtualDisk', key, capacityInKB })) },
  });
  assert.deepEqual(between(devices(1), devices(2)), [['assign', 'config', devices(2)]]);
});

void test('what the client does not know is not named', () => {
  const rank = schema.rank('4.0') ?? 0;
  const before = { hardware: { memoryMB: 1, numCoresPerSocket: 1 } };
  const after = { hardware: { memoryMB: 1, numCoresPerSocket: 2 } };
  assert.deepEqual(between(before, after, rank), []);
});

void test('applied in order, the differences lead from any value to any other', () => {
  const device = fc.record(
    {
      _typeName: fc.constantFrom('VirtualDisk', 'VirtualCdrom'),
      key: fc.integer({ min: 1, max: 5 }),
      connectable: fc.record({ connected: fc.boolean() }, { noNullPrototype: true }),
      unitNumber: fc.nat(3),
    },
    { requiredKeys: ['_typeName', 'key'], noNullPrototype: true },
  );
  const option = fc.record(
    { key: fc.constantFrom('a', 'b"', 'c.d', '\\'), value: fc.nat(2) },
    { noNullPrototype: true },
  );
  const config = fc.record(
    {
      name: fc.string(),
      annotation: fc.string(),
      hardware: fc.record(
        { memoryMB: fc.nat(3), device: fc.array(device, { maxLength: 5 }) },
        { requiredKeys: [], noNullPrototype: true },
      ),
      extraConfig: fc.array(option, { maxLength: 4 }),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(config, config, (before, after) => {
      const copy: Record<string, unknown> = { config: structuredClone(before) };
      for (const delta of nestedDifferences('config', CONFIG, before, after, NEWEST)) {
        assert.ok(planPath('VirtualMachine', delta.name, NEWEST), delta.name);
        applyDelta(copy, delta);
      }
      assert.deepEqual(copy['config'], after);
    }),
    { numRuns: 1000, verbose: 1 },
  );
});
