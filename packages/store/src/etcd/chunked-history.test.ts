import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EncodedEntry } from '../encode-entries.ts';
import { ChunkedHistory, type Upkeep } from './chunked-history.ts';
import { encodeDeflatedChunk, encodePlainChunk } from './history-chunk.ts';

/** What etcd holds: chunks by number; a history that was fed every change, and one that reads it all anew. */
class Fixture {
  readonly stored = new Map<number, Buffer>();
  readonly fed = new ChunkedHistory();
  #revision = 0;

  append(entries: readonly EncodedEntry[]): void {
    this.#put(this.fed.nextNumber('s'), encodePlainChunk(entries));
  }

  async keepUp(keep: number): Promise<Upkeep[]> {
    const done: Upkeep[] = [];
    for (let upkeep = this.fed.planUpkeep('s', keep); upkeep; upkeep = this.fed.planUpkeep('s', keep)) {
      done.push(upkeep);
      if (upkeep.kind === 'drop') {
        for (const number of upkeep.numbers) this.#delete(number);
      } else {
        this.#put(upkeep.last, await encodeDeflatedChunk(upkeep.entries));
        for (const number of [...this.stored.keys()]) {
          if (number >= upkeep.first && number < upkeep.last) this.#delete(number);
        }
      }
    }
    return done;
  }

  readAnew(): ChunkedHistory {
    const history = new ChunkedHistory();
    for (const [number, value] of [...this.stored].sort(([a], [b]) => a - b)) history.putChunk('s', number, value, 1);
    return history;
  }

  #put(number: number, value: Buffer): void {
    this.#revision += 1;
    this.stored.set(number, value);
    this.fed.putChunk('s', number, value, this.#revision);
  }

  #delete(number: number): void {
    this.stored.delete(number);
    this.fed.deleteChunk('s', number);
  }
}

const all = (history: ChunkedHistory) => history.page('s', { order: 'oldestFirst', limit: 100_000 });

void test('whatever is appended, replaced, merged and dropped: the newest version of each newest entry is there', async () => {
  const append = fc.array(fc.record({ key: fc.integer({ min: 1, max: 400 }), size: fc.nat(200) }), {
    minLength: 1,
    maxLength: 70,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(append, { maxLength: 150 }), fc.integer({ min: 50, max: 500 }), async (appends, keep) => {
      const fixture = new Fixture();
      const model = new Map<number, string>();
      for (const [turn, entries] of appends.entries()) {
        const unique = new Map(entries.map(({ key, size }) => [key, `${turn} ${'x'.repeat(size)}`]));
        for (const [key, value] of unique) model.set(key, value);
        fixture.append(Array.from(unique, ([key, value]) => ({ key, timeMs: turn, json: JSON.stringify(value) })));
        await fixture.keepUp(keep);
      }
      const found = all(fixture.fed);
      for (const { key, value } of found) assert.equal(value, model.get(key));
      const newest = [...model.keys()].sort((a, b) => b - a).slice(0, keep);
      for (const key of newest)
        assert.ok(
          found.some((entry) => entry.key === key),
          `entry ${key} is gone`,
        );
      assert.deepEqual(all(fixture.readAnew()), found);
    }),
    { numRuns: 40 },
  );
});

void test('a long stream of small appends becomes few chunks, and is written about twice', async () => {
  const fixture = new Fixture();
  let written = 0;
  for (let key = 1; key <= 5_000; key++) {
    fixture.append([{ key, timeMs: key, json: JSON.stringify({ text: `event ${key}` }) }]);
    for (const upkeep of await fixture.keepUp(2_000)) if (upkeep.kind === 'merge') written += upkeep.entries.length;
  }
  assert.ok(fixture.stored.size < 120, `${fixture.stored.size} chunks`);
  assert.ok(written < 15_000, `${written} entries were written again`);
  assert.ok(fixture.fed.count('s') >= 2_000 && fixture.fed.count('s') < 2_400);
  assert.equal(fixture.fed.lastKey('s'), 5_000);
});

void test('chunks whose entries are all replaced go', async () => {
  const fixture = new Fixture();
  for (let round = 0; round < 300; round++) {
    fixture.append([{ key: 1 + (round % 3), timeMs: round, json: String(round) }]);
    await fixture.keepUp(100);
  }
  assert.deepEqual(
    all(fixture.fed).map(({ value }) => value),
    [297, 298, 299],
  );
  assert.ok(fixture.stored.size < 70, `${fixture.stored.size} chunks`);
});

void test('a large chunk of few entries does not keep those behind it from being merged', async () => {
  const fixture = new Fixture();
  const large = (key: number): EncodedEntry => ({ key, timeMs: 1, json: JSON.stringify('x'.repeat(300_000)) });
  fixture.append([large(1)]);
  for (let key = 2; key <= 500; key++) {
    fixture.append(key === 250 ? [large(key)] : [{ key, timeMs: 1, json: '1' }]);
    await fixture.keepUp(50_000);
  }
  assert.equal(all(fixture.fed).length, 500);
  assert.ok(fixture.stored.size < 100, `${fixture.stored.size} chunks`);
});
