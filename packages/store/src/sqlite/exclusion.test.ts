import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSqliteStore, StoreLocked } from '../index.ts';

const HOLDER = fileURLToPath(new URL('./fixtures/lock-holder.ts', import.meta.url));

void test('two processes on one file exclude each other: also while one is stopped, no longer when it is killed', {
  timeout: 60_000,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'viv-store-'));
  const path = join(directory, 'store.db');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', HOLDER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const last = () => text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1)?.split(' ').map(Number) ?? [];
    const progress = async () => {
      const before = text.length;
      while (text.length === before) await once(child.stdout, 'data');
    };
    await progress();
    assert.throws(() => openSqliteStore(path), StoreLocked);
    child.kill('SIGSTOP');
    assert.throws(() => openSqliteStore(path), StoreLocked);
    child.kill('SIGCONT');
    await progress();
    await progress();
    child.kill('SIGKILL');
    await once(child, 'close');
    const store = openSqliteStore(path);
    const [fence = 0, number = 0] = last();
    assert.ok((store.get<number>('number')?.value ?? 0) >= number && number > 0);
    const lease = await store.lock('leader', { wait: false });
    assert.ok(lease.fence > fence && fence > 0);
    await store.close();
  } finally {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true });
  }
});
