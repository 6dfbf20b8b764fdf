import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '@vivarium/store';
import { moRef } from '@vivarium/vim';
import { inBatches } from './in-batches.ts';
import type { InventoryOp, InventoryStep } from './inventory.ts';

const remove = (id: number): InventoryOp => ({ remove: moRef('Network', `network-${id}`) });
const put = (id: number, name: string): InventoryOp => ({
  put: moRef('Network', `network-${id}`),
  record: { name, parent: moRef('Folder', 'group-n1'), datacenter: moRef('Datacenter', 'datacenter-1') },
});

void test('steps stay whole and in their order, and a store takes every batch with as much again', () => {
  const steps = Array.from({ length: 3000 }, (_, at): InventoryStep => {
    const ids = Array.from({ length: 1 + (at % 7) }, (__, of) => at * 7 + of);
    return { ops: ids.map(remove), more: ids.map((id) => ({ delete: `expected/${id}` })) };
  });
  const batches = [...inBatches(steps)];
  const all = (parts: readonly InventoryStep[]) => [
    parts.flatMap(({ ops }) => ops),
    parts.flatMap(({ more = [] }) => more),
  ];
  assert.deepEqual(all(batches), all(steps));
  const lengths = batches.map(({ ops, more }) => ops.length + more.length);
  assert.ok(lengths.every((length) => length <= limits.operations / 2));
  assert.ok(batches.every(({ ops, more }) => ops.length === more.length));
  const ends = new Set<number>();
  steps.reduce((sum, { ops }) => (ends.add(sum + ops.length), sum + ops.length), 0);
  let end = 0;
  for (const { ops } of batches) assert.ok(ends.has((end += ops.length)), 'no step is cut');
});

void test('few large records make a batch too; a step that is larger comes alone', () => {
  const large = put(1, 'x'.repeat(limits.bytes / 3));
  const small = Array.from({ length: 100 }, (_, at) => ({ ops: [put(at, 'y'.repeat(limits.bytes / 20))] }));
  const batches = [...inBatches([{ ops: [remove(1)] }, { ops: [large] }, { ops: [remove(2)] }, ...small])];
  assert.deepEqual(
    batches.slice(0, 2).map(({ ops }) => ops),
    [[remove(1)], [large]],
  );
  for (const batch of batches) assert.ok(JSON.stringify(batch).length < limits.bytes / 2);
  assert.deepEqual([...inBatches([])], []);
});
