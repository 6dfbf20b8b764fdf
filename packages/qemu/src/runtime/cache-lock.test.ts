import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { acquireCacheLock } from './cache-lock.ts';

void test('the second taker waits until the first lets go', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'viv-lock-'));
  context.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'deep', 'x.lock');
  const trace: string[] = [];
  const first = await acquireCacheLock(path);
  const waiting = Promise.withResolvers<void>();
  const second = acquireCacheLock(path, { onWait: () => waiting.resolve() }).then(async (lock) => {
    trace.push('second');
    await lock[Symbol.asyncDispose]();
  });
  await waiting.promise;
  trace.push('first lets go');
  await first[Symbol.asyncDispose]();
  await second;
  assert.deepEqual(trace, ['first lets go', 'second']);
});

void test('waiting ends when the signal fires, and the lock stays with its holder', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'viv-lock-'));
  context.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'x.lock');
  await using _held = await acquireCacheLock(path);
  const abort = new AbortController();
  await assert.rejects(
    acquireCacheLock(path, { signal: abort.signal, onWait: () => abort.abort(new Error('enough')) }),
    /enough/,
  );
});

void test('a holder that is killed lets go', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'viv-lock-'));
  context.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'x.lock');
  const module = join(import.meta.dirname, 'cache-lock.ts');
  const holder = spawn(
    process.execPath,
    [
      '-e',
      `import(${JSON.stringify(module)}).then(async (m) => { await m.acquireCacheLock(${JSON.stringify(path)}); console.log('held'); setInterval(() => {}, 1000); })`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  holder.kill('SIGKILL');
  const lock = await acquireCacheLock(path);
  await lock[Symbol.asyncDispose]();
});
