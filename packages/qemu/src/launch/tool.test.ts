import assert from 'node:assert/strict';
import { chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { testRuntime } from '../test-runtime.ts';
import { runJailed, ToolError } from './tool.ts';

const runtime = testRuntime();
const isRoot = process.getuid?.() === 0;

// The runtime root has few plain programs, so the host's are borrowed, with the host's own linker.
const LIBRARIES = '/host/lib/x86_64-linux-gnu';
const LINKER = `${LIBRARIES}/ld-linux-x86-64.so.2`;

void suite('a jailed tool', { skip: runtime === undefined && 'no runtime root in the cache' }, () => {
  const run = (
    program: string,
    args: string[],
    { binds = [], ...more }: { binds?: object[]; [key: string]: unknown } = {},
  ) =>
    runJailed({
      runtime: { path: runtime ?? '' },
      program: LINKER,
      args: ['--library-path', LIBRARIES, `/host/bin/${program}`, ...args],
      binds: [{ host: '/usr', inside: '/host', writable: false }, ...(binds as [])],
      timeoutMs: 20_000,
      ...more,
    });

  void test('returns what it printed and reads what it is given', async () => {
    assert.deepEqual(await run('cat', [], { stdin: 'hello' }), { stdout: 'hello', stderr: '' });
  });

  void test('rejects with exit code and standard error when it fails', async () => {
    await assert.rejects(run('ls', ['/no-such']), (error: unknown) => {
      assert.ok(error instanceof ToolError);
      assert.equal(error.exitCode, 2);
      assert.match(error.stderr, /no-such/);
      return true;
    });
  });

  void test('is killed when its time is over', async () => {
    await assert.rejects(run('sleep', ['1000'], { timeoutMs: 100 }), /did not end within 100 ms/);
  });

  void test('is killed when the caller gives up', async () => {
    const reason = new Error('enough');
    await assert.rejects(run('sleep', ['1000'], { signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const running = run('sleep', ['1000'], { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(running, reason);
  });

  void test('is killed when it prints without end', async () => {
    await assert.rejects(run('cat', ['/dev/zero'], { outputBytes: 4096 }), /more than 4096 bytes/);
  });

  void test('cannot take more memory than its limit', async () => {
    const hog = ['if=/dev/zero', 'of=/dev/null', 'bs=150M', 'count=1'];
    await run('dd', hog);
    await assert.rejects(run('dd', hog, { memoryBytes: 100 * 1024 * 1024 }), /memory exhausted/);
  });

  void test('sees the folders that are bound, and can write only where it may', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'vivarium-tool-'));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'in'), 'text');
    if (isRoot) await chown(folder, 4242, 4242);
    const uid = isRoot ? { uid: 4242 } : {};
    const reading = [{ host: folder, inside: '/deep/data', writable: false }];
    assert.equal((await run('ls', ['/deep/data'], { binds: reading, ...uid })).stdout, 'in\n');
    await assert.rejects(run('touch', ['/deep/data/out'], { binds: reading, ...uid }), /Read-only file system/);
    const writing = [{ host: folder, inside: '/deep/data', writable: true }];
    await run('touch', ['/deep/data/out'], { binds: writing, ...uid });
    assert.deepEqual((await readdir(folder)).sort(), ['in', 'out']);
  });

  void test('has no network, no capabilities and no other process beside it', async () => {
    const status = await run('cat', ['/proc/self/status']);
    assert.match(status.stdout, /CapEff:\s0{16}\n/);
    if (isRoot) assert.match(status.stdout, /Uid:\s65534\s65534\s65534\s65534\n/);
    const { stdout } = await run('cat', ['/proc/net/dev']);
    assert.deepEqual(
      stdout.match(/^\s*\w+:/gm)?.map((line) => line.trim()),
      ['lo:'],
    );
    const processes = (await run('ls', ['/proc'])).stdout.split('\n').filter((name) => /^\d+$/.test(name));
    assert.ok(processes.length <= 2, processes.join());
  });
});
