import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fault } from '../testing/test-service.ts';
import { browseLog } from './diagnostic-log.ts';

void test('a log is read by lines from anywhere; its end is told to who asks beyond it', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'viv-log-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'daemon.log');
  const log = { key: 'daemon', file, creator: 'daemon', label: 'Log', summary: 'Its log' };
  const browse = (args: object) => browseLog(log, { key: 'daemon', ...args });
  await assert.rejects(browse({}), fault('CannotAccessFile', { file }));
  writeFileSync(file, Array.from({ length: 1200 }, (_, index) => `line ${index + 1}\n`).join(''));
  const { lineStart, lineEnd, lineText = [] } = await browse({});
  assert.deepEqual([lineStart, lineEnd, lineText[0], lineText.length], [1, 1000, 'line 1', 1000]);
  const middle = await browse({ start: 1199, lines: 5 });
  assert.deepEqual(middle.lineText, ['line 1199', 'line 1200']);
  const beyond = await browse({ start: 2 ** 31 - 1, lines: 0 });
  assert.deepEqual([beyond.lineStart, beyond.lineEnd, beyond.lineText], [1201, 1200, []]);
  await assert.rejects(browseLog(log, { key: 'other' }), fault('InvalidArgument', { invalidProperty: 'key' }));
});
