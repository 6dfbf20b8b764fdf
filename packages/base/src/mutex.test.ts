import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Mutex } from './mutex.ts';

void test('sections run one after the other, in the order they were asked for', async () => {
  const mutex = new Mutex();
  const trace: string[] = [];
  const section = (name: string, turns: number) => async () => {
    trace.push(`${name} in`);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    trace.push(`${name} out`);
  };
  await Promise.all([mutex.run(section('a', 5)), mutex.run(section('b', 1)), mutex.run(section('c', 3))]);
  assert.deepEqual(trace, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
});

void test('a section that fails does not hold up the next one', async () => {
  const mutex = new Mutex();
  await assert.rejects(
    mutex.run(() => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await mutex.run(() => Promise.resolve(7)), 7);
});
