import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseThrottled, readThrottledNs } from './cgroup-stat.ts';

void test('control groups tell for how long their limit held them back, in either version', () => {
  assert.equal(parseThrottled('nr_periods 3\nnr_throttled 2\nthrottled_time 1500\nburst_time 0\n'), 1500);
  assert.equal(parseThrottled('usage_usec 9\nnr_throttled 2\nthrottled_usec 1500\n'), 1_500_000);
  assert.equal(parseThrottled('usage_usec 9\n'), undefined);
  assert.equal(readThrottledNs('/nowhere/vm-1'), undefined);
});
