import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '@vivarium/base/node';
import { TestClock } from '../testing/test-clock.ts';
import { Tickets } from './tickets.ts';

interface Subject {
  readonly user: string;
  readonly what?: string;
}

const LIFE_MS = 120_000;
const MOST = 1000;

function tickets(isAlive?: (subject: Subject) => boolean) {
  const clock = new TestClock();
  const random = systemRandom;
  const ownerOf = ({ user }: Subject) => user;
  return {
    clock,
    tickets: new Tickets<Subject>({ clock, random, lifeMs: LIFE_MS, ownerOf, ...(isAlive ? { isAlive } : {}) }),
  };
}

void test('a ticket stands for one thing, once', () => {
  const { tickets: all } = tickets();
  const subject = { user: 'ann', what: 'vm' };
  const id = all.issue(subject);
  assert.match(id, /^[0-9a-f]{48}$/);
  assert.equal(all.redeem('0'.repeat(48)), undefined);
  assert.equal(
    all.redeem(id, ({ what }) => what === 'another vm'),
    undefined,
    'used for what it is not for, it is not used up',
  );
  assert.equal(all.redeem(id), subject);
  assert.equal(all.redeem(id), undefined);
});

void test('a ticket ends with its time, and with what it stands for', async () => {
  const gone = new Set<string>();
  const { tickets: all, clock } = tickets(({ user }) => !gone.has(user));
  const [first, second] = [all.issue({ user: 'ann' }), all.issue({ user: 'bob' })];
  gone.add('ann');
  assert.equal(all.redeem(first), undefined);
  await clock.advance(LIFE_MS - 1);
  const late = all.issue({ user: 'bob' });
  await clock.advance(1);
  assert.equal(all.redeem(second), undefined);
  assert.ok(all.redeem(late));
});

void test("whoever takes too many tickets loses the oldest of his own, not somebody else's", () => {
  const { tickets: all } = tickets();
  const ann = all.issue({ user: 'ann' });
  const mallory = Array.from({ length: 3 * MOST }, () => all.issue({ user: 'mallory' }));
  const bob = all.issue({ user: 'bob' });
  assert.equal(all.redeem(ann)?.user, 'ann');
  assert.equal(all.redeem(bob)?.user, 'bob');
  const left = mallory.filter((id) => all.redeem(id));
  assert.deepEqual(left, mallory.slice(2 - MOST), 'the youngest of his, as many as there was room for');
});

void test('several who take too many share the room', () => {
  const { tickets: all } = tickets();
  const ids = { ann: [] as string[], bob: [] as string[] };
  for (let count = 0; count < MOST; count++) ids.ann.push(all.issue({ user: 'ann' }));
  for (let count = 0; count < MOST; count++) ids.bob.push(all.issue({ user: 'bob' }));
  const left = (user: 'ann' | 'bob') => ids[user].filter((id) => all.redeem(id)).length;
  assert.deepEqual([left('ann'), left('bob')], [MOST / 2, MOST / 2]);
});

void test('where everybody has one, the oldest goes', () => {
  const { tickets: all } = tickets();
  const ids = Array.from({ length: MOST + 1 }, (_, user) => all.issue({ user: String(user) }));
  assert.deepEqual(
    ids.map((id) => all.redeem(id) !== undefined),
    ids.map((_, index) => index > 0),
  );
});
