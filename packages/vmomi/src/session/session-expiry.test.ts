// Sessions end when they are idle, as clients of vSphere count on: 30 minutes after the last call, with all that was theirs.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { MoRef, UserSession } from '@vivarium/vim';
import { sessionCookie } from '../http/cookies.ts';
import { turn } from '../testing/test-clock.ts';
import { type TestServer, testServer } from '../testing/test-server.ts';
import { fault, ROOT } from '../testing/test-service.ts';
import type { Session } from './session.ts';

const MINUTE_MS = 60_000;
const TIMEOUT_MS = 30 * MINUTE_MS;
const READ_ONLY = -2;

async function world(context: TestContext) {
  const server = await testServer(context);
  const { service, login, invoke, call } = server;
  await service.authorization.grant(ROOT as MoRef, [
    { principal: 'ann', isGroup: false, roleId: READ_ONLY, propagate: true },
  ]);
  const session = login('ann');
  const by = <R = unknown>(ref: MoRef, method: string, args: object = {}) =>
    invoke<R>(ref, method, args, call(session));
  return { ...server, session, by };
}

/** The fault that an expired session gets, by SOAP and by VI/JSON. */
async function refusals({ soap, send, service }: TestServer, { id }: Session): Promise<string[]> {
  const { viewManager } = service.content;
  assert.ok(viewManager);
  const cookie = sessionCookie(id).split(';')[0] ?? '';
  const answers = [
    await soap(viewManager as MoRef, 'CreateListView', {}, { cookie }),
    await send('GET', `/sdk/vim25/8.0.3.0/Folder/${ROOT.value}/name`, { headers: { 'vmware-api-session-id': id } }),
  ];
  const statuses = [
    ...answers.map(({ text }) => /\b(NotAuthenticated|NoPermission)\b/.exec(text)?.[1] ?? text),
    String((await send('GET', '/metrics', { headers: { cookie } })).status),
  ];
  return statuses;
}

void test('an idle session ends with its filters, collectors, views and tickets, and is nobody afterwards', async (context) => {
  const server = await world(context);
  const { service, session, by, clock } = server;
  const { content, graph, sessions } = service;
  const { propertyCollector, viewManager, eventManager, taskManager, sessionManager } = content as unknown as Record<
    string,
    MoRef
  >;
  assert.ok(propertyCollector && viewManager && eventManager && taskManager && sessionManager);
  const collector = await by<MoRef>(propertyCollector, 'CreatePropertyCollector');
  const spec = {
    propSet: [{ type: 'Folder', all: false, pathSet: ['name'] }],
    objectSet: [{ obj: ROOT, skip: false }],
  };
  await by(propertyCollector, 'CreateFilter', { spec, partialUpdates: false });
  await by(collector, 'CreateFilter', { spec, partialUpdates: false });
  await by(viewManager, 'CreateContainerView', { container: ROOT, recursive: true });
  await by(viewManager, 'CreateListView', { obj: [ROOT] });
  await by(viewManager, 'CreateInventoryView');
  await by(eventManager, 'CreateCollectorForEvents', { filter: {} });
  await by(taskManager, 'CreateCollectorForTasks', { filter: {} });
  const cloneTicket = await by<string>(sessionManager, 'AcquireCloneTicket');
  const own = () => [...graph.all()].filter((object) => object.session === session).map(({ ref }) => ref.type);
  assert.equal(own().length, 8, own().join());

  await clock.advance(TIMEOUT_MS - MINUTE_MS);
  assert.equal(own().length, 8);
  await by(sessionManager, 'Fetch', { prop: 'message' });
  await clock.advance(TIMEOUT_MS - MINUTE_MS);
  assert.ok(sessions.find(session.id), 'a call keeps it for another half an hour');
  const late = await by<string>(sessionManager, 'AcquireCloneTicket');
  await clock.advance(TIMEOUT_MS);
  assert.equal(sessions.find(session.id), undefined);
  assert.deepEqual(own(), []);
  assert.deepEqual(await refusals(server, session), ['NotAuthenticated', 'NotAuthenticated', '401']);
  for (const ticket of [cloneTicket, late]) assert.equal(sessions.cloneTickets.redeem(ticket), undefined);
  assert.equal((service.events.latest as { _typeName?: string })._typeName, 'UserLogoutSessionEvent');
});

void test('tickets of a session end with it, though their own time is not over', async (context) => {
  const { service, session, by } = await world(context);
  const { sessionManager } = service.content;
  const ticket = await by<string>(sessionManager as MoRef, 'AcquireCloneTicket');
  service.sessions.terminate(session);
  assert.equal(service.sessions.cloneTickets.redeem(ticket), undefined);
});

void test('whoever waits for updates is not idle, and is told when the session is ended by others', async (context) => {
  const server = await world(context);
  const { service, session, by, clock } = server;
  const { sessions, content } = service;
  const { propertyCollector } = content as { propertyCollector: MoRef };
  const spec = {
    propSet: [{ type: 'Folder', all: false, pathSet: ['name'] }],
    objectSet: [{ obj: ROOT, skip: false }],
  };
  await by(propertyCollector, 'CreateFilter', { spec, partialUpdates: false });
  const first = await by<{ version: string }>(propertyCollector, 'WaitForUpdatesEx', { version: '' });
  const wait = () => by<object | undefined>(propertyCollector, 'WaitForUpdatesEx', { version: first.version });
  const quiet = wait();
  await clock.advance(TIMEOUT_MS + MINUTE_MS);
  assert.equal(sessions.find(session.id), session, 'nothing was called for more than half an hour');
  assert.equal(await quiet, undefined);
  const waiting = wait().catch((error: unknown) => error);
  await turn();
  sessions.terminate(session);
  await turn();
  assert.ok(fault('NotAuthenticated')(await waiting));
});

void test('after a wait that ends the time begins anew', async (context) => {
  const { service, session, by, clock } = await world(context);
  const { sessions, content } = service;
  const options = { maxWaitSeconds: 600 };
  const waiting = by(content.propertyCollector as MoRef, 'WaitForUpdatesEx', { version: '', options });
  await clock.advance(600_000);
  assert.equal(await waiting, undefined);
  await clock.advance(TIMEOUT_MS - MINUTE_MS);
  assert.ok(sessions.find(session.id));
  await clock.advance(MINUTE_MS);
  assert.equal(sessions.find(session.id), undefined);
});

void test('sessionList tells when each session was active last', async (context) => {
  const { service, session, by, invoke, clock } = await world(context);
  const { sessionManager } = service.content as { sessionManager: MoRef };
  const lastActive = async () => {
    const { _value: list } = await invoke<{ _value: UserSession[] }>(sessionManager, 'Fetch', { prop: 'sessionList' });
    const ann = list.find(({ key }) => key === session.key);
    return Date.parse(String(ann?.lastActiveTime));
  };
  const loggedIn = clock.now();
  await clock.advance(5 * MINUTE_MS);
  assert.equal(await lastActive(), loggedIn, 'a login, and nothing since');
  await by(sessionManager, 'Fetch', { prop: 'message' });
  const called = clock.now();
  await clock.advance(5 * MINUTE_MS);
  assert.equal(await lastActive(), called);
});

void test('files and figures are activity as calls are', async (context) => {
  const { service, session, send, clock } = await world(context);
  const headers = { 'vmware-api-session-id': session.id };
  await clock.advance(TIMEOUT_MS - MINUTE_MS);
  assert.equal((await send('GET', '/metrics', { headers })).status, 200);
  await clock.advance(TIMEOUT_MS - MINUTE_MS);
  assert.equal(service.sessions.find(session.id), session);
});

void test('sessions are ended by whoever holds the privilege for it, and by nobody else', async (context) => {
  const { service, session, login, invoke, call } = await world(context);
  const { authorization, content } = service;
  const { sessionManager } = content as { sessionManager: MoRef };
  const warden = login('warden');
  const end = () => invoke(sessionManager, 'TerminateSession', { sessionId: [session.key] }, call(warden));
  const grant = (roleId: number) =>
    authorization.grant(ROOT as MoRef, [{ principal: 'warden', isGroup: false, roleId, propagate: true }]);
  await grant(READ_ONLY);
  await assert.rejects(end(), fault('NoPermission', { privilegeId: 'Sessions.TerminateSession' }));
  assert.ok(service.sessions.find(session.id));
  await grant(await authorization.addRole('warden', ['Sessions.TerminateSession']));
  await end();
  assert.ok(session.ended.aborted);
});

void test('where no more sessions are allowed an idle one makes room', async (context) => {
  const { service, session, login, clock } = await world(context);
  await service.settings.update([{ key: 'Config.HostAgent.vmacore.soap.maxSessionCount', value: 1 }]);
  assert.throws(() => login('bob'), fault('LimitExceeded', { limit: 1 }));
  await clock.advance(TIMEOUT_MS);
  login('bob');
  assert.ok(session.ended.aborted);
});
