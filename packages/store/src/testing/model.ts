// Random batches against a store and against a plain map that does the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompareFailed } from '../errors.ts';
import type { Compare, Op, Store } from '../store.ts';
import { type EngineUnderTest, openIn } from './engine-under-test.ts';

const TURNS = 60;
const MOST_IN_TURN = 12;

/** xorshift32: a number below `bound`. */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed | 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

interface Model {
  readonly rows: Map<string, { value: unknown; revision: number }>;
}

export function testAgainstModel(engine: EngineUnderTest): void {
  void test(`${engine.name}: random batches of one turn end as if made one after the other`, async (context) => {
    const seed = Number(process.env['VIVARIUM_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    context.diagnostic(`VIVARIUM_SEED=${seed}`);
    const random = randomNumbers(seed);
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const model: Model = { rows: new Map() };
    for (let turn = 0; turn < TURNS; turn++) {
      const batches = Array.from({ length: 1 + random(MOST_IN_TURN) }, () => randomBatch(random, store));
      const outcomes = await Promise.allSettled(batches.map(({ ops, compares }) => store.batch(ops, compares)));
      for (const [index, outcome] of outcomes.entries())
        apply(model, batches[index] ?? { ops: [], compares: [] }, outcome);
      const found = store.range('').map(({ key, value, revision }) => [key, { value, revision }]);
      assert.deepEqual(
        found,
        [...model.rows].sort(([a], [b]) => (a < b ? -1 : 1)),
        `VIVARIUM_SEED=${seed}`,
      );
    }
  });
}

interface Batch {
  readonly ops: Op[];
  readonly compares: Compare[];
}

function randomBatch(random: (bound: number) => number, store: Store): Batch {
  const key = () => `k${random(8)}`;
  const ops = Array.from(
    { length: random(4) },
    (): Op => (random(3) === 0 ? { delete: key() } : { put: key(), value: random(1000) }),
  );
  const compares = Array.from({ length: random(3) }, (): Compare => {
    const compared = key();
    return { key: compared, revision: random(4) === 0 ? 0 : (store.get(compared)?.revision ?? 0) };
  });
  return { ops, compares };
}

function apply(model: Model, { ops, compares }: Batch, outcome: PromiseSettledResult<number>): void {
  const failed = compares.find(({ key, revision }) => (model.rows.get(key)?.revision ?? 0) !== revision);
  if (outcome.status === 'rejected') {
    assert.ok(failed && outcome.reason instanceof CompareFailed, String(outcome.reason));
    return;
  }
  assert.equal(failed, undefined, 'a batch was committed although a compare of it does not hold');
  for (const op of ops) {
    if ('put' in op) model.rows.set(op.put, { value: op.value, revision: outcome.value });
    else model.rows.delete(op.delete);
  }
}
