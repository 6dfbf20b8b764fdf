import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isFault, MethodFault, moRef } from '@vivarium/vim';
import { VimClient, type VimClientOptions } from './client.ts';
import { ConnectionLost } from './connection-lost.ts';
import { type FakeEndpoint, fakeEndpoint, HANG_UP, pem } from './testing/fake-endpoint.ts';

const NONE = {} as never;
const VM = moRef('VirtualMachine', '1');

async function world(context: TestContext, options: Partial<VimClientOptions> = {}) {
  const endpoint = await fakeEndpoint(context);
  withSessions(endpoint);
  const client = new VimClient({ url: endpoint.url, trust: { certificate: pem('self') }, ...options });
  context.after(() => client.close());
  await client.login('root', 'secret');
  return { endpoint, client };
}

/** Sessions s1, s2, …; only the last one is alive. */
function withSessions(endpoint: FakeEndpoint): void {
  const { answers } = endpoint;
  answers['Login'] = (request) => request.enter(`s${endpoint.count('Login')}`);
  answers['ShutdownGuest'] = ({ session }) => {
    if (session === `s${endpoint.count('Login')}` && !endpoint.requests.some(isTheEnd)) return undefined;
    throw new MethodFault('NotAuthenticated', { object: VM, privilegeId: 'System.View' });
  };
  const isTheEnd = ({ member }: { member: string }) => member === 'TheEnd';
}

/** From now on the session is not known. */
function forgetSession(endpoint: FakeEndpoint): void {
  const last = `s${endpoint.count('Login')}`;
  const before = endpoint.answers['ShutdownGuest'];
  endpoint.answers['ShutdownGuest'] = (request) => {
    if (request.session !== last) return before?.(request);
    throw new MethodFault('NotAuthenticated', { object: VM, privilegeId: 'System.View' });
  };
}

void test('a session that has ended is renewed once for all calls that found out', async (context) => {
  const { endpoint, client } = await world(context, { renewsSession: true });
  forgetSession(endpoint);
  await Promise.all(Array.from({ length: 5 }, () => client.call(VM, 'ShutdownGuest', NONE)));
  assert.equal(client.session, 's2');
  assert.equal(endpoint.count('Login'), 2);
});

void test('it is not renewed twice for one call, not when it must not be, and not unless asked for', async (context) => {
  const { endpoint, client } = await world(context, { renewsSession: true });
  endpoint.answers['ShutdownGuest'] = () => {
    throw new MethodFault('NotAuthenticated', { object: VM, privilegeId: 'System.View' });
  };
  const isFault_ = (error: unknown) => isFault(error, 'NotAuthenticated');
  await assert.rejects(client.call(VM, 'ShutdownGuest', NONE), isFault_);
  assert.equal(endpoint.count('Login'), 2);
  await assert.rejects(client.call(VM, 'ShutdownGuest', NONE, { renews: false }), isFault_);
  assert.equal(endpoint.count('Login'), 2);
  const plain = await world(context);
  forgetSession(plain.endpoint);
  await assert.rejects(plain.client.call(VM, 'ShutdownGuest', NONE), isFault_);
  assert.equal(plain.endpoint.count('Login'), 1);
});

void test('a password that is not right any more is told as what it is', async (context) => {
  const { endpoint, client } = await world(context, { renewsSession: true });
  forgetSession(endpoint);
  endpoint.answers['Login'] = () => {
    throw new MethodFault('InvalidLogin');
  };
  await assert.rejects(client.call(VM, 'ShutdownGuest', NONE), (error) => isFault(error, 'InvalidLogin'));
});

void test('a lost connection says whether the request may have arrived', async (context) => {
  const { endpoint, client } = await world(context);
  const lost = (mayHaveArrived: boolean) => (error: unknown) =>
    error instanceof ConnectionLost && error.mayHaveArrived === mayHaveArrived;
  endpoint.answers['ShutdownGuest'] = () => HANG_UP;
  await assert.rejects(client.call(VM, 'ShutdownGuest', NONE), lost(true));
  await endpoint.refuse();
  await assert.rejects(client.call(VM, 'ShutdownGuest', NONE), lost(false));
});

void test('an endpoint that does not answer within the time is lost', async (context) => {
  const { endpoint, client } = await world(context);
  endpoint.answers['ShutdownGuest'] = () => new Promise(() => undefined);
  const call = client.call(VM, 'ShutdownGuest', NONE, { idleTimeoutMs: 20 });
  await assert.rejects(call, (error) => error instanceof ConnectionLost && /no answer for 20 ms/.test(error.message));
});

void test('a read is asked again when the connection that was kept open is dead', async (context) => {
  const { endpoint, client } = await world(context);
  let asked = 0;
  endpoint.answers['name'] = () => ((asked += 1) === 1 ? HANG_UP : 'web');
  assert.equal(await client.get(VM, 'name'), 'web');
  asked = 0;
  await assert.rejects(client.get(VM, 'name', { isRepeatable: false }), (error) => error instanceof ConnectionLost);
});

void test('more calls than there are connections wait for their turn', async (context) => {
  const { endpoint, client } = await world(context);
  const held: (() => void)[] = [];
  endpoint.answers['ShutdownGuest'] = () => new Promise<void>((resolve) => held.push(resolve));
  const calls = Array.from({ length: 40 }, () => client.call(VM, 'ShutdownGuest', NONE));
  let done = 0;
  for (const call of calls) void call.then(() => (done += 1));
  while (done < 40) {
    assert.ok(held.length <= 16, 'too many connections at once');
    for (const release of held.splice(0)) release();
    await new Promise((resolve) => setImmediate(resolve));
  }
});
