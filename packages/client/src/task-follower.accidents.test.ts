// A stream, its follower and an endpoint that keeps to vSphere's rules of sessions: whatever happens at whichever request, every task
// that was begun ends, and as the endpoint's history says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, moRef } from '@vivarium/vim';
import { VimClient } from './client.ts';
import { ConnectionLost } from './connection-lost.ts';
import { TaskFollower } from './task-follower.ts';
import { type FakeEndpoint, fakeEndpoint, pem } from './testing/fake-endpoint.ts';
import { HastyClock } from './testing/hasty-clock.ts';
import { type Accident, keepSessions } from './testing/sessions-endpoint.ts';

const TASKS = 3;
/** Events that one accident can cause, and then some: a stream that does not come to rest fails the test. */
const MOST_REQUESTS = 200;

/** Follows tasks one after the other under these accidents; how many requests that took. */
async function follow(
  endpoint: FakeEndpoint,
  accidents: ReadonlyMap<number, Accident>,
  options?: { readonly isStrict: boolean },
): Promise<number> {
  const fake = keepSessions(endpoint, accidents, options);
  const client = new VimClient({ url: endpoint.url, trust: { certificate: pem('self') }, renewsSession: true });
  const clock = new HastyClock();
  const follower = new TaskFollower(client, clock);
  const stop = new AbortController();
  await client.login('root', 'secret');
  const reading = (async () => {
    const filters = async () => [await follower.filter()];
    for await (const event of client.stream({ filters, reconnect: true, clock, signal: stop.signal }))
      if (event.kind === 'updates') follower.apply(event.objects);
  })();
  reading.catch((error: unknown) => follower.close(error));
  const what = JSON.stringify([...accidents]);
  try {
    for (let done = 0; done < TASKS; done++) await followOne();
    return fake.count;
  } finally {
    stop.abort();
    follower.close(new Error('the test is over'));
    client.close();
    await reading;
  }

  async function followOne(): Promise<void> {
    const task = await client.call(moRef('VirtualMachine', '1'), 'PowerOnVM_Task', {}).catch((error: unknown) => {
      assert.ok(error instanceof ConnectionLost || isFault(error, 'NotAuthenticated'), `${what}: ${String(error)}`);
    });
    if (!task) return; // not begun, or nobody knows which one it was
    const outcome = follower.follow(task).then(
      () => 'success',
      (error: unknown) => (isFault(error, 'SystemError') ? 'error' : error),
    );
    const told = await atMost(outcome);
    assert.deepEqual(told, fake.ended.get(task.value), `${what} struck ${fake.struck.join(', ')}`);
  }

  /** The outcome, unless nothing has come of very many turns of the event loop, or of far too many requests. */
  async function atMost(outcome: Promise<unknown>): Promise<unknown> {
    let told: unknown;
    void outcome.then((one) => (told = one));
    for (let turns = 0; told === undefined && turns < 20_000 && fake.count < MOST_REQUESTS; turns++)
      await new Promise((resolve) => setImmediate(resolve));
    return told ?? `nothing after ${fake.count} requests`;
  }
}

for (const accident of ['session', 'restart', 'lost', 'unheard'] as const) {
  void test(`one accident at any request: ${accident}`, async (context) => {
    const endpoint = await fakeEndpoint(context);
    const usual = await follow(endpoint, new Map());
    for (let at = 0; at < usual; at++) await follow(endpoint, new Map([[at, accident]]));
  });
}

void test('an endpoint that refuses a change of the view for one task that it has forgotten', async (context) => {
  const endpoint = await fakeEndpoint(context);
  const usual = await follow(endpoint, new Map());
  for (let at = 0; at < usual; at++) await follow(endpoint, new Map([[at, 'restart']]), { isStrict: true });
});

for (const [first, second] of [
  ['session', 'session'],
  ['lost', 'restart'],
] as const) {
  void test(`a second accident while the first is mended: ${first}, then ${second}`, async (context) => {
    const endpoint = await fakeEndpoint(context);
    const usual = await follow(endpoint, new Map());
    for (let at = 0; at < usual; at++)
      for (let later = at + 1; later <= at + 3; later++)
        await follow(endpoint, new Map<number, Accident>().set(at, first).set(later, second));
  });
}
