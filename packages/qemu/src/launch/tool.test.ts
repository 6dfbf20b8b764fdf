import assert from 'node:assert/strict';
import { chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { testRuntime } from '../test-runtime.ts';
import { runJailed, ToolError } from './tool.ts';

const runtime = testRuntime();

suite('a jailed tool', { skip: runtime === undefined && 'no runtime root: set VIVARIUM_RUNTIME' }, () => {
  const run = (program: string, args: string[], more = {}) =>
    runJailed({ runtime: { path: runtime ?? '' }, program, args, binds: [], timeoutMs: 20_000, ...more });

  test('returns what it printed and reads what it is given', async () => {
    assert.deepEqual(await run('/usr/bin/cat', [], { stdin: 'hello' }), { stdout: 'hello', stderr: '' });
  });

  test('rejects with exit code and standard error when it fails', async () => {
    await assert.rejects(run('/usr/bin/ls', ['/no-such']), (error: unknown) => {
      assert.ok(error instanceof ToolError);
      assert.equal(error.exitCode, 2);
      assert.match(error.stderr, /no-such/);
      return true;
    });
  });

  test('is killed when its time is over', async () => {
    await assert.rejects(run('/usr/bin/sleep', ['1000'], { timeoutMs: 100 }), /sleep 1000 did not end within 100 ms/);
  });

  test('is killed when the caller gives up', async () => {
    const reason = new Error('enough');
    await assert.rejects(run('/usr/bin/sleep', ['1000'], { signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const running = run('/usr/bin/sleep', ['1000'], { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(running, reason);
  });

  test('is killed when it prints without end', async () => {
    await assert.rejects(run('/usr/bin/cat', ['/dev/zero'], { outputBytes: 4096 }), /more than 4096 bytes/);
  });

  test('cannot take more memory than its limit', async () => {
    const hog = ['-c', 'head -c 200M /dev/zero | tail -c 150M | wc -c'];
    assert.equal((await run('/usr/bin/sh', hog)).stdout.trim(), String(150 * 1024 * 1024));
    const short = await run('/usr/bin/sh', hog, { memoryBytes: 64 * 1024 * 1024 });
    assert.match(short.stderr, /memory exhausted/);
  });

  test('sees the folders that are bound, and can write only where it may', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'vivarium-tool-'));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'in'), 'text');
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await chown(folder, 4242, 4242);
    const uid = isRoot ? { uid: 4242 } : {};
    const reading = [{ host: folder, inside: '/data', writable: false }];
    assert.equal((await run('/usr/bin/ls', ['/data'], { binds: reading, ...uid })).stdout, 'in\n');
    await assert.rejects(run('/usr/bin/touch', ['/data/out'], { binds: reading, ...uid }), /Read-only file system/);
    const writing = [{ host: folder, inside: '/data', writable: true }];
    await run('/usr/bin/touch', ['/data/out'], { binds: writing, ...uid });
    assert.deepEqual((await readdir(folder)).sort(), ['in', 'out']);
  });

  test('has no network, no capabilities and no other process beside it', async () => {
    const status = await run('/usr/bin/cat', ['/proc/self/status']);
    assert.match(status.stdout, /CapEff:\s0{16}\n/);
    const network = await run('/usr/bin/cat', ['/proc/net/dev']);
    assert.deepEqual(
      network.stdout.match(/^\s*\w+:/gm)?.map((line) => line.trim()),
      ['lo:'],
    );
    const processes = await run('/usr/bin/sh', ['-c', 'echo /proc/[0-9]*']);
    assert.ok(processes.stdout.trim().split(' ').length <= 3, processes.stdout);
  });
});
