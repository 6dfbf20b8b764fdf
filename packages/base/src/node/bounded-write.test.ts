import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { boundedWrite } from './bounded-write.ts';
import { logSink } from './log-sink.ts';

void test('a log is never larger than it may be, and what came before its first line is beside it', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'viv-log-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'log');
  const read = (name: string) => readFileSync(name, 'utf8').trimEnd().split('\n').map(Number);
  for (const [from, until] of [
    [0, 60],
    [60, 100],
  ] as const) {
    const fd = openSync(path, 'a'); // the second daemon goes on with the file of the first
    const sink = logSink(fd, boundedWrite(fd, 100));
    for (let number = from; number < until; number++) sink.write(`${number}\n`);
    closeSync(fd);
  }
  assert.ok(readFileSync(path).length <= 100 && readFileSync(`${path}.1`).length <= 100);
  const kept = [...read(`${path}.1`), ...read(path)];
  assert.equal(kept.at(-1), 99);
  assert.deepEqual(
    kept,
    Array.from(kept, (_, index) => index + 100 - kept.length),
  );
});

void test('what is no file is written to as it is', () => {
  const fd = openSync('/dev/null', 'w');
  assert.equal(boundedWrite(fd, 1)(fd, Buffer.from('more than one')), 13);
  closeSync(fd);
});
