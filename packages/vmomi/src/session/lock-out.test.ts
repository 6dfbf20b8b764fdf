import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '@vivarium/base';
import { LockOut } from './lock-out.ts';

function lockOut(failures = 3) {
  const time = { ms: 0 };
  const clock = {
    now: () => time.ms,
    monotonic: () => time.ms,
    setTimer: () => ({ cancel: () => undefined }),
  } as Clock;
  return { time, locks: new LockOut(clock, () => ({ failures, unlockAfterSeconds: 900 })) };
}

void test('so many failures in a row lock for a time; a success before forgets them', () => {
  const { time, locks } = lockOut();
  assert.deepEqual([locks.noteFailure('user'), locks.noteFailure('user')], [false, false]);
  locks.noteSuccess('user');
  assert.deepEqual(
    [1, 2, 3].map(() => locks.noteFailure('user')),
    [false, false, true],
  );
  assert.equal(locks.isLocked('user'), true);
  time.ms = 899_999;
  assert.equal(locks.isLocked('user'), true);
  time.ms = 900_000;
  assert.equal(locks.isLocked('user'), false);
  assert.equal(locks.noteFailure('user'), false, 'it counts from the beginning');
});

void test('a flood of names that fail once each lifts no lock, and what it leaves is bounded', () => {
  const { locks } = lockOut();
  for (let failure = 0; failure < 3; failure++) locks.noteFailure('user');
  locks.noteFailure('first');
  locks.noteFailure('first');
  for (let name = 0; name < 10_000; name++) locks.noteFailure(`invented ${name}`);
  assert.equal(locks.isLocked('user'), true);
  assert.equal(locks.noteFailure('first'), false, 'it was forgotten');
});

void test('those whose names begin so are forgiven, locked or not', () => {
  const { locks } = lockOut();
  for (let failure = 0; failure < 3; failure++) locks.noteFailure('CN=a');
  for (let failure = 0; failure < 2; failure++) locks.noteFailure('CN=b');
  for (let failure = 0; failure < 3; failure++) locks.noteFailure('user');
  locks.forgive('CN=');
  assert.deepEqual(
    ['CN=a', 'user'].map((name) => locks.isLocked(name)),
    [false, true],
  );
  assert.equal(locks.noteFailure('CN=b'), false);
});

void test('no failures lock where none are counted', () => {
  const { locks } = lockOut(0);
  for (let failure = 0; failure < 9; failure++) assert.equal(locks.noteFailure('user'), false);
  assert.equal(locks.isLocked('user'), false);
});
