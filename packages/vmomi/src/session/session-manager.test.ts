import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import type { UserSession } from '@vivarium/vim';
import { turn } from '../testing/test-clock.ts';
import { fault, ROOT, type TestService, testService } from '../testing/test-service.ts';
import type { Session } from './session.ts';

async function world(context: Parameters<typeof testService>[0]) {
  const test = await testService(context);
  await test.service.accounts.addUser('ann', 'right-password', 'Ann');
  await test.service.authorization.grant(ROOT, [{ principal: 'ann', isGroup: false, roleId: -2, propagate: true }]);
  const manager = test.service.content.sessionManager;
  assert.ok(manager);
  return { ...test, manager };
}

/** A login over the API; time passes while it waits for a refusal. */
async function logIn(test: TestService & Awaited<ReturnType<typeof world>>, userName: string, password: string) {
  let session: Session | undefined;
  const call = test.call(test.service.sessions.anonymous, { switchSession: (entered) => (session = entered) });
  const login = test.invoke<UserSession>(test.manager, 'Login', { userName, password }, call);
  const settled = login.then(
    () => true,
    () => true,
  );
  let isSettled = false;
  void settled.then(() => (isSettled = true));
  while (!isSettled) {
    await turn();
    if (test.clock.hasTimerWithin(1000)) await test.clock.advance(1000);
  }
  const user = await login;
  assert.ok(session);
  return { user, session };
}

void test('the right password opens a session with an unguessable id that is not its public key', async (context) => {
  const test = await world(context);
  const { user, session } = await logIn(test, 'ann', 'right-password');
  assert.equal(user.userName, 'ann');
  assert.equal(user.fullName, 'Ann');
  assert.equal(user.key, session.key);
  assert.ok(session.id.length >= 40 && session.id !== session.key);
  assert.equal(test.service.sessions.find(session.id), session);
  const { invoke, manager, call } = test;
  const current = await invoke<UserSession>(manager, 'Fetch', { prop: 'currentSession' }, call(session));
  assert.equal(current.key, session.key);
  assert.equal(
    await invoke(manager, 'Fetch', { prop: 'currentSession' }, call(test.service.sessions.anonymous)),
    undefined,
  );
  await assert.rejects(
    invoke(manager, 'Login', { userName: 'ann', password: 'right-password' }, call(session)),
    fault('InvalidLogin'),
  );
});

void test('a wrong password, an unknown user and an empty name are refused alike, after a delay', async (context) => {
  const test = await world(context);
  for (const [userName, password] of [
    ['ann', 'wrong'],
    ['nobody', 'right-password'],
    ['', ''],
  ] as const) {
    const before = test.clock.now();
    await assert.rejects(logIn(test, userName, password), fault('InvalidLogin'));
    assert.ok(test.clock.now() - before >= 1000);
  }
});

void test('of a name of any length that cannot log in a little is remembered', async (context) => {
  const test = await world(context);
  await assert.rejects(logIn(test, 'x'.repeat(1 << 20), 'wrong'), fault('InvalidLogin'));
  assert.equal(test.service.events.latest?.userName, 'x'.repeat(256));
});

void test('five failures lock an account for 900 s, also for the right password; others are not touched', async (context) => {
  const test = await world(context);
  await test.service.accounts.addUser('bob', 'bob-password');
  await test.service.authorization.grant(ROOT, [{ principal: 'bob', isGroup: false, roleId: -2, propagate: true }]);
  for (let failure = 0; failure < 5; failure++)
    await assert.rejects(logIn(test, 'ann', 'wrong'), fault('InvalidLogin'));
  assert.equal((test.service.events.latest as { eventTypeId?: string }).eventTypeId, 'esx.audit.account.locked');
  await assert.rejects(logIn(test, 'ann', 'right-password'), fault('InvalidLogin'));
  await logIn(test, 'bob', 'bob-password');
  await test.clock.advance(901_000);
  await logIn(test, 'ann', 'right-password');
});

void test('a login in between resets the count of failures', async (context) => {
  const test = await world(context);
  for (let round = 0; round < 2; round++) {
    for (let failure = 0; failure < 4; failure++) await assert.rejects(logIn(test, 'ann', 'wrong'));
    await logIn(test, 'ann', 'right-password');
  }
});

void test('a user without any permission is not let in', async (context) => {
  const test = await world(context);
  await test.service.accounts.addUser('guest', 'guest-password');
  await assert.rejects(
    logIn(test, 'guest', 'guest-password'),
    fault('NoPermission', { object: ROOT, privilegeId: 'System.View' }),
  );
});

void test('a login by certificate needs one, and a daemon that has something to say about it', async (context) => {
  const test = await world(context);
  const { anonymous } = test.service.sessions;
  const login = (more: Parameters<typeof test.call>[1]) =>
    test.invoke(test.manager, 'LoginExtensionByCertificate', { extensionKey: 'x' }, test.call(anonymous, more));
  await assert.rejects(login({}), fault('NoClientCertificate'));
  await assert.rejects(login({ clientCertificates: () => [] }), fault('NoClientCertificate'));
  const certificate = { fingerprint256: 'AA:BB' } as X509Certificate;
  await assert.rejects(login({ clientCertificates: () => [certificate] }), fault('NotSupported'));
});

void test('an idle session ends; one with a call in flight does not', async (context) => {
  const test = await world(context);
  const { sessions } = test.service;
  const [idle, busy] = [test.login('ann'), test.login('ann')];
  const held = Promise.withResolvers<void>();
  const waiting = sessions.during(busy, () => held.promise);
  await test.clock.advance(29 * 60_000);
  assert.ok(sessions.find(idle.id));
  await test.clock.advance(61_000);
  assert.equal(sessions.find(idle.id), undefined);
  assert.ok(idle.ended.aborted);
  assert.equal(sessions.find(busy.id), busy);
  held.resolve();
  await waiting;
  await test.clock.advance(31 * 60_000);
  assert.ok(busy.ended.aborted);
});

void test('a clock that is set by an hour neither ends sessions, tickets and locks nor lets them live longer', async (context) => {
  const test = await world(context);
  await test.service.accounts.addUser('bob', 'bob-password');
  const { sessions } = test.service;
  for (const jumpMs of [3_600_000, -7_200_000]) {
    const session = test.login('ann');
    for (let failure = 0; failure < 5; failure++)
      await assert.rejects(logIn(test, 'bob', 'wrong'), fault('InvalidLogin'));
    const [early, late] = [sessions.cloneTickets.issue({ session }), sessions.cloneTickets.issue({ session })];
    test.clock.jump(jumpMs);
    assert.equal(sessions.cloneTickets.redeem(early)?.session, session);
    await test.clock.advance(31_000);
    assert.equal(sessions.cloneTickets.redeem(late), undefined);
    await assert.rejects(logIn(test, 'bob', 'bob-password'), fault('InvalidLogin'));
    assert.equal(sessions.find(session.id), session);
    await test.clock.advance(30 * 60_000);
    assert.equal(sessions.find(session.id), undefined);
    await assert.rejects(logIn(test, 'bob', 'bob-password'), fault('NoPermission'));
  }
});

void test('the timeout is an option of the daemon', async (context) => {
  const test = await world(context);
  await test.service.settings.update([{ key: 'Config.HostAgent.vmacore.soap.sessionTimeout', value: 1 }]);
  const session = test.login('ann');
  await test.clock.advance(60_000);
  assert.ok(session.ended.aborted);
});

void test('logout ends the session and what belongs to it', async (context) => {
  const test = await world(context);
  const session = test.login('ann');
  let released = false;
  session.onEnd(() => (released = true));
  await test.invoke(test.manager, 'Logout', {}, test.call(session));
  assert.ok(released);
  assert.equal(test.service.sessions.find(session.id), undefined);
  session.onEnd(() => (released = false));
  assert.equal(released, false);
});

void test("sessions are listed for administrators and can be terminated, but not one's own", async (context) => {
  const test = await world(context);
  const { invoke, manager, call } = test;
  const session = test.login('ann');
  await assert.rejects(invoke(manager, 'Fetch', { prop: 'sessionList' }, call(session)), fault('NoPermission'));
  const list = await invoke<{ _value: UserSession[] }>(manager, 'Fetch', { prop: 'sessionList' });
  assert.deepEqual(list._value.map(({ userName }) => userName).sort(), ['ann', 'root']);
  assert.equal(await invoke(manager, 'SessionIsActive', { sessionID: session.key, userName: 'ann' }), true);
  assert.equal(await invoke(manager, 'SessionIsActive', { sessionID: session.key, userName: 'root' }), false);
  await assert.rejects(invoke(manager, 'TerminateSession', { sessionId: [session.key, 'none'] }), fault('NotFound'));
  await invoke(manager, 'TerminateSession', { sessionId: [session.key] });
  assert.ok(session.ended.aborted);
  await assert.rejects(
    invoke(manager, 'TerminateSession', { sessionId: [call().session.key] }),
    fault('InvalidArgument'),
  );
});

void test('a clone ticket opens one session of the same user, once and for a short time', async (context) => {
  const test = await world(context);
  const { invoke, manager, call } = test;
  const session = test.login('ann');
  const anonymous = () => call(test.service.sessions.anonymous);
  const cloneTicket = await invoke<string>(manager, 'AcquireCloneTicket', {}, call(session));
  const clone = await invoke<UserSession>(manager, 'CloneSession', { cloneTicket }, anonymous());
  assert.equal(clone.userName, 'ann');
  assert.notEqual(clone.key, session.key);
  await assert.rejects(invoke(manager, 'CloneSession', { cloneTicket }, anonymous()), fault('InvalidLogin'));
  const late = await invoke<string>(manager, 'AcquireCloneTicket', {}, call(session));
  await test.clock.advance(31_000);
  await assert.rejects(invoke(manager, 'CloneSession', { cloneTicket: late }, anonymous()), fault('InvalidLogin'));
});

void test('more sessions than allowed are refused', async (context) => {
  const test = await world(context);
  await test.service.settings.update([{ key: 'Config.HostAgent.vmacore.soap.maxSessionCount', value: 2 }]);
  test.login('ann');
  test.login('ann');
  assert.throws(() => test.login('ann'), fault('LimitExceeded', { limit: 2 }));
});

void test('locales are checked, the message to all users is kept', async (context) => {
  const test = await world(context);
  const { invoke, manager, call } = test;
  const session = test.login('ann');
  await invoke(manager, 'SetLocale', { locale: 'de_DE' }, call(session));
  assert.equal(session.locale, 'de_DE');
  await assert.rejects(invoke(manager, 'SetLocale', { locale: '../x' }, call(session)), fault('InvalidLocale'));
  await invoke(manager, 'UpdateServiceMessage', { message: 'maintenance at noon' });
  assert.deepEqual(await invoke(manager, 'Fetch', { prop: 'message' }), {
    _typeName: 'string',
    _value: 'maintenance at noon',
  });
  await assert.rejects(invoke(manager, 'UpdateServiceMessage', { message: 'x' }, call(session)), fault('NoPermission'));
  await test.stop();
  const { service } = await testService(context, { directory: test.directory });
  assert.equal(service.graph.get(manager).get('message'), 'maintenance at noon');
});
