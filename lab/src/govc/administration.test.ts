// Sessions, accounts, roles, permissions, options, custom fields and licences with govc; and what is refused to whom.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { AuthorizationRole, LicenseManagerLicenseInfo, OptionValue, Permission, UserSession } from '@vivarium/vim';
import { useLabHost } from '../testing/use-lab-host.ts';
import { type Environment, lines, useGovc, withoutGovc } from './use-govc.ts';

const PASSWORD = 'Reading-is-fun-1';
const KEY = '00000-00000-00000-00000-00001';

describe('govc administers', { skip: withoutGovc }, () => {
  const host = useLabHost();
  const govc = useGovc(host);
  const withHome = (name: string, env: Environment = {}) =>
    govc.with({ GOVMOMI_HOME: join(host().stateDir, name), ...env });
  const reader = () => withHome('reader', { GOVC_USERNAME: 'reader', GOVC_PASSWORD: PASSWORD });

  test('a wrong password and an unknown user are refused in the same words', async () => {
    const says = /incorrect user name or password/;
    await withHome('wrong', { GOVC_PASSWORD: 'wrong' }).refused(says, 'about');
    await withHome('wrong', { GOVC_USERNAME: 'nobody' }).refused(says, 'ls');
  });

  test('session.login, session.ls, session.rm, session.logout', async () => {
    await govc('session.login');
    const other = withHome('other');
    const cookie = (await other('session.login', '-l')).trim();
    assert.match(cookie, /^[0-9a-f]{32,}$/);
    const { sessionList, currentSession } = await govc.json<{
      sessionList: UserSession[];
      currentSession: UserSession;
    }>('session.ls');
    assert.equal(currentSession.userName, 'root');
    assert.equal(currentSession.ipAddress, '127.0.0.1');
    assert.ok(sessionList.some(({ key }) => key === currentSession.key));
    assert.ok(sessionList.length >= 2);
    await govc.refused(/not correct: sessionId/, 'session.rm', currentSession.key);
    await govc.refused(/could not be found/, 'session.rm', 'no-such-session');
    const { currentSession: mine } = await other.json<{ currentSession: UserSession }>('session.ls');
    await govc('session.rm', mine.key);
    assert.doesNotMatch(await govc('session.ls'), new RegExp(mine.key));
    // The other one notices, and logs in again.
    assert.match(await other('ls', 'vm'), /demo/);
    await other('session.logout');
    assert.match(await govc('session.login', '-clone'), /^[0-9a-f]{32,}\n$/);
  });

  test('a session is cloned by its ticket', async () => {
    const ticket = (await govc('session.login', '-clone')).trim();
    const clone = withHome('clone', { GOVC_USERNAME: undefined, GOVC_PASSWORD: undefined });
    await clone('session.login', '-ticket', ticket);
    assert.match(await clone('ls', 'vm'), /demo/);
    await withHome('again').refused(/InvalidLogin|incorrect|not valid|expired/i, 'session.login', '-ticket', ticket);
    await clone('session.logout');
  });

  test('role.*', async () => {
    assert.match(await govc('role.ls'), /^Admin +/m);
    assert.ok(lines(await govc('role.ls', 'ReadOnly')).includes('System.Read'));
    await govc('role.create', 'operator', 'VirtualMachine.Interact.PowerOn');
    await govc('role.update', '-a', 'operator', 'VirtualMachine.Interact.PowerOff');
    const roles = await govc.json<AuthorizationRole[]>('role.ls');
    const operator = roles.find(({ name }) => name === 'operator');
    assert.ok(operator?.privilege?.includes('VirtualMachine.Interact.PowerOff'), JSON.stringify(operator));
    await govc('role.update', '-name', 'switcher', 'operator');
    await govc.refused(/already exists/, 'role.create', 'switcher', 'System.Read');
    await govc.refused(/no privilege No\.Such\.Privilege/, 'role.create', 'odd', 'No.Such.Privilege');
    await govc.refused(/not found/, 'role.ls', 'operator');
  });

  test('host.account.*, permissions.*', async () => {
    await govc('host.account.create', '-id', 'reader', '-password', PASSWORD, '-description', 'A reader');
    await govc.refused(/already exists/, 'host.account.create', '-id', 'reader', '-password', PASSWORD);
    await reader().refused(/Permission to perform this operation was denied/, 'ls', 'vm');
    await govc('permissions.set', '-principal', 'reader', '-role', 'ReadOnly');
    assert.match(await govc('permissions.ls'), /^ReadOnly +\/ +reader +Yes$/m);
    await govc.refused(/not found/i, 'permissions.set', '-principal', 'nobody', '-role', 'ReadOnly');
    await govc.refused(/not found/i, 'permissions.set', '-principal', 'reader', '-role', 'nothing');
  });

  test('a user who may read sees everything', async () => {
    for (const command of [
      'about',
      'ls',
      'tree',
      'host.info',
      'datastore.info',
      'license.ls',
      'option.ls',
      'role.ls',
    ]) {
      await reader()(command);
    }
    assert.match(await reader()('vm.info', 'demo'), /Power state: +poweredOn/);
    assert.match(await reader()('device.ls', '-vm', 'demo'), /disk-1000-0/);
    assert.match(await reader()('vm.ip', 'demo'), /^\d/);
    assert.match(await reader()('events', '-n', '5'), /reader/);
  });

  test('and changes nothing', async () => {
    const file = join(host().stateDir, 'file');
    await writeFile(file, 'x');
    const denied: string[][] = [
      ['vm.power', '-reset', 'demo'],
      ['vm.power', '-s', 'demo'],
      ['vm.create', '-on=false', 'mine'],
      ['vm.change', '-vm', 'demo', '-m', '512'],
      ['vm.keystrokes', '-vm', 'demo', '-s', 'x'],
      ['vm.console', '-wss', 'demo'],
      ['vm.disk.create', '-vm', 'demo', '-name', 'demo/mine', '-size', '1MB'],
      ['vm.unregister', 'demo'],
      ['device.disconnect', '-vm', 'demo', 'ethernet-0'],
      ['object.rename', 'vm/demo', 'mine'],
      ['datastore.mkdir', 'mine'],
      ['datastore.disk.create', '-size', '1MB', 'mine.vmdk'],
      ['host.account.create', '-id', 'other', '-password', PASSWORD],
      ['permissions.set', '-principal', 'reader', '-role', 'Admin'],
      ['role.create', 'mine', 'System.Read'],
      ['option.set', 'Annotations.WelcomeMessage', 'mine'],
      ['fields.add', 'mine'],
      ['session.ls'],
      ['logs'],
    ];
    for (const args of denied) {
      await reader().refused(/Permission to perform this operation was denied|NoPermission/, ...args);
    }
    await reader().refused(/403/, 'datastore.upload', file, 'mine');
    await reader().refused(/403/, 'datastore.download', 'demo/demo.vmx', '-');
    await reader().refused(/403/, 'vm.console', '-capture', '-', 'demo');
    assert.match(await govc('vm.info', 'demo'), /Power state: +poweredOn/);
  });

  test('a role on one VM is enough for that VM', async () => {
    await govc('permissions.set', '-principal', 'reader', '-role', 'switcher', 'vm/demo');
    const { Permissions: held } = await govc.json<{ Permissions: Permission[] }>('permissions.ls', 'vm/demo');
    assert.deepEqual(held.map(({ principal }) => principal).toSorted(), ['reader', 'reader', 'root', 'vpxuser']);
    await reader()('vm.power', '-off', 'demo');
    await reader()('vm.power', '-on', 'demo');
    await govc('vm.create', '-on=false', '-m', '64', 'other');
    await reader().refused(/denied/, 'vm.power', '-on', 'other');
    await govc('permissions.set', '-principal', 'reader', '-role', 'NoAccess', 'vm/other');
    assert.doesNotMatch(await reader()('ls', 'vm'), /other/);
    assert.doesNotMatch(await reader()('find', '/', '-type', 'm'), /other/);
    await reader().refused(/not found/, 'vm.power', '-on', 'other');
    await govc('vm.destroy', 'other');
  });

  test('rights end when they are taken', async () => {
    await govc('permissions.remove', '-principal', 'reader');
    await govc('permissions.remove', '-principal', 'reader', 'vm/demo');
    await reader().refused(/specify a datacenter/, 'vm.power', '-off', 'demo');
    await govc('role.remove', 'switcher');
    await govc('host.account.update', '-id', 'reader', '-password', 'Another-one-2');
    await withHome('late', { GOVC_USERNAME: 'reader', GOVC_PASSWORD: PASSWORD }).refused(/incorrect/, 'about', '-c');
    await govc('host.account.remove', '-id', 'reader');
    await govc.refused(/not found/i, 'host.account.remove', '-id', 'reader');
  });

  test('option.ls and option.set, of the host agent and of the host', async () => {
    await govc('option.set', 'Annotations.WelcomeMessage', 'hello');
    const options = await govc.json<OptionValue[]>('option.ls', 'Annotations.WelcomeMessage');
    assert.equal(options[0]?.key, 'Annotations.WelcomeMessage');
    assert.match(await govc('option.ls', 'Annotations.'), /^Annotations\.WelcomeMessage: +hello$/m);
    assert.match(await govc('host.option.ls', 'Annotations.WelcomeMessage'), /hello/);
    await govc('host.option.set', 'Annotations.WelcomeMessage', 'bye');
    assert.match(await govc('option.ls', 'Annotations.WelcomeMessage'), /bye/);
    await govc.refused(/'No\.such' is invalid/, 'option.ls', 'No.such');
    await govc.refused(/cannot be 101/, 'option.set', 'Security.AccountLockFailures', '101');
  });

  test('fields.*', async () => {
    assert.equal(await govc('fields.ls'), '');
    const key = Number(await govc('fields.add', '-type', 'VirtualMachine', 'owner'));
    await govc.refused(/already exists/, 'fields.add', 'owner');
    assert.match(await govc('fields.ls'), new RegExp(`^${key} +owner +VirtualMachine$`, 'm'));
    await govc('fields.set', 'owner', 'ada', 'vm/demo');
    assert.match(await govc('fields.info', 'vm/demo'), /owner +ada/);
    await govc('fields.rename', 'owner', 'keeper');
    assert.match(await govc('fields.info', '-n', 'keeper', 'vm/demo'), /keeper +ada/);
    await govc('fields.rm', 'keeper');
    await govc.refused(/not found/, 'fields.rm', 'keeper');
    assert.equal(await govc('fields.ls'), '');
  });

  test('license.*: a host has one licence, in evaluation mode unless it is told another', async () => {
    const evaluation = '00000-00000-00000-00000-00000';
    const own = async () =>
      (await govc.json<LicenseManagerLicenseInfo[]>('license.ls')).map(({ licenseKey }) => licenseKey);
    assert.deepEqual(await own(), [evaluation]);
    assert.match(await govc('license.decode', evaluation), new RegExp(`^${evaluation} +eval `, 'm'));
    await govc('license.add', KEY);
    assert.deepEqual(await own(), [KEY]);
    await govc.refused(/not correct: licenseKey/, 'license.add', 'no-key');
    await govc('license.remove', KEY);
    assert.deepEqual(await own(), [evaluation]);
  });

  test('firewall.ruleset.find: nothing is blocked', async () => {
    const find = ['firewall.ruleset.find', '-c=false', '-direction', 'inbound', '-port'] as const;
    assert.equal((await govc(...find, '22')).trim(), 'sshServer');
    await govc.refused(/0 enabled firewall rulesets match/, ...find, '23');
  });
});
