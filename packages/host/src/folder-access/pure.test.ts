import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '@vivarium/vim';
import { parseRange } from './byte-range.ts';
import { checkDatacenter } from './folder-access.ts';
import { planAnswer } from './send-file.ts';

void test('ranges are read as RFC 9110 has them', () => {
  const table: readonly (readonly [string | undefined, number, ReturnType<typeof parseRange>])[] = [
    [undefined, 10, 'whole'],
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=2-5', 10, { start: 2, end: 5 }],
    ['bytes=2-', 10, { start: 2, end: 9 }],
    ['bytes=2-99', 10, { start: 2, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-30', 10, { start: 0, end: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=5-2', 10, 'whole'],
    ['bytes=0-1,3-4', 10, 'whole'],
    ['pages=1-2', 10, 'whole'],
    ['bytes=-', 10, 'whole'],
    ['bytes=99999999999999999999-', 10, 'unsatisfiable'],
  ];
  for (const [header, size, expected] of table) assert.deepEqual(parseRange(header, size), expected, String(header));
});

void test('conditions decide between whole, part and nothing', () => {
  const modified = new Date('2026-01-02T03:04:05.678Z');
  const source = { sizeBytes: 10, etag: '"a"', modified };
  const status = (headers: Record<string, string>) => planAnswer(source, headers).status;
  assert.equal(status({}), 200);
  assert.equal(status({ 'if-none-match': '"b", "a"' }), 304);
  assert.equal(status({ 'if-modified-since': modified.toUTCString() }), 304);
  assert.equal(status({ 'if-modified-since': 'Thu, 01 Jan 2026 00:00:00 GMT' }), 200);
  assert.equal(status({ range: 'bytes=1-', 'if-range': '"a"' }), 206);
  assert.equal(status({ range: 'bytes=1-', 'if-range': '"b"' }), 200);
  assert.equal(status({ range: 'bytes=1-', 'if-range': modified.toUTCString() }), 206);
});

void test('the datacenter may be named in every way that clients do', () => {
  for (const dcPath of ['ha-datacenter', '/ha-datacenter', 'ha%2ddatacenter', '', null]) {
    checkDatacenter(dcPath, 'ha-datacenter');
  }
  assert.throws(
    () => checkDatacenter('other', 'ha-datacenter'),
    (error) => isFault(error, 'FileNotFound'),
  );
});
