import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Clock } from '@vivarium/base';
import { describeCommand, describeEvent, describeReply, openTranscript } from './transcript.ts';

const clock: Clock = { now: () => 0, monotonic: () => 0, setTimer: () => ({ cancel() {} }) };

void test('secrets do not get into the transcript', () => {
  for (const command of ['set_password', 'send-key', 'input-send-event', 'object-add']) {
    assert.equal(describeCommand(command, { password: 'geheim' }), `${command} (arguments not logged)`);
  }
});

void test('what is asked all the time is left out, unless it fails', () => {
  assert.equal(describeCommand('query-blockstats', undefined), undefined);
  assert.equal(describeReply({ kind: 'reply', id: 1, value: {} }, 'query-blockstats'), undefined);
  const refusal = { kind: 'reply', id: 1, error: { class: 'GenericError', desc: 'no' } } as const;
  assert.equal(describeReply(refusal, 'query-blockstats'), 'query-blockstats: GenericError: no');
});

void test('a peer cannot forge lines or fill the file with one', () => {
  const event = { kind: 'event', event: 'X\n2026 > quit', data: {}, timestampMs: 0 } as const;
  assert.equal(describeEvent(event), 'X?2026 > quit {}');
  assert.ok((describeEvent({ ...event, event: 'x'.repeat(10_000) })?.length ?? 0) < 4100);
});

void test('the transcript is two files of bounded size', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-transcript-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'qmp.log');
  const transcript = openTranscript(path, { clock, maxBytes: 1000 });
  for (let index = 0; index < 100; index++) transcript.sent(index, 'cont', { index });
  transcript.event({ kind: 'event', event: 'STOP', data: {}, timestampMs: 0 });
  transcript.received({ kind: 'reply', id: 99, value: 7 }, 'cont');
  transcript.close();
  transcript.sent(1, 'cont', undefined);
  assert.ok(statSync(path).size < 1200);
  assert.ok(statSync(`${path}.1`).size < 1200);
  assert.match(
    readFileSync(path, 'utf8'),
    /1970-01-01T00:00:00.000Z > 99 cont {"index":99}\n.* ! STOP {}\n.* < 99 7\n$/,
  );
});

void test('the transcript is not written through a symbolic link', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-transcript-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'target'), '');
  symlinkSync(join(folder, 'target'), join(folder, 'qmp.log'));
  assert.throws(() => openTranscript(join(folder, 'qmp.log'), { clock }), /ELOOP/);
});
