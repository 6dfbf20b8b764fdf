import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const KILLED = fileURLToPath(new URL('./fixtures/killed-when-full.ts', import.meta.url));
const FILLER = fileURLToPath(new URL('./fixtures/fill-disk.ts', import.meta.url));

// The tmpfs lives in a mount namespace of its own and dies with the child.
const inSmallFileSystem = (directory: string, command: readonly string[]) =>
  spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', 'mount -t tmpfs -o size=2m none "$0" && exec "$@"', directory, ...command],
    { encoding: 'utf8' },
  );

void test('a full disk is StoreFull, loses nothing, and writes go on when there is room again', (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'viv-store-'));
  try {
    if (inSmallFileSystem(directory, ['true']).status !== 0) {
      context.skip('needs the right to mount a tmpfs');
      return;
    }
    const run = inSmallFileSystem(directory, [process.execPath, FILLER, directory]);
    assert.deepEqual(JSON.parse(run.stdout), { refusal: 'StoreFull', kept: 1, wroteAgain: true }, run.stderr);
  } finally {
    rmdirSync(directory);
  }
});

void test('a store whose process was killed on a disk without a free byte opens there, and has everything', (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'viv-store-'));
  try {
    if (inSmallFileSystem(directory, ['true']).status !== 0) {
      context.skip('needs the right to mount a tmpfs');
      return;
    }
    const twice = ['sh', '-c', '"$0" "$1" "$2"; exec "$0" "$1" "$2"', process.execPath, KILLED, directory];
    const run = inSmallFileSystem(directory, twice);
    assert.deepEqual(JSON.parse(run.stdout), { kept: 20, refusal: 'StoreFull' }, run.stderr);
  } finally {
    rmdirSync(directory);
  }
});
