import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CpioEntry, formatCpio } from './cpio.ts';

const entries: CpioEntry[] = [
  { kind: 'folder', path: 'etc', mode: 0o755 },
  { kind: 'file', path: 'etc/name', mode: 0o640, content: Buffer.from('demo\n') },
  { kind: 'link', path: 'init', target: 'etc/name' },
];

void test('every part is aligned to four bytes and the archive ends with its trailer', () => {
  const archive = formatCpio(entries);
  assert.equal(archive.length % 4, 0);
  assert.equal(archive.subarray(0, 6).toString(), '070701');
  assert.match(archive.subarray(-124).toString('latin1'), /TRAILER!!!\0/);
  assert.deepEqual(formatCpio(entries), archive);
});

void test("tar's companion reads back names, modes, links and contents", async (context) => {
  const hasCpio = (() => {
    try {
      execFileSync('cpio', ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();
  if (!hasCpio) return context.skip('no cpio program on this machine');
  const folder = await mkdtemp(join(tmpdir(), 'viv-cpio-'));
  context.after(() => rm(folder, { recursive: true }));
  execFileSync('cpio', ['-idm', '--quiet', '--no-absolute-filenames'], { cwd: folder, input: formatCpio(entries) });
  assert.equal(await readFile(join(folder, 'etc/name'), 'utf8'), 'demo\n');
  assert.equal((await stat(join(folder, 'etc/name'))).mode & 0o777, 0o640);
  assert.equal(await readlink(join(folder, 'init')), 'etc/name');
});
