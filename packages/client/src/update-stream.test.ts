import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isFault, MethodFault, moRef, type PropertyFilterSpec, type UpdateSet } from '@vivarium/vim';
import { VimClient, type VimClientOptions } from './client.ts';
import { ConnectionLost } from './connection-lost.ts';
import { fakeEndpoint, HANG_UP, pem } from './testing/fake-endpoint.ts';
import { HastyClock } from './testing/hasty-clock.ts';
import type { StreamEvent, StreamOptions } from './update-stream.ts';

const SPEC = { propSet: [], objectSet: [] } as unknown as PropertyFilterSpec;
const FILTERS = () => Promise.resolve([{ spec: SPEC, partialUpdates: true }]);
const VM = moRef('VirtualMachine', '1');

const set = (version: string, more: Partial<UpdateSet> = {}): UpdateSet => ({
  version,
  filterSet: [{ filter: moRef('PropertyFilter', 'f'), objectSet: [{ kind: 'modify', obj: VM }] }],
  ...more,
});

const notAuthenticated = () => new MethodFault('NotAuthenticated', { object: VM, privilegeId: 'System.View' });

/** `waits`: what the endpoint answers to one WaitForUpdatesEx after the other; then it waits. */
async function world(context: TestContext, waits: (() => unknown)[], options: Partial<VimClientOptions> = {}) {
  const endpoint = await fakeEndpoint(context);
  const { answers } = endpoint;
  let collectors = 0;
  answers['Login'] = (request) => request.enter(`s${endpoint.count('Login')}`);
  answers['CreatePropertyCollector'] = () => ({ type: 'PropertyCollector', value: `pc${++collectors}` });
  answers['CreateFilter'] = () => ({ type: 'PropertyFilter', value: 'f' });
  answers['WaitForUpdatesEx'] = () => (waits.shift() ?? (() => new Promise(() => undefined)))();
  const client = new VimClient({ url: endpoint.url, trust: { certificate: pem('self') }, ...options });
  context.after(() => client.close());
  await client.login('root', 'secret');
  const clock = new HastyClock();
  const stop = new AbortController();
  const stream = (more: Partial<StreamOptions> = {}) =>
    client.stream({ filters: FILTERS, reconnect: true, clock, signal: stop.signal, ...more });
  /** The first events of the stream, in short. */
  const events = async (count: number, more?: Partial<StreamOptions>) => {
    const told: string[] = [];
    for await (const event of stream(more)) {
      told.push(inShort(event));
      if (told.length === count) stop.abort();
    }
    return told;
  };
  const asked = () =>
    endpoint.requests
      .filter(({ member }) => member === 'WaitForUpdatesEx')
      .map(({ target, body }) => [
        target,
        body['version'],
        (body['options'] as { maxWaitSeconds: number }).maxWaitSeconds,
      ]);
  return { endpoint, client, clock, stream, events, asked };
}

function inShort(event: StreamEvent): string {
  if (event.kind !== 'updates') return event.kind;
  return `${event.objects.length} updates${event.isTruncated ? ', more follow' : ''}`;
}

void test('versions are handed on, and an answer that nothing has changed is not told', async (context) => {
  const { events, asked, endpoint } = await world(context, [() => set('1'), () => undefined, () => set('2')]);
  assert.deepEqual(await events(3), ['begun', '1 updates', '1 updates']);
  assert.deepEqual(asked(), [
    ['pc1', '', 60],
    ['pc1', '1', 60],
    ['pc1', '1', 60],
  ]);
  assert.deepEqual(endpoint.requests.find(({ member }) => member === 'CreateFilter')?.body['partialUpdates'], true);
  assert.equal(endpoint.count('DestroyPropertyCollector'), 1);
});

void test('a set that comes in parts says so', async (context) => {
  const { events, asked } = await world(context, [() => set('1.1', { truncated: true }), () => set('1')]);
  assert.deepEqual(await events(3), ['begun', '1 updates, more follow', '1 updates']);
  assert.deepEqual(asked()[1]?.[1], '1.1');
});

void test('after a lost connection the same version is asked for at once, and what it brings is told', async (context) => {
  const { events, asked, clock } = await world(context, [
    () => set('1'),
    () => HANG_UP,
    () => HANG_UP,
    () => HANG_UP,
    () => set('2'),
  ]);
  assert.deepEqual(await events(5), ['begun', '1 updates', 'lost', 'resumed', '1 updates']);
  assert.deepEqual(asked().at(-1), ['pc1', '1', 0]);
  assert.ok(clock.delaysMs.length >= 1 && clock.delaysMs.every((delayMs) => delayMs >= 250 && delayMs <= 15_000));
});

void test('an endpoint that is away for a while is found again', async (context) => {
  const { stream, endpoint } = await world(context, [() => set('1')]);
  let away: Promise<void> | undefined;
  const answer = endpoint.answers['WaitForUpdatesEx'];
  endpoint.answers['WaitForUpdatesEx'] = (request) => {
    if (request.body['version'] === '') return answer?.(request);
    if (away) return set('2');
    away = endpoint.refuse();
    return HANG_UP;
  };
  const told: string[] = [];
  for await (const event of stream()) {
    told.push(inShort(event));
    if (event.kind === 'lost') await away?.then(() => endpoint.listen());
    if (told.length === 5) break;
  }
  assert.deepEqual(told, ['begun', '1 updates', 'lost', 'resumed', '1 updates']);
});

void test('a session that has ended is renewed, and everything is told anew', async (context) => {
  const gone = () => {
    throw notAuthenticated();
  };
  const { events, asked, endpoint } = await world(context, [() => set('7'), gone, () => set('1')], {
    renewsSession: true,
  });
  assert.deepEqual(await events(4), ['begun', '1 updates', 'begun', '1 updates']);
  assert.deepEqual(asked().at(-1), ['pc2', '', 60]);
  assert.equal(endpoint.count('Login'), 2);
});

void test('a client that does not know how to log in again says that the session is lost', async (context) => {
  const gone = () => {
    throw notAuthenticated();
  };
  const { stream } = await world(context, [() => set('1'), gone]);
  const read = async () => {
    for await (const _ of stream());
  };
  await assert.rejects(read(), (error) => isFault(error, 'NotAuthenticated'));
});

void test('a collector that is gone, or has forgotten the version, is made anew in the same session', async (context) => {
  for (const fault of [
    () => new MethodFault('InvalidCollectorVersion'),
    () => new MethodFault('ManagedObjectNotFound', { obj: moRef('PropertyCollector', 'pc1') }),
  ]) {
    const gone = () => {
      throw fault();
    };
    const { events, asked, endpoint } = await world(context, [() => set('7'), gone, () => set('1')]);
    assert.deepEqual(await events(4), ['begun', '1 updates', 'begun', '1 updates']);
    assert.deepEqual(asked().at(-1)?.slice(0, 2), ['pc2', '']);
    assert.equal(endpoint.count('Login'), 1);
  }
});

void test('a collector that is never of any use is not made again and again without a pause', async (context) => {
  const { endpoint, events, clock } = await world(context, []);
  endpoint.answers['WaitForUpdatesEx'] = () => {
    throw new MethodFault('InvalidCollectorVersion');
  };
  assert.deepEqual((await events(4)).slice(0, 4), ['begun', 'lost', 'begun', 'lost']);
  assert.ok(clock.delaysMs.length > 0);
});

void test('an endpoint that gives the wait up is tried again after a pause', async (context) => {
  const stopping = () => {
    throw new MethodFault('RequestCanceled');
  };
  const { events } = await world(context, [() => set('1'), stopping, () => set('2')]);
  assert.deepEqual(await events(5), ['begun', '1 updates', 'lost', 'resumed', '1 updates']);
});

void test('faults of the filters end the stream', async (context) => {
  const { endpoint, stream } = await world(context, []);
  endpoint.answers['CreateFilter'] = () => {
    throw new MethodFault('InvalidProperty', { name: 'config.nothing' });
  };
  const read = async () => {
    for await (const _ of stream());
  };
  await assert.rejects(read(), (error) => isFault(error, 'InvalidProperty'));
});

void test('silence for longer than the heartbeat is a loss', async (context) => {
  const silence = () => new Promise(() => undefined);
  const { events } = await world(context, [() => set('1'), silence, () => set('2')]);
  const options = { maxWaitSeconds: 0.02, heartbeatSeconds: 0.2 };
  assert.deepEqual(await events(5, options), ['begun', '1 updates', 'lost', 'resumed', '1 updates']);
  await assert.rejects(events(1, { maxWaitSeconds: 60, heartbeatSeconds: 60 }), RangeError);
});

void test('without `reconnect` a loss ends the stream, and so does the end of the session', async (context) => {
  const { client, endpoint } = await world(context, [() => set('1'), () => HANG_UP, () => HANG_UP], {
    renewsSession: true,
  });
  const read = async () => {
    for await (const _ of client.watch(SPEC));
  };
  await assert.rejects(read(), (error) => error instanceof ConnectionLost);
  endpoint.answers['WaitForUpdatesEx'] = () => {
    throw notAuthenticated();
  };
  await assert.rejects(read(), (error) => isFault(error, 'NotAuthenticated'));
});
