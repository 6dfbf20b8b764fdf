import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProcessStat, readProcessUsage } from './process-usage.ts';

void test('a command name with parentheses does not shift the fields', () => {
  const line = `42 (qemu) (x) S 1 42 42 0 -1 0 0 0 0 0 150 50 0 0 20 0 5 0 9 1000 256 0`;
  assert.deepEqual(parseProcessStat(line), { cpuSeconds: 2, residentBytes: 256 * 4096 });
});

void test('this process is read, a dead one is not', async () => {
  const usage = await readProcessUsage(process.pid);
  assert.ok(usage && usage.residentBytes > 1 << 20);
  assert.equal(await readProcessUsage(2 ** 22 + 1), undefined);
});
