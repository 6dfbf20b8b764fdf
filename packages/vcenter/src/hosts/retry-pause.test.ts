import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryPauseMs } from './retry-pause.ts';

const BOUNDS = { firstMs: 500, longestMs: 15_000 };

void test('a host is tried often at first, then less and less, and never given up', () => {
  assert.equal(retryPauseMs(0, BOUNDS), 500);
  assert.equal(retryPauseMs(16_000, BOUNDS), 2_000);
  assert.equal(retryPauseMs(24 * 3_600_000, BOUNDS), 15_000);
});

void test('whoever returns is found within an eighth of the time that it was away, and a moment', () => {
  for (let backMs = 100; backMs < 100_000; backMs += 100) {
    let triedMs = 0;
    while (triedMs < backMs) triedMs += retryPauseMs(triedMs, BOUNDS);
    assert.ok(triedMs - backMs <= Math.max(500, backMs / 8), `back after ${backMs}, found after ${triedMs}`);
  }
});
