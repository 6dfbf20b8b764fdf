import assert from 'node:assert/strict';
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

void test('what is written can be read back: names, types with modes, devices, contents', () => {
  const archive = formatCpio([...entries, { kind: 'device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 }]);
  assert.deepEqual(readCpio(archive), [
    { path: 'etc', mode: 0o040755, device: [0, 0], content: '' },
    { path: 'etc/name', mode: 0o100640, device: [0, 0], content: 'demo\n' },
    { path: 'init', mode: 0o120777, device: [0, 0], content: 'etc/name' },
    { path: 'dev/console', mode: 0o020600, device: [5, 1], content: '' },
  ]);
});

/** Reads as the kernel does: 13 numbers of eight hex digits after the magic, name and content each filled up to four bytes. */
function readCpio(archive: Buffer) {
  const found: { path: string; mode: number; device: number[]; content: string }[] = [];
  const align = (offset: number) => Math.ceil(offset / 4) * 4;
  for (let at = 0; ; ) {
    assert.equal(archive.toString('latin1', at, at + 6), '070701');
    const number = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const nameEnd = at + 110 + number(11);
    const path = archive.toString('utf8', at + 110, nameEnd - 1);
    if (path === 'TRAILER!!!') return found;
    const start = align(nameEnd);
    const content = archive.toString('utf8', start, start + number(6));
    found.push({ path, mode: number(1), device: [number(9), number(10)], content });
    at = align(start + number(6));
  }
}
