import assert from 'node:assert/strict';
import { test } from 'node:test';
import { turns, VirtualClock } from '../testing/virtual-clock.ts';
import { type GuestFacts, isReachable } from './guest-facts.ts';
import { GuestWatch } from './guest-watch.ts';

const with4 = (address: string): GuestFacts => ({
  interfaces: [{ mac: '00:50:56:00:00:01', addresses: [{ address, prefix: 24 }] }],
});

function watch(answer: () => Promise<GuestFacts>) {
  const clock = new VirtualClock();
  const heard: GuestFacts[] = [];
  let asked = 0;
  let silences = 0;
  const guestWatch = new GuestWatch({
    clock,
    agent: {
      facts: () => {
        asked += 1;
        return answer();
      },
      shutdown: () => Promise.resolve(),
    },
    heard: (facts) => void heard.push(facts),
    silent: () => void (silences += 1),
  });
  return { clock, guestWatch, heard, asked: () => asked, silences: () => silences };
}

void test('an agent is asked at once, every 1.5 s until the guest has an address, then every 30 s', async () => {
  let facts = with4('169.254.3.4');
  const { clock, asked, heard } = watch(async () => facts);
  await turns();
  assert.equal(asked(), 1);
  assert.deepEqual(clock.timers, [1_500]);
  await clock.advance(4_500);
  assert.equal(asked(), 4);
  facts = with4('10.0.0.7');
  await clock.advance(1_500);
  assert.equal(asked(), 5);
  assert.deepEqual(heard.at(-1), facts);
  assert.deepEqual(clock.timers, [30_000]);
  await clock.advance(60_000);
  assert.equal(asked(), 7);
});

void test('a guest that never gets an address is left alone after three minutes', async () => {
  const { clock, asked } = watch(async () => with4('127.0.0.1'));
  await clock.advance(180_000);
  assert.equal(asked(), 121);
  assert.deepEqual(clock.timers, [30_000]);
});

void test('an agent that does not answer is told of, and asked again', async () => {
  const { clock, silences, asked } = watch(() => Promise.reject(new Error('no answer')));
  await clock.advance(1_500);
  assert.equal(silences(), 2);
  assert.equal(asked(), 2);
});

void test('a change in the guest is asked after at once, also while an older answer is under way', async () => {
  const answers: (() => void)[] = [];
  const { clock, guestWatch, asked } = watch(
    () => new Promise((resolve) => answers.push(() => resolve(with4('10.0.0.7')))),
  );
  answers.shift()?.();
  await turns();
  assert.deepEqual(clock.timers, [30_000]);
  guestWatch.hurry();
  await clock.advance(0);
  assert.equal(asked(), 2);
  guestWatch.hurry();
  answers.shift()?.();
  await turns();
  assert.deepEqual(clock.timers, [1_500], 'that answer may be older than the change');
});

void test('after stop nothing is asked, heard or waited for', async () => {
  const answers: (() => void)[] = [];
  const { clock, guestWatch, heard, asked } = watch(
    () => new Promise((resolve) => answers.push(() => resolve(with4('10.0.0.7')))),
  );
  guestWatch.stop();
  answers.shift()?.();
  await turns();
  assert.deepEqual(heard, []);
  assert.deepEqual(clock.timers, []);
  await clock.advance(100_000);
  assert.equal(asked(), 1);
});

void test('addresses that nobody else can reach do not count', () => {
  const table: readonly (readonly [string, boolean])[] = [
    ['10.0.0.7', true],
    ['192.0.2.1', true],
    ['127.0.0.1', false],
    ['169.254.1.1', false],
    ['0.0.0.0', false],
    ['2001:db8::1', true],
    ['fd00::1', true],
    ['::1', false],
    ['::', false],
    ['fe80::1', false],
    ['FE80::1', false],
    ['febf::1', false],
    ['fec0::1', true],
  ];
  for (const [address, reachable] of table) assert.equal(isReachable(address), reachable, address);
});
