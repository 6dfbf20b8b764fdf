import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSqliteStore } from '../index.ts';

const WRITER = fileURLToPath(new URL('./fixtures/crash-writer.ts', import.meta.url));
const ROUNDS = 4;
const ACKNOWLEDGED_BEFORE_KILL = 150;

void test('kill -9 loses no acknowledged write and tears no batch', { timeout: 60_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'viv-store-'));
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const path = join(directory, `${round}.db`);
      const acknowledged = await writeUntilKilled(path);
      const store = openSqliteStore(path);
      for (const [lane, number] of acknowledged) {
        const left = store.get<{ number: number }>(`lane/${lane}/left`)?.value.number ?? 0;
        assert.ok(left >= number, `lane ${lane}: ${number} was acknowledged, ${left} is there`);
        assert.equal(store.get<{ number: number }>(`lane/${lane}/right`)?.value.number, left);
        assert.ok(store.history.lastKey(`lane-${lane}`) >= number);
      }
      await store.close();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

/** The last number acknowledged in each lane. */
async function writeUntilKilled(path: string): Promise<Map<number, number>> {
  const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (text.split('\n').length > ACKNOWLEDGED_BEFORE_KILL) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  assert.equal(signal, 'SIGKILL');
  const last = new Map<number, number>();
  for (const line of text.slice(0, text.lastIndexOf('\n')).split('\n')) {
    const [lane, number] = line.split(' ').map(Number);
    assert.ok(lane !== undefined && number !== undefined);
    last.set(lane, number);
  }
  assert.equal(last.size, 3);
  return last;
}
