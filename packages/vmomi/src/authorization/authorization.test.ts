import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, moRef } from '@vivarium/vim';
import { ObjectGraph } from '../graph/object-graph.ts';
import { lateStore } from '../testing/late-store.ts';
import { DATACENTER, fault, OTHER_VM, ROOT, testService, VM, VM_FOLDER } from '../testing/test-service.ts';
import { Authorization } from './authorization.ts';
import { ROLE_ADMIN, ROLE_NO_ACCESS, ROLE_READ_ONLY, ROLE_VIEW } from './roles.ts';

/** The same seed draws the same (a linear congruential generator). */
function drawFrom(seed: number) {
  let state = seed >>> 0;
  const integer = (min: number, max: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return min + Math.floor((state / 2 ** 32) * (max - min + 1));
  };
  return { integer, pick: <T>(list: readonly T[]): T => list[integer(0, list.length - 1)] as T };
}

const POWER = 'VirtualMachine.Interact.PowerOn';
const user = (principal: string, roleId: number, propagate = true) => ({
  principal,
  isGroup: false,
  roleId,
  propagate,
});
const group = (principal: string, roleId: number) => ({ principal, isGroup: true, roleId, propagate: true });

void test('a permission reaches what is below its entity when it propagates', async (context) => {
  const {
    service: { authorization },
  } = await testService(context);
  const who = { userName: 'ann', groups: [] };
  await authorization.grant(DATACENTER, [user('ann', ROLE_ADMIN)]);
  assert.ok(authorization.privilegesOf(who, VM).has(POWER));
  await authorization.grant(DATACENTER, [user('ann', ROLE_ADMIN, false)]);
  assert.ok(authorization.privilegesOf(who, DATACENTER).has(POWER));
  assert.ok(!authorization.privilegesOf(who, VM).has('System.View'));
});

void test('the nearest permission decides alone, also when it takes rights away', async (context) => {
  const {
    service: { authorization },
  } = await testService(context);
  const who = { userName: 'ann', groups: [] };
  await authorization.grant(ROOT, [user('ann', ROLE_ADMIN)]);
  await authorization.grant(VM, [user('ann', ROLE_NO_ACCESS)]);
  assert.ok(!authorization.privilegesOf(who, VM).has('System.View'));
  assert.ok(authorization.privilegesOf(who, VM).has('System.Anonymous'));
  assert.ok(authorization.privilegesOf(who, OTHER_VM).has(POWER));
  assert.deepEqual(authorization.effectiveRoles(who, VM), [ROLE_NO_ACCESS]);
});

void test("a user's own permission hides those of its groups; several groups add up", async (context) => {
  const {
    service: { authorization },
  } = await testService(context);
  const who = { userName: 'ann', groups: ['readers', 'operators'] };
  const roleId = await authorization.addRole('operator', [POWER]);
  await authorization.grant(ROOT, [group('readers', ROLE_READ_ONLY), group('operators', roleId)]);
  assert.ok(authorization.privilegesOf(who, VM).has(POWER));
  assert.ok(authorization.privilegesOf(who, VM).has('System.Read'));
  await authorization.grant(ROOT, [user('ann', ROLE_READ_ONLY)]);
  assert.ok(!authorization.privilegesOf(who, VM).has(POWER));
});

void test('whoever has a permission below an entity sees that it exists, and nothing more', async (context) => {
  const {
    service: { authorization },
  } = await testService(context);
  const who = { userName: 'ann', groups: [] };
  await authorization.grant(VM, [user('ann', ROLE_READ_ONLY)]);
  for (const above of [ROOT, DATACENTER, VM_FOLDER]) {
    assert.deepEqual(authorization.effectiveRoles(who, above), [ROLE_VIEW]);
    assert.ok(authorization.privilegesOf(who, above).has('System.View'));
    assert.ok(!authorization.privilegesOf(who, above).has('System.Read'));
  }
  assert.ok(!authorization.privilegesOf(who, OTHER_VM).has('System.View'));
});

void test('the last administrator of everything cannot be taken away', async (context) => {
  const {
    service: { authorization },
  } = await testService(context);
  await assert.rejects(authorization.revoke(ROOT, 'root', false), fault('AuthMinimumAdminPermission'));
  await assert.rejects(authorization.grant(ROOT, [user('root', ROLE_READ_ONLY)]), fault('AuthMinimumAdminPermission'));
  await assert.rejects(authorization.grant(ROOT, [], true), fault('AuthMinimumAdminPermission'));
  await authorization.grant(ROOT, [user('ann', ROLE_ADMIN)]);
  await authorization.revoke(ROOT, 'root', false);
  await assert.rejects(authorization.revoke(ROOT, 'root', false), fault('NotFound'));
});

void test('roles and permissions survive a restart', async (context) => {
  const first = await testService(context);
  const roleId = await first.service.authorization.addRole('operator', [POWER]);
  await first.service.authorization.grant(VM, [group('operators', roleId)]);
  await first.stop();
  const {
    service: { authorization },
  } = await testService(context, { directory: first.directory });
  assert.equal(authorization.role(roleId).name, 'operator');
  assert.ok(authorization.privilegesOf({ userName: 'ann', groups: ['operators'] }, VM).has(POWER));
  assert.equal(authorization.permissions(VM).length, 1);
});

void test('a VM inherits from its folder and its pool together', async (context) => {
  const {
    service: { authorization, graph },
  } = await testService(context);
  const pool = moRef('ResourcePool', 'pool');
  graph.add(pool, { name: 'pool', parent: DATACENTER });
  graph.get(VM).set('resourcePool', pool);
  const who = { userName: 'ann', groups: ['operators'] };
  const roleId = await authorization.addRole('operator', [POWER]);
  await authorization.grant(pool as MoRef, [group('operators', roleId)]);
  assert.deepEqual(authorization.effectiveRoles(who, VM), [roleId]);
  assert.deepEqual(authorization.effectiveRoles(who, VM_FOLDER), [], 'the pool shows nothing of the folder');
  await authorization.grant(VM_FOLDER, [user('ann', ROLE_READ_ONLY)]);
  assert.deepEqual(authorization.effectiveRoles(who, VM), [ROLE_READ_ONLY, roleId]);
  assert.ok(authorization.privilegesOf(who, VM).has(POWER));
  await authorization.grant(VM, [user('ann', ROLE_NO_ACCESS)]);
  assert.ok(!authorization.privilegesOf(who, VM).has('System.View'), 'what is set on the VM itself decides alone');
});

void test('an exception below an entity gives nothing to see above it', async (context) => {
  const {
    service: { authorization },
  } = await testService(context);
  const who = { userName: 'ann', groups: ['readers'] };
  await authorization.grant(VM, [user('ann', ROLE_NO_ACCESS), group('readers', ROLE_READ_ONLY)]);
  assert.ok(!authorization.privilegesOf(who, ROOT).has('System.View'));
  await authorization.revoke(VM, 'ann', false);
  assert.ok(authorization.privilegesOf(who, ROOT).has('System.View'));
});

void test('permissions go with their entity', async (context) => {
  const {
    service: { authorization, graph },
  } = await testService(context);
  await authorization.grant(VM, [user('ann', ROLE_ADMIN)]);
  graph.remove(VM);
  assert.equal(authorization.permissions(VM).length, 0);
  assert.deepEqual(authorization.effectiveRoles({ userName: 'ann', groups: [] }, VM_FOLDER), []);
});

void test('system roles cannot be changed, names are unique, privileges must exist', async (context) => {
  const {
    service: { authorization },
  } = await testService(context);
  await assert.rejects(authorization.updateRole(ROLE_READ_ONLY, 'ReadOnly', [POWER]), fault('InvalidArgument'));
  await assert.rejects(authorization.removeRole(ROLE_ADMIN, false), fault('InvalidArgument'));
  await assert.rejects(authorization.removeRole(4711, false), fault('NotFound'));
  await assert.rejects(authorization.addRole('Admin', []), fault('AlreadyExists', { name: 'Admin' }));
  await assert.rejects(authorization.addRole('', []), fault('InvalidName'));
  await assert.rejects(
    authorization.addRole('x', ['No.Such']),
    fault('InvalidArgument', { invalidProperty: 'privIds' }),
  );
  await assert.rejects(authorization.grant(VM, [user('ann', ROLE_VIEW)]), fault('InvalidArgument'));
  await assert.rejects(authorization.grant(VM, [user('ann', 4711)]), fault('NotFound'));
});

void test('a role in use is removed with its permissions, or not at all', async (context) => {
  const {
    service: { authorization },
  } = await testService(context);
  const roleId = await authorization.addRole('operator', [POWER]);
  await authorization.grant(VM, [user('ann', roleId)]);
  await assert.rejects(authorization.removeRole(roleId, true), fault('RemoveFailed'));
  await authorization.removeRole(roleId, false);
  assert.equal(authorization.permissions(VM).length, 0);
});

void test('objects that are no entities are judged by their entity', async (context) => {
  const {
    service: { authorization, graph, tasks },
  } = await testService(context);
  const manager = graph.add(moRef('HostNetworkSystem', 'networkSystem'), {}, {}, { entity: DATACENTER });
  assert.deepEqual(authorization.entityOf(manager), DATACENTER);
  const task = tasks.start({ entity: VM, descriptionId: 'VirtualMachine.powerOn' }, () => Promise.resolve());
  assert.deepEqual(authorization.entityOf(graph.get(task)), VM);
  assert.deepEqual(authorization.entityOf(graph.add(moRef('OvfManager', 'ovf'), {})), ROOT);
});

void test('asked about many objects in one moment, rights are what they are for each alone', async (context) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const draw = drawFrom(seed);
  const { service, login } = await testService(context);
  const { graph, authorization } = service;
  const folders = [ROOT, DATACENTER, VM_FOLDER];
  for (let index = 0; index < 12; index++) {
    const folder = moRef('Folder', `group-${index}`);
    graph.add<'Folder'>(folder, { name: folder.value, parent: draw.pick(folders) });
    folders.push(folder);
    const vm = moRef('VirtualMachine', `vm-${index}`);
    graph.add<'VirtualMachine'>(vm, { name: vm.value, ...(index % 5 === 0 ? {} : { parent: draw.pick(folders) }) });
    graph.add(moRef('HostNetworkSystem', `net-${index}`), {}, {}, { entity: draw.pick([vm, folder]) });
  }
  const objects = [...graph.all()];
  const places = objects.map(({ ref }) => ref).filter(({ type }) => ['Folder', 'VirtualMachine'].includes(type));
  const roles = [ROLE_ADMIN, ROLE_NO_ACCESS, ROLE_READ_ONLY, await authorization.addRole('operator', [POWER])];
  const principal = { userName: 'ann', fullName: 'ann', groups: ['readers', 'operators'] };
  const origin = { ipAddress: '', userAgent: '', locale: 'en' };
  for (let round = 0; round < 60; round++) {
    const grant = { ...user('ann', draw.pick(roles), draw.integer(0, 1) === 1), isGroup: draw.integer(0, 2) > 0 };
    const who = grant.isGroup ? draw.pick(principal.groups) : 'ann';
    await authorization
      .grant(draw.pick(places), [{ ...grant, principal: who }], round % 4 === 0)
      .catch(() => undefined);
    for (const session of [service.sessions.passing(principal, origin), login('root'), service.sessions.anonymous]) {
      const momentary = authorization.momentary(session);
      for (const object of objects) {
        for (const privilege of ['System.View', 'System.Read', POWER, 'System.Anonymous']) {
          const expected = authorization.holds(session, object, privilege);
          assert.equal(momentary(object).has(privilege), expected, `seed ${seed}: ${privilege} on ${object.ref.value}`);
        }
      }
    }
  }
});

void test('of two administrators who are taken away at once one is left, and names of roles stay unique', async () => {
  const root = moRef('Folder', 'group-d1') as MoRef;
  const authorization = new Authorization(new ObjectGraph(), lateStore(), root);
  for (const name of ['ann', 'bob']) await authorization.grantAdmin(name);
  const ended = await Promise.allSettled(['ann', 'bob'].map((name) => authorization.revoke(root, name, false)));
  assert.deepEqual(
    ended.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  assert.deepEqual(
    authorization.permissions(root).map(({ principal }) => principal),
    ['bob'],
  );
  const made = await Promise.allSettled(['one', 'one', 'two'].map((name) => authorization.addRole(name, [])));
  assert.deepEqual(
    made.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});
