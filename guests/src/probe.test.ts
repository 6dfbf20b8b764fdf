import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { probeKvm, qualifyAccelerator } from '@vivarium/qemu';
import { findTestAssets } from './test-machine.ts';

const found = await findTestAssets();
const skip = found === undefined ? 'no runtime or demo guest on this machine' : false;
const assets = () => found ?? assert.fail('skipped');
const jail = process.getuid?.() === 0 ? 'full' : 'user';
const probe = () => ({ runtime: assets().runtime, payload: assets().guest.probe, clock: systemClock, jail }) as const;

void test('the payload boots to its line (shown with TCG, which runs everywhere)', { skip }, async (context) => {
  const outcome = await probeKvm({ ...probe(), accelerator: 'tcg', limitMs: 60_000 });
  assert.equal(outcome.kind, 'booted', JSON.stringify(outcome));
  if (outcome.kind === 'booted') context.diagnostic(`user space after ${Math.round(outcome.milliseconds)} ms`);
});

void test('a guest that says nothing is given up when the time is over', { skip }, async () => {
  const payload = { ...assets().guest.probe, line: 'never said' };
  const outcome = await probeKvm({ ...probe(), payload, accelerator: 'tcg', limitMs: 300 });
  assert.deepEqual(outcome, { kind: 'silent', limitMs: 300 });
});

void test('a QEMU that does not start says why', { skip }, async () => {
  const payload = { ...assets().guest.probe, kernel: assets().guest.disk };
  const outcome = await probeKvm({ ...probe(), payload, accelerator: 'tcg', limitMs: 20_000 });
  assert.equal(outcome.kind, 'failed');
});

void test('this machine is qualified within the limit, once a boot', { skip }, async (context) => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'viv-probe-'));
  context.after(() => rm(cacheDir, { recursive: true }));
  const options = { ...probe(), cacheDir, log: silentLogger };
  const started = systemClock.monotonic();
  const verdict = await qualifyAccelerator(options);
  assert.ok(systemClock.monotonic() - started < 8000);
  context.diagnostic(`${verdict.accelerator}: ${verdict.detail}`);
  const again = systemClock.monotonic();
  assert.deepEqual(await qualifyAccelerator(options), verdict);
  assert.ok(systemClock.monotonic() - again < 200, 'remembered');
  assert.match(await readFile(join(cacheDir, 'state/accelerator.json'), 'utf8'), /"occasion"/);
});
