import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { smallCenter } from '../testing/small-center.ts';
import { DATACENTER } from '../testing/small-inventory.ts';
import { requireSsoAdministrator } from './sso-access.ts';

const USER = '/api/vivarium/sso/user';
const GROUP = '/api/vivarium/sso/group';
const ANN = { name: 'ann', password: 'Sesame.1', first_name: 'Ann', last_name: 'Lee' };

async function world(context: TestContext) {
  const center = await smallCenter(context);
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await center.send(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
    return answer.body;
  };
  const refused = async (type: string, method: string, path: string, body?: unknown) => {
    const { status, text } = await center.send(method, path, body);
    assert.ok(status >= 400, `${method} ${path} should be refused`);
    assert.match(text, new RegExp(`"${type}"`));
  };
  return { ...center, ask, refused };
}

void test('users are made, changed, disabled and deleted', async (context) => {
  const { ask, refused, logIn, domain } = await world(context);
  assert.equal(await ask('POST', USER, ANN), 'ann');
  await refused('ALREADY_EXISTS', 'POST', USER, ANN);
  await refused('INVALID_ARGUMENT', 'POST', USER, { name: 'bob', password: 'short' });
  await ask('PATCH', `${USER}/ann`, { email: 'ann@example.org' });
  assert.deepEqual(await ask('GET', `${USER}/ann@vivarium.local`), {
    principal: 'VIVARIUM.LOCAL\\ann',
    first_name: 'Ann',
    last_name: 'Lee',
    email: 'ann@example.org',
    description: '',
    disabled: false,
    password_changed: '2026-01-01T00:00:00.000Z',
    groups: ['VIVARIUM.LOCAL\\Users'],
  });
  assert.deepEqual(await ask('GET', USER), [
    { user: 'Administrator', principal: 'VIVARIUM.LOCAL\\Administrator', full_name: 'vivarium.local' },
    { user: 'ann', principal: 'VIVARIUM.LOCAL\\ann', full_name: 'Ann Lee' },
  ]);
  await ask('POST', `${USER}/ann?action=set-password`, { password: 'Sesame.2' });
  assert.ok(await domain.verify('ann', 'Sesame.2'));
  await ask('PATCH', `${USER}/ann`, { disabled: true });
  await assert.rejects(logIn('ann', 'Sesame.2'));
  await refused('INVALID_ARGUMENT', 'DELETE', `${USER}/Administrator`);
  await refused('INVALID_ARGUMENT', 'PATCH', `${USER}/Administrator`, { description: 'gone', disabled: true });
  assert.equal(domain.user('Administrator').description, '', 'nothing of it was done');
  await ask('DELETE', `${USER}/ann`);
  await refused('NOT_FOUND', 'GET', `${USER}/ann`);
});

void test('groups are made, filled and deleted', async (context) => {
  const { ask, refused } = await world(context);
  await ask('POST', USER, ANN);
  assert.equal(await ask('POST', GROUP, { name: 'operators', description: 'At night' }), 'operators');
  await ask('POST', `${GROUP}/operators?action=add-member`, { member: 'ann' });
  await refused('ALREADY_EXISTS', 'POST', `${GROUP}/operators?action=add-member`, { member: 'ann' });
  await ask('PATCH', `${GROUP}/operators`, { description: 'By day' });
  assert.deepEqual(await ask('GET', `${GROUP}/operators`), {
    principal: 'VIVARIUM.LOCAL\\operators',
    description: 'By day',
    members: ['VIVARIUM.LOCAL\\ann'],
  });
  assert.equal(((await ask('GET', GROUP)) as object[]).length, 3);
  await ask('POST', `${GROUP}/operators?action=remove-member`, { member: 'ann@vivarium.local' });
  await refused('NOT_FOUND', 'POST', `${GROUP}/operators?action=remove-member`, { member: 'ann' });
  await ask('DELETE', `${GROUP}/operators`);
  await refused('INVALID_ARGUMENT', 'DELETE', `${GROUP}/Administrators`);
});

void test('the policies are shown and set, and have to be possible', async (context) => {
  const { ask, refused } = await world(context);
  const password = (await ask('GET', '/api/vivarium/sso/password-policy')) as Record<string, number>;
  assert.equal(password['max_length'], 20);
  await ask('PUT', '/api/vivarium/sso/password-policy', { ...password, max_length: 64, min_length: 12 });
  await refused('INVALID_ARGUMENT', 'POST', USER, ANN);
  await ask('POST', USER, { ...ANN, password: 'Open-Sesame-And-All-That.1' });
  for (const wrong of [{ min_length: 0 }, { max_length: 2 }, { min_numeric_count: 70 }, { password_lifetime_days: -1 }])
    await refused('INVALID_ARGUMENT', 'PUT', '/api/vivarium/sso/password-policy', { ...password, ...wrong });
  const lockOut = { max_failed_attempts: 3, failed_attempt_interval_seconds: 60, unlock_after_seconds: 600 };
  await ask('PUT', '/api/vivarium/sso/lock-out-policy', lockOut);
  assert.deepEqual(await ask('GET', '/api/vivarium/sso/lock-out-policy'), lockOut);
  const endless = { ...lockOut, unlock_after_seconds: -1 };
  await refused('INVALID_ARGUMENT', 'PUT', '/api/vivarium/sso/lock-out-policy', endless);
});

void test('everybody changes their own password, and nobody else administers', async (context) => {
  const { ask, send, logIn, service, domain } = await world(context);
  await ask('POST', USER, ANN);
  await service.authorization.grant(DATACENTER, [
    { principal: 'VIVARIUM.LOCAL\\ann', isGroup: false, roleId: -1, propagate: true },
  ]);
  const ann = await logIn('ann', 'Sesame.1');
  const change = (old_password: string, new_password: string) =>
    send('POST', `${USER}?action=change-own-password`, { old_password, new_password }, ann);
  assert.equal((await change('wrong', 'Sesame.2')).status, 400);
  assert.equal((await change('Sesame.1', 'Sesame.1')).status, 400, 'the same again');
  assert.equal((await change('Sesame.1', 'Sesame.2')).status, 204);
  assert.ok(await domain.verify('ann', 'Sesame.2'));
  assert.equal((await send('GET', USER, undefined, ann)).status, 403);
  await ask('POST', `${GROUP}/Administrators?action=add-member`, { member: 'ann' });
  assert.equal((await send('GET', USER, undefined, ann)).status, 200, 'the domain is asked, not the session');
  await ask('POST', `${GROUP}/Administrators?action=remove-member`, { member: 'ann' });
  assert.equal((await send('GET', USER, undefined, ann)).status, 403);
});

void test('passwords are in no log and in no answer', async (context) => {
  const { ask, send, errors, logged } = await world(context);
  const created = await send('POST', USER, ANN);
  assert.doesNotMatch(created.text, /Sesame/);
  assert.doesNotMatch(JSON.stringify(await ask('GET', `${USER}/ann`)), /Sesame|argon2/);
  await ask('POST', `${USER}/ann?action=set-password`, { password: 'Sesame.2' });
  assert.ok(logged.length >= 2);
  assert.doesNotMatch(JSON.stringify([...errors, ...logged]), /Sesame/);
});

void test('an extension is no administrator of the domain, even if it is named as one', async (context) => {
  const { domain, service } = await world(context);
  const principal = domain.find('Administrator');
  assert.ok(principal);
  const origin = { ipAddress: '127.0.0.1', userAgent: '', locale: 'en' };
  const sessionOf = (isExtension: boolean) => service.sessions.open(principal, { ...origin, isExtension });
  requireSsoAdministrator(domain, { session: sessionOf(false) });
  assert.throws(() => requireSsoAdministrator(domain, { session: sessionOf(true) }), { type: 'unauthorized' });
});
