import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type BlockStore, openSqliteBlocks, StoreFull } from '@vivarium/store';
import fc from 'fast-check';
import { Archive, type ArchiveLevel } from './archive.ts';
import { counterKey } from './counters.ts';
import { type MetricValue, MISSING, metricFilter } from './metric.ts';
import { rollUp } from './roll-up.ts';

const directory = mkdtempSync(join(tmpdir(), 'viv-archive-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = () => join(directory, `${files++}.db`);

const everything = metricFilter([]);
const USAGE = counterKey('cpu.usage.average');
const READY = counterKey('cpu.ready.summation');
const level = (periodS: number, lengthS: number, more: Partial<ArchiveLevel> = {}): ArchiveLevel => ({
  periodS,
  lengthS,
  isEnabled: true,
  keeps: everything,
  ...more,
});
const LEVELS = [level(300, 86_400), level(1800, 604_800), level(7200, 2_592_000), level(86_400, 31_536_000)];
const START = Date.UTC(2026, 10, 20);
const usage = (value: number, instance = ''): MetricValue => ({ counter: USAGE, instance, value });
const ready = (value: number): MetricValue => ({ counter: READY, instance: '', value });

const LATER = () => START + 10 * 365 * 86_400_000;

async function openArchive(levels: readonly ArchiveLevel[] = LEVELS, path = ':memory:', now = LATER) {
  const blocks = openSqliteBlocks(path);
  return { archive: new Archive({ blocks, levels: () => levels, now }), blocks, path };
}

void test('five-minute figures become half hours, two hours and days, each by its own rule', async () => {
  const { archive, blocks } = await openArchive();
  for (let period = 1; period <= 288; period++) {
    await archive.put(START + period * 300_000, [['vm-1', [usage(period), ready(10)]]]);
  }
  const read = (periodS: number) => archive.read('vm-1', periodS, everything);
  const half = read(1800);
  assert.equal(half.times.length, 48);
  assert.deepEqual(
    half.series.map(({ values }) => values[0]),
    [4, 60], // the average of 1 … 6, rounded; six times 10
  );
  assert.equal(half.times[0], START + 1_800_000);
  assert.deepEqual(
    read(7200).series.map(({ values }) => values[0]),
    [13, 240],
  );
  const day = read(86_400);
  assert.deepEqual(day.times, [START + 86_400_000]);
  assert.deepEqual(
    day.series.map(({ values }) => values[0]),
    [145, 2_880],
  );
  await blocks.close();
});

void test('figures age by the length of their interval', async () => {
  const { archive, blocks } = await openArchive([level(300, 3600), level(1800, 7200)]);
  for (let period = 1; period <= 60; period++) await archive.put(START + period * 300_000, [['vm-1', [usage(1)]]]);
  assert.equal(archive.read('vm-1', 300, everything).times.length, 12);
  assert.equal(archive.read('vm-1', 1800, everything).times.length, 4);
  await blocks.close();
});

void test('a clock that is years ahead for a while costs a little of what is oldest, and nothing of what comes after', async () => {
  let nowMs = START;
  const { archive, blocks } = await openArchive([level(300, 86_400), level(1800, 604_800)], ':memory:', () => nowMs);
  const period = async () => {
    nowMs += 300_000;
    await archive.put(nowMs, [['vm-1', [usage(1)]]]);
  };
  for (let count = 0; count < 288; count++) await period();
  nowMs += 10 * 365 * 86_400_000;
  for (let count = 0; count < 6; count++) await period();
  nowMs -= 10 * 365 * 86_400_000;
  const { times } = archive.read('vm-1', 300, everything);
  assert.equal(times.length, 288 - 2 * 6);
  assert.equal(archive.newestOf('vm-1', 300, nowMs - 86_400_000), times.at(-1));
  for (let count = 0; count < 6; count++) await period();
  assert.equal(archive.read('vm-1', 300, everything).times.at(-1), nowMs);
  assert.equal(archive.read('vm-1', 1800, everything).times.at(-1), nowMs);
  assert.deepEqual(blocks.ids('entities', { from: 0, until: 10 }), [0]);
  await blocks.close();
});

void test('an interval keeps its own level, and a disabled one and all above it nothing', async () => {
  const wholes = ({ instance }: { instance: string }) => instance === '';
  const { archive, blocks } = await openArchive([
    level(300, 86_400),
    level(1800, 604_800, { keeps: wholes }),
    level(7200, 604_800, { isEnabled: false }),
    level(86_400, 604_800),
  ]);
  for (let period = 1; period <= 288; period++) {
    await archive.put(START + period * 300_000, [['vm-1', [usage(1), usage(1, '0')]]]);
  }
  assert.equal(archive.metrics('vm-1', 300).length, 2);
  assert.deepEqual(archive.metrics('vm-1', 1800), [{ counter: USAGE, instance: '' }]);
  assert.deepEqual([archive.newestMs(7200), archive.newestMs(86_400)], [undefined, undefined]);
  await blocks.close();
});

void test('what comes late is rolled up too', async () => {
  const { archive, blocks } = await openArchive();
  for (let period = 1; period <= 24; period++) {
    await archive.put(START + period * 300_000, [['host-1', [ready(1)]]]);
  }
  for (let period = 1; period <= 24; period++) {
    await archive.put(START + period * 300_000, [['vm-1', [ready(2)]]]);
  }
  const figure = (entity: string, periodS: number) => archive.read(entity, periodS, everything).series[0]?.values;
  assert.deepEqual(figure('vm-1', 7200), [48]);
  assert.deepEqual(figure('host-1', 7200), [24], 'and spoils nothing of others');
  await blocks.close();
});

void test('a daemon that was killed between a figure and its roll-up makes up for it', async () => {
  const { archive, blocks, path } = await openArchive([level(300, 86_400)], newPath()); // never gets to the others
  for (let period = 1; period <= 24; period++) await archive.put(START + period * 300_000, [['vm-1', [ready(1)]]]);
  await blocks.close();
  const again = await openArchive(LEVELS, path);
  await again.archive.catchUp();
  assert.deepEqual(again.archive.read('vm-1', 7200, everything).series[0]?.values, [24]);
  await again.blocks.close();
});

void test('a full disk loses the period and nothing else, names included', async () => {
  const { blocks, path } = await openArchive(LEVELS, newPath());
  let isFull = true;
  const failing: BlockStore = {
    ...methods(blocks),
    write: (changes) => (isFull ? Promise.reject(new StoreFull('no room')) : blocks.write(changes)),
  };
  const archive = new Archive({ blocks: failing, levels: () => LEVELS, now: LATER });
  await assert.rejects(archive.put(START + 300_000, [['vm-1', [usage(1)]]]), StoreFull);
  isFull = false;
  await archive.put(START + 600_000, [['vm-1', [usage(2)]]]);
  await blocks.close();
  const again = await openArchive(LEVELS, path);
  assert.deepEqual(again.archive.read('vm-1', 300, everything).series[0]?.values, [2]);
  await again.blocks.close();
});

void test('entities without a figure for the longest time are forgotten', async () => {
  const { archive, blocks } = await openArchive([level(300, 86_400)]);
  await archive.put(START, [['gone', [usage(1)]]]);
  for (let day = 1; day <= 3; day++) await archive.put(START + day * 86_400_000, [['here', [usage(1)]]]);
  assert.deepEqual(blocks.ids('entities', { from: 0, until: 10 }), [1]);
  assert.deepEqual(archive.read('gone', 300, everything).times, []);
  assert.deepEqual([...archive.at(300, START + 3 * 86_400_000)], [['here', [usage(1)]]]);
  await blocks.close();
});

void test('a damaged block is a gap', async () => {
  const { archive, blocks } = await openArchive();
  for (let period = 1; period <= 3; period++) await archive.put(START + period * 300_000, [['vm-1', [usage(period)]]]);
  const [, id = 0] = blocks.ids('p300', { from: 0, until: Number.MAX_SAFE_INTEGER });
  await blocks.write({ puts: [{ series: 'p300', block: { id, bytes: Uint8Array.of(1, 0) } }] });
  assert.deepEqual(archive.read('vm-1', 300, everything).series[0]?.values, [1, 3]);
  await blocks.close();
});

void test('random figures of 150 entities come back as they were put, in every order of putting', async () => {
  const puts = fc.array(
    fc.record({
      period: fc.integer({ min: 1, max: 12 }),
      entity: fc.nat({ max: 149 }).map((number) => `vm-${number}`),
      value: fc.nat({ max: 2 ** 33 }),
      device: fc.constantFrom('', '4000'),
    }),
    { minLength: 1, maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(puts, async (list) => {
      const { archive, blocks } = await openArchive();
      try {
        const known = new Map<string, number>();
        for (const { period, entity, value, device } of list) {
          await archive.put(START + period * 300_000, [[entity, [usage(value, device)]]]);
          // A later put of the same entity and time takes the place of the earlier one.
          for (const other of ['', '4000']) known.delete(`${entity} ${period} ${other}`);
          known.set(`${entity} ${period} ${device}`, value);
        }
        for (const entity of new Set(list.map((put) => put.entity))) {
          const { times, series } = archive.read(entity, 300, everything);
          for (const { instance, values } of series) {
            for (const [index, value] of values.entries()) {
              const period = ((times[index] ?? 0) - START) / 300_000;
              assert.equal(value, known.get(`${entity} ${period} ${instance}`) ?? MISSING);
            }
          }
          const half = archive.read(entity, 1800, everything);
          for (const { instance, values } of half.series) {
            for (const [index, value] of values.entries()) {
              const last = ((half.times[index] ?? 0) - START) / 300_000;
              const parts = [5, 4, 3, 2, 1, 0].map(
                (back) => known.get(`${entity} ${last - back} ${instance}`) ?? MISSING,
              );
              assert.equal(value, rollUp('average', parts));
            }
          }
        }
      } finally {
        await blocks.close();
      }
    }),
    { numRuns: 40 },
  );
});

function methods(blocks: BlockStore): BlockStore {
  return {
    get: (series, id) => blocks.get(series, id),
    range: (series, range) => blocks.range(series, range),
    ids: (series, range) => blocks.ids(series, range),
    lastId: (series) => blocks.lastId(series),
    firstId: (series) => blocks.firstId(series),
    write: (changes) => blocks.write(changes),
    close: () => blocks.close(),
  };
}
