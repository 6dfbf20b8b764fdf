import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lastLines } from './last-lines.ts';

void test('the last lines of a file of any length, but for one that is still being written', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'viv-lines-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'log');
  const all = Array.from({ length: 9000 }, (_, index) => `line ${index} é ${'x'.repeat(index % 50)}`);
  writeFileSync(path, `${all.join('\n')}\nunfinis`);
  const whole = Buffer.byteLength(`${all.join('\n')}\n`);
  for (const count of [1, 100, 8999, 9000, 20_000]) {
    assert.deepEqual(await lastLines(path, count), { lines: all.slice(-count), end: whole }, `${count}`);
  }
  writeFileSync(path, '');
  assert.deepEqual(await lastLines(path, 5), { lines: [], end: 0 });
});
