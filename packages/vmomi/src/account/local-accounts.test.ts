import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '@vivarium/base/node';
import type { UserSearchResult } from '@vivarium/vim';
import { lateStore } from '../testing/late-store.ts';
import { fault, ROOT, testService } from '../testing/test-service.ts';
import { LocalAccounts } from './local-accounts.ts';
import { hashPassword, verifyPassword } from './password.ts';

void test('a password is kept as a salted argon2id hash', async () => {
  const first = await hashPassword('geheim', systemRandom);
  assert.match(first, /^\$argon2id\$v=19\$m=7168,t=5,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.notEqual(await hashPassword('geheim', systemRandom), first);
  assert.ok(await verifyPassword('geheim', first));
  assert.ok(!(await verifyPassword('Geheim', first)));
  assert.ok(!(await verifyPassword('geheim', 'plain text')));
});

void test('accounts survive a restart and know their groups', async (context) => {
  const first = await testService(context);
  await first.service.accounts.addUser('ann', 'geheim', 'Ann');
  await first.service.accounts.addGroup('operators');
  await first.service.accounts.assign('ann', 'operators');
  await first.stop();
  const {
    service: { accounts },
  } = await testService(context, { directory: first.directory });
  const ann = { userName: 'ann', fullName: 'Ann', groups: ['operators'] };
  assert.deepEqual(await accounts.verify('ann', 'geheim'), ann);
  assert.equal(await accounts.verify('ann', 'falsch'), undefined);
  assert.equal(await accounts.verify('bob', 'geheim'), undefined);
  await accounts.removeUser('ann');
  assert.deepEqual(accounts.findGroup('operators')?.members, []);
});

void test("a service's account has no password, cannot be changed, and is not the administrator that has to be left", async (context) => {
  const {
    service: { accounts, authorization },
  } = await testService(context);
  await accounts.addUser('agent', 'geheim');
  await accounts.ensureServiceUser('agent', 'of a service');
  for (const password of ['geheim', '!', '']) assert.equal(await accounts.verify('agent', password), undefined);
  assert.equal(accounts.find('agent')?.fullName, 'of a service');
  await assert.rejects(accounts.updateUser('agent', { password: 'x' }), fault('SecurityError'));
  await assert.rejects(accounts.removeUser('agent'), fault('SecurityError'));
  await authorization.grant(ROOT, [{ principal: 'agent', isGroup: false, roleId: -1, propagate: true }]);
  await assert.rejects(authorization.revoke(ROOT, 'root', false), fault('AuthMinimumAdminPermission'));
});

void test('names are checked and taken once', async (context) => {
  const {
    service: { accounts },
  } = await testService(context);
  await accounts.addUser('ann', 'geheim');
  await assert.rejects(accounts.addUser('ann', 'x'), fault('AlreadyExists', { name: 'ann' }));
  await assert.rejects(accounts.addGroup('ann'), fault('AlreadyExists'));
  for (const name of ['', '../etc', 'a b', '1st', 'x'.repeat(40)]) {
    await assert.rejects(accounts.addUser(name, 'x'), fault('InvalidArgument', { invalidProperty: 'id' }));
  }
  await assert.rejects(accounts.addUser('bob', ''), fault('InvalidArgument', { invalidProperty: 'password' }));
  await assert.rejects(accounts.removeUser('bob'), fault('UserNotFound', { principal: 'bob' }));
});

void test('HostLocalAccountManager makes and changes accounts, and events show no password', async (context) => {
  const { service, invoke } = await testService(context);
  const manager = service.content.accountManager;
  assert.ok(manager);
  await invoke(manager, 'CreateUser', { user: { id: 'ann', password: 'one', description: 'Ann' } });
  assert.deepEqual((service.events.latest as { spec?: unknown }).spec, {
    _typeName: 'HostAccountSpec',
    id: 'ann',
    description: 'Ann',
  });
  await invoke(manager, 'UpdateUser', { user: { id: 'ann', password: 'two' } });
  assert.ok(await service.accounts.verify('ann', 'two'));
  await invoke(manager, 'ChangePassword', { user: 'ann', oldPassword: 'two', newPassword: 'three' });
  assert.ok(await service.accounts.verify('ann', 'three'));
  await assert.rejects(invoke(manager, 'CreateUser', { user: { id: 'bob' } }), fault('InvalidArgument'));
  await invoke(manager, 'RemoveUser', { userName: 'ann' });
  await assert.rejects(invoke(manager, 'UpdateUser', { user: { id: 'ann' } }), fault('UserNotFound'));
});

void test('RetrieveUserGroups searches users and groups', async (context) => {
  const { service, invoke } = await testService(context);
  const directory = service.content.userDirectory;
  assert.ok(directory);
  for (const name of ['ann', 'hannah', 'bob']) await service.accounts.addUser(name, 'x');
  await service.accounts.addGroup('annexe');
  await service.accounts.assign('bob', 'annexe');
  const search = async (query: object) => {
    const defaults = { searchStr: '', exactMatch: false, findUsers: true, findGroups: true };
    const found = await invoke<UserSearchResult[]>(directory, 'RetrieveUserGroups', { ...defaults, ...query });
    return found.map(({ principal }) => principal);
  };
  assert.deepEqual(await search({ searchStr: 'ANN' }), ['ann', 'hannah', 'annexe']);
  assert.deepEqual(await search({ searchStr: 'ann', exactMatch: true }), ['ann']);
  assert.deepEqual(await search({ findGroups: false, belongsToGroup: 'annexe' }), ['bob']);
  assert.deepEqual(await search({ findUsers: false, belongsToUser: 'bob' }), ['annexe']);
  await assert.rejects(search({ domain: 'corp' }), fault('NotFound'));
});

void test('of changes at once none is lost', async () => {
  const accounts = new LocalAccounts(lateStore(), systemRandom);
  await Promise.all(['ann', 'bob', 'cid'].map((name) => accounts.addUser(name, 'geheim')));
  await accounts.addGroup('operators');
  await Promise.all(['ann', 'bob', 'cid'].map((name) => accounts.assign(name, 'operators')));
  assert.deepEqual(accounts.findGroup('operators')?.members, ['ann', 'bob', 'cid']);
  await Promise.all([
    accounts.updateUser('ann', { password: 'geheimer' }),
    accounts.updateUser('ann', { description: 'Ann' }),
    accounts.unassign('bob', 'operators'),
    accounts.removeUser('cid'),
  ]);
  assert.equal((await accounts.verify('ann', 'geheimer'))?.fullName, 'Ann');
  assert.deepEqual(accounts.findGroup('operators')?.members, ['ann']);
  const twice = await Promise.allSettled([accounts.addUser('dan', 'first-1'), accounts.addUser('dan', 'second-2')]);
  assert.deepEqual(
    twice.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  assert.ok(await accounts.verify('dan', 'first-1'));
});
