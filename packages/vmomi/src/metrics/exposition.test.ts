import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { exposition, type Family, inPieces } from './exposition.ts';
import { Histogram } from './histogram.ts';

const text = (families: Iterable<Family>) => [...exposition(families)].join('');

void test('a family is announced once and its samples follow, labels escaped', () => {
  const family: Family = {
    name: 'vivarium_vm_cpus',
    help: 'Virtual CPUs.\nOf \\ VMs.',
    type: 'gauge',
    samples: [
      { labels: { vm: 'vm-1', name: 'a "b" \\c\nd' }, value: 2 },
      { value: Number.POSITIVE_INFINITY },
      { value: 0.25 },
    ],
  };
  assert.equal(
    text([family, { name: 'vivarium_none', help: '', type: 'gauge', samples: [] }]),
    [
      '# HELP vivarium_vm_cpus Virtual CPUs.\\nOf \\\\ VMs.',
      '# TYPE vivarium_vm_cpus gauge',
      'vivarium_vm_cpus{vm="vm-1",name="a \\"b\\" \\\\c\\nd"} 2',
      'vivarium_vm_cpus +Inf',
      'vivarium_vm_cpus 0.25',
      '',
    ].join('\n'),
  );
});

void test('buckets are cumulative, and the last holds all', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 2000, noNaN: true })), (durations) => {
      const histogram = new Histogram();
      for (const seconds of durations) histogram.add(seconds);
      const samples = [...histogram.samples({ method: 'x' })];
      const buckets = samples.filter(({ suffix }) => suffix === '_bucket');
      for (const { labels, value } of buckets) {
        const bound = labels?.['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels?.['le']);
        assert.equal(value, durations.filter((seconds) => seconds <= bound).length);
      }
      assert.equal(buckets.at(-1)?.labels?.['le'], '+Inf');
      assert.equal(samples.find(({ suffix }) => suffix === '_count')?.value, durations.length);
    }),
  );
});

void test('pieces put together are the lines', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.integer({ min: 1, max: 50 }), (lines, size) => {
      const pieces = [...inPieces(lines, size)];
      assert.equal(pieces.join(''), lines.join(''));
      assert.ok(pieces.slice(0, -1).every((piece) => piece.length >= size));
    }),
  );
});
