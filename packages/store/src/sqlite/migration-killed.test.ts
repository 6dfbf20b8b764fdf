import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSqliteStore } from '../index.ts';

const MIGRATING = fileURLToPath(new URL('./fixtures/migrating.ts', import.meta.url));
const DOCUMENTS = 8_000;

void test('a migration that is killed has happened or has not', { timeout: 120_000 }, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'viv-store-'));
  const path = join(directory, 'store.db');
  try {
    const store = openSqliteStore(path);
    for (let begin = 0; begin < DOCUMENTS; begin += 1_000) {
      await store.batch(Array.from({ length: 1_000 }, (_, index) => ({ put: `k/${begin + index}`, value: 'old' })));
    }
    await store.close();
    const seen = new Set<unknown>();
    // Each round is killed a little later than the one before, until one comes to its end.
    for (let delayMs = 0, isDone = false; !isDone; delayMs += 60) {
      isDone = await migrateAndKill(path, delayMs);
      const again = openSqliteStore(path);
      const values = new Set(again.range<string>('k/').map(({ value }) => value.trim()));
      assert.equal(values.size, 1, `half migrated: ${[...values].join(', ')}`);
      assert.equal(again.range('k/').length, DOCUMENTS);
      const version = again.get<{ version: number }>('schema')?.value.version ?? 0;
      assert.deepEqual([...values], [version === 0 ? 'old' : 'new']);
      seen.add(version);
      await again.close();
    }
    context.diagnostic(`versions seen: ${[...seen].join(', ')}`);
    assert.ok(seen.has(1));
  } finally {
    await rm(directory, { recursive: true });
  }
});

async function migrateAndKill(path: string, delayMs: number): Promise<boolean> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MIGRATING, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (!text.includes('migrates')) setTimeout(() => child.kill('SIGKILL'), delayMs);
    text += chunk;
  });
  await once(child, 'close');
  return text.includes('done');
}
