import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '@vivarium/base/node';
import { isFault, type MoRef, type UserSearchResult } from '@vivarium/vim';
import { ADMIN, smallCenter } from '../testing/small-center.ts';
import { DATACENTER, ROOT } from '../testing/small-inventory.ts';
import { brokenRule, DEFAULT_PASSWORD_POLICY, generatePassword } from './password-policy.ts';
import { SsoDomain } from './sso-domain.ts';

const ADMINISTRATOR = 'VIVARIUM.LOCAL\\Administrator';
const GOOD = 'Sesame.1';

function fault(type: string, properties: object = {}) {
  return (error: unknown) => {
    assert.ok(isFault(error, 'MethodFault'), String(error));
    assert.equal(error.fault._typeName, type);
    for (const [name, value] of Object.entries(properties))
      assert.deepEqual((error.fault as unknown as Record<string, unknown>)[name], value);
    return true;
  };
}

void test('the first start makes an administrator whose password was kept before', async (context) => {
  const { service, clock } = await smallCenter(context);
  const domain = new SsoDomain({ store: service.store, random: systemRandom, clock, name: 'vivarium.local' });
  const kept: { userName: string; password: string }[] = [];
  await domain.ensureAdministrator(async (credentials) => void kept.push(credentials));
  assert.equal(kept.length, 0, 'there is one');
  await service.store.batch([{ delete: 'sso/user/administrator' }]);
  await assert.rejects(
    domain.ensureAdministrator(() => Promise.reject(new Error('the disk is full'))),
    /full/,
  );
  assert.equal(domain.find('Administrator'), undefined, 'no user that nobody knows the password of');
  await domain.ensureAdministrator(async (credentials) => void kept.push(credentials));
  const [credentials] = kept;
  assert.equal(credentials?.userName, 'Administrator@vivarium.local');
  assert.equal(brokenRule(credentials.password, DEFAULT_PASSWORD_POLICY), undefined);
  const principal = await domain.verify(credentials.userName, credentials.password);
  assert.equal(principal?.userName, ADMINISTRATOR);
  assert.deepEqual(principal.groups, ['VIVARIUM.LOCAL\\Administrators', 'VIVARIUM.LOCAL\\Users']);
});

void test('all forms of a name log in, and mean one user', async (context) => {
  const { domain } = await smallCenter(context);
  for (const name of [
    ADMIN.userName,
    'administrator@VIVARIUM.LOCAL',
    'VIVARIUM.LOCAL\\Administrator',
    'vivarium.local\\administrator',
    'administrator',
  ])
    assert.equal((await domain.verify(name, ADMIN.password))?.userName, ADMINISTRATOR, name);
  for (const name of ['Administrator@corp', 'CORP\\Administrator', 'nobody', '', '@vivarium.local', '../user'])
    assert.equal(await domain.verify(name, ADMIN.password), undefined, name);
  assert.equal(await domain.verify(ADMIN.userName, 'Wrong-1aa'), undefined);
});

void test('failed logins count together, however the name is written, and lock as vCenter does', async (context) => {
  const { service, clock, domain } = await smallCenter(context);
  await domain.addUser('ann', GOOD);
  const origin = { ipAddress: '192.0.2.1', userAgent: '', locale: 'en' };
  const attempt = (name: string, password: string) => service.sessions.verify(name, password, origin);
  const forms = ['ann', 'ANN', 'ann@vivarium.local', 'Vivarium.Local\\Ann', 'aNN@VIVARIUM.LOCAL'];
  for (const name of forms) await assert.rejects(attempt(name, 'wrong'), fault('InvalidLogin'));
  await assert.rejects(attempt('ann', GOOD), fault('InvalidLogin'), 'locked');
  clock.advance(299_000);
  await assert.rejects(attempt('ann', GOOD), fault('InvalidLogin'), 'still locked');
  clock.advance(2000);
  assert.equal((await attempt('ann', GOOD)).userName, 'VIVARIUM.LOCAL\\ann');
  for (const name of forms) {
    await assert.rejects(attempt(name, 'wrong'), fault('InvalidLogin'));
    clock.advance(181_000);
  }
  assert.ok(await attempt('ann', GOOD), 'failures that are three minutes apart do not add up');
});

void test('passwords obey the policy and do not come again', async (context) => {
  const { domain } = await smallCenter(context);
  for (const [password, says] of [
    ['Ab1-', /8 characters/],
    ['12345678-', /letters/],
    ['abcdefg1-', /upper-case/],
    ['ABCDEFG1-', /lower-case/],
    ['Abcdefgh-', /digits/],
    ['Abcdefgh1', /special/],
    ['Abbbbcd1-', /row/],
    [`Ab1-${'xy'.repeat(9)}`, /at most 20/],
  ] as const)
    await assert.rejects(domain.addUser('ann', password), says, password);
  await domain.addUser('ann', GOOD);
  for (let index = 0; index < 5; index += 1) await domain.setPassword('ann', `Changed-${index}`);
  await assert.rejects(domain.setPassword('ann', 'Changed-0'), /last 5/);
  await assert.rejects(domain.setPassword('ann', 'Changed-4'), /last 5/);
  await domain.setPassword('ann', GOOD);
  assert.ok(await domain.verify('ann', GOOD));
  assert.equal(await domain.verify('ann', 'Changed-4'), undefined);
});

void test('a password may be made to expire', async (context) => {
  const { domain, clock } = await smallCenter(context);
  clock.advance(1000 * 86_400_000);
  assert.ok(await domain.verify(ADMIN.userName, ADMIN.password), 'not by default');
  await domain.setPasswordPolicy({ ...domain.passwordPolicy(), passwordLifetimeDays: 90 });
  assert.equal(await domain.verify(ADMIN.userName, ADMIN.password), undefined);
  await domain.setPassword(ADMIN.userName, GOOD);
  assert.ok(await domain.verify(ADMIN.userName, GOOD));
});

void test('generated passwords are good and differ', () => {
  const made = Array.from({ length: 200 }, () => generatePassword(DEFAULT_PASSWORD_POLICY, systemRandom));
  for (const password of made) {
    assert.equal(brokenRule(password, DEFAULT_PASSWORD_POLICY), undefined, password);
    assert.match(password, /^[\w.-]{20}$/);
  }
  assert.equal(new Set(made).size, made.length);
});

void test('groups hold users and groups, and reach permissions through both', async (context) => {
  const { service, domain } = await smallCenter(context);
  await domain.addUser('ann', GOOD, { firstName: 'Ann', lastName: 'Lee' });
  await domain.addGroup('operators');
  await domain.addGroup('night');
  await domain.addMember('operators', 'night');
  await domain.addMember('VIVARIUM.LOCAL\\night', 'ann@vivarium.local');
  const ann = domain.find('ann');
  assert.equal(ann?.fullName, 'Ann Lee');
  assert.deepEqual([...ann.groups].sort(), [
    'VIVARIUM.LOCAL\\Users',
    'VIVARIUM.LOCAL\\night',
    'VIVARIUM.LOCAL\\operators',
  ]);
  const { authorization } = service;
  await authorization.grant(DATACENTER, [
    { principal: 'VIVARIUM.LOCAL\\operators', isGroup: true, roleId: -2, propagate: true },
  ]);
  assert.ok(authorization.privilegesOf(ann, DATACENTER).has('System.Read'));
  await assert.rejects(domain.addMember('night', 'operators'), fault('InvalidArgument'), 'a group inside itself');
  await assert.rejects(domain.addMember('night', 'night'), fault('InvalidArgument'));
  await assert.rejects(domain.addMember('night', 'ann'), fault('AlreadyExists'));
  await assert.rejects(domain.addMember('night', 'bob'), fault('UserNotFound', { principal: 'bob' }));
  await domain.removeMember('operators', 'night');
  assert.ok(!domain.find('ann')?.groups.includes('VIVARIUM.LOCAL\\operators'));
});

void test('who leaves the domain loses permissions and sessions; a namesake inherits nothing', async (context) => {
  const first = await smallCenter(context);
  const { service, domain, logIn, send } = first;
  await domain.addUser('ann', GOOD);
  const grant = () =>
    service.authorization.grant(DATACENTER, [
      { principal: 'VIVARIUM.LOCAL\\ann', isGroup: false, roleId: -2, propagate: true },
    ]);
  await grant();
  const session = await logIn('ann', GOOD);
  assert.equal((await send('GET', '/api/session', undefined, session)).status, 200);
  await domain.updateUser('ann', {}, true);
  assert.equal((await send('GET', '/api/session', undefined, session)).status, 401);
  await assert.rejects(logIn('ann', GOOD), /cannot log in/);
  await domain.updateUser('ann', {}, false);
  await logIn('ann', GOOD);
  await domain.removeUser('ann');
  assert.deepEqual(service.sessions.list(), []);
  assert.deepEqual(service.authorization.permissions(DATACENTER), []);

  // The daemon dies between the removal and the revocation.
  await grant();
  await first.stop();
  const { service: next } = await smallCenter(context, { directory: first.directory });
  assert.deepEqual(next.authorization.permissions(DATACENTER), []);
});

void test('what the domain cannot be without stays', async (context) => {
  const { domain, service } = await smallCenter(context);
  await assert.rejects(domain.removeUser('Administrator'), fault('InvalidArgument'));
  await assert.rejects(domain.updateUser('Administrator', {}, true), fault('InvalidArgument'));
  await assert.rejects(domain.removeGroup('Administrators'), fault('InvalidArgument'));
  await assert.rejects(domain.removeMember('Administrators', 'Administrator'), fault('InvalidArgument'));
  await assert.rejects(
    service.authorization.revoke(ROOT, 'VIVARIUM.LOCAL\\Administrators', true),
    fault('AuthMinimumAdminPermission'),
  );
});

void test('names are checked, taken once, and durable', async (context) => {
  const first = await smallCenter(context);
  const { domain } = first;
  for (const name of ['', 'a b', 'a/b', '-a', 'ann@corp', 'x'.repeat(65), 'ä'])
    await assert.rejects(domain.addUser(name, GOOD), fault('InvalidArgument', { invalidProperty: 'userName' }), name);
  await domain.addUser('Ann@vivarium.local', GOOD, { email: 'ann@example.org' });
  await assert.rejects(domain.addUser('ANN', GOOD), fault('AlreadyExists', { name: 'ANN' }));
  await assert.rejects(domain.addGroup('ann'), fault('AlreadyExists'));
  await domain.updateUser('ann', { description: 'at night' });
  await first.stop();
  const { domain: again } = await smallCenter(context, { directory: first.directory });
  assert.deepEqual(again.findUser('ann'), {
    name: 'Ann',
    firstName: '',
    lastName: '',
    email: 'ann@example.org',
    description: 'at night',
    isDisabled: false,
    passwordChangedMs: Date.UTC(2026, 0, 1),
  });
});

void test('UserDirectory and permissions know the domain', async (context) => {
  const { service, domain, logIn } = await smallCenter(context);
  await domain.addUser('ann', GOOD);
  await domain.addGroup('annexe', 'A group');
  const { id } = { id: (await logIn(ADMIN.userName, ADMIN.password))['vmware-api-session-id'] };
  const session = service.sessions.find(id ?? '');
  assert.ok(session);
  const call = {
    session,
    version: '9.0.0.0' as const,
    signal: new AbortController().signal,
    service,
    remoteAddress: '127.0.0.1',
  };
  const invoke = <R>(ref: MoRef | undefined, method: string, args: object) =>
    service.invoke({ this: ref as MoRef, method, args: { ...args } }, call) as Promise<R>;
  const { userDirectory, authorizationManager } = service.content;
  const search = async (query: object) => {
    const defaults = { searchStr: 'ann', exactMatch: false, findUsers: true, findGroups: true };
    const found = await invoke<UserSearchResult[]>(userDirectory, 'RetrieveUserGroups', { ...defaults, ...query });
    return found.map(({ principal }) => principal);
  };
  assert.deepEqual(await search({ domain: 'vivarium.local' }), ['ann', 'annexe']);
  assert.deepEqual(await search({}), ['VIVARIUM.LOCAL\\ann', 'VIVARIUM.LOCAL\\annexe']);
  assert.deepEqual(await search({ domain: 'VIVARIUM.LOCAL', exactMatch: true }), ['ann']);
  assert.deepEqual(await search({ domain: 'vivarium.local', belongsToGroup: 'Users', searchStr: '' }), [
    'Administrator',
    'ann',
  ]);
  await assert.rejects(search({ domain: 'corp' }), fault('NotFound'));
  assert.deepEqual(service.graph.get(userDirectory as MoRef<'UserDirectory'>).get('domainList'), ['VIVARIUM.LOCAL']);

  const permission = { principal: 'ann@vivarium.local', group: false, roleId: -2, propagate: true };
  await invoke(authorizationManager, 'SetEntityPermissions', { entity: DATACENTER, permission: [permission] });
  assert.equal(service.authorization.permissions(DATACENTER)[0]?.principal, 'VIVARIUM.LOCAL\\ann');
  await invoke(authorizationManager, 'RemoveEntityPermission', {
    entity: DATACENTER,
    user: 'vivarium.local\\ANN',
    isGroup: false,
  });
  assert.deepEqual(service.authorization.permissions(DATACENTER), []);
});
