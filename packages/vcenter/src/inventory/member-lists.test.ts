import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, moRef } from '@vivarium/vim';
import { ObjectGraph } from '@vivarium/vmomi';
import fc from 'fast-check';
import { MemberLists } from './member-lists.ts';

const OWNER = moRef('Folder', 'group-v1') as MoRef;
const member = (number: number) => moRef('VirtualMachine', `vm-${number}`) as MoRef;

void test('whatever comes and goes between two writings, a list shows its members in the order in which they came', () => {
  const step = fc.record({ kind: fc.constantFrom('add', 'remove', 'flush'), number: fc.nat({ max: 5 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const graph = new ObjectGraph();
      graph.add(OWNER, {});
      const lists = new MemberLists(graph);
      const counts = new Map<number, number>();
      for (const { kind, number } of steps) {
        const count = counts.get(number) ?? 0;
        if (kind === 'add') {
          lists.add(OWNER, 'childEntity', member(number));
          counts.set(number, count + 1);
        } else if (kind === 'remove') {
          lists.remove(OWNER, 'childEntity', member(number));
          if (count <= 1) counts.delete(number);
          else counts.set(number, count - 1);
        } else {
          lists.flush();
          assert.deepEqual(graph.get(OWNER).getPath('childEntity') ?? [], Array.from(counts.keys(), member));
        }
      }
    }),
    { numRuns: 300 },
  );
});
