import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  AuthorizationPrivilege,
  AuthorizationRole,
  EntityPrivilege,
  Permission,
  UserPrivilegeResult,
} from '@vivarium/vim';
import { fault, ROOT, type TestService, testService, VM } from '../testing/test-service.ts';

const manager = ({ service }: TestService) => {
  assert.ok(service.content.authorizationManager);
  return service.graph.get(service.content.authorizationManager);
};

void test('roleList has the system roles under their ids and names, and follows changes', async (context) => {
  const world = await testService(context);
  const { ref } = manager(world);
  const roles = () => manager(world).get('roleList') as AuthorizationRole[];
  assert.deepEqual(
    roles().map(({ roleId, name, system }) => [roleId, name, system]),
    [
      [-5, 'NoAccess', true],
      [-4, 'Anonymous', true],
      [-3, 'View', true],
      [-2, 'ReadOnly', true],
      [-1, 'Admin', true],
    ],
  );
  const roleId = await world.invoke<number>(ref, 'AddAuthorizationRole', {
    name: 'operator',
    privIds: ['VirtualMachine.Interact.PowerOn'],
  });
  assert.deepEqual(roles().at(-1)?.privilege, [
    'System.Anonymous',
    'System.Read',
    'System.View',
    'VirtualMachine.Interact.PowerOn',
  ]);
  await world.invoke(ref, 'UpdateAuthorizationRole', { roleId, newName: 'ops', privIds: [] });
  assert.equal(roles().at(-1)?.name, 'ops');
  await world.invoke(ref, 'RemoveAuthorizationRole', { roleId, failIfUsed: true });
  assert.equal(roles().length, 5);
});

void test('privilegeList names every privilege, with a group, and the description labels them', async (context) => {
  const world = await testService(context);
  const privileges = manager(world).get('privilegeList') as AuthorizationPrivilege[];
  assert.ok(privileges.length > 200, String(privileges.length));
  const powerOn = privileges.find(({ privId }) => privId === 'VirtualMachine.Interact.PowerOn');
  assert.deepEqual([powerOn?.name, powerOn?.privGroupName], ['PowerOn', 'VirtualMachine.Interact']);
  const labels = new Map(
    manager(world)
      .get('description')
      ?.privilege.map(({ key, label }) => [key, label]),
  );
  assert.equal(labels.get('VirtualMachine.Interact.PowerOn'), 'Power on');
  assert.equal(labels.get('VirtualMachine.Config.CPUCount'), 'Change CPU count');
  assert.equal(labels.size, privileges.length);
});

void test('permissions are set, shown on the entity, inherited and removed', async (context) => {
  const world = await testService(context);
  const { ref } = manager(world);
  await world.service.accounts.addUser('ann', 'secret-1');
  const permission = { principal: 'ann', group: false, roleId: -2, propagate: true };
  await world.invoke(ref, 'SetEntityPermissions', { entity: ROOT, permission: [permission] });
  const retrieve = (inherited: boolean) =>
    world.invoke<Permission[]>(ref, 'RetrieveEntityPermissions', { entity: VM, inherited });
  assert.deepEqual(await retrieve(false), []);
  assert.deepEqual((await retrieve(true)).map(({ principal }) => principal).sort(), ['ann', 'root']);
  assert.deepEqual(world.service.graph.get(ROOT).get('permission')?.length, 2);
  assert.equal((await world.invoke<Permission[]>(ref, 'RetrieveRolePermissions', { roleId: -2 })).length, 1);
  await world.invoke(ref, 'RemoveEntityPermission', { entity: ROOT, user: 'ann', isGroup: false });
  assert.equal((await world.invoke<Permission[]>(ref, 'RetrieveAllPermissions')).length, 1);
  assert.equal(world.service.events.latest?._typeName, 'PermissionRemovedEvent');
});

void test('only known users and groups get permissions', async (context) => {
  const world = await testService(context);
  const permission = [{ principal: 'nobody', group: false, roleId: -2, propagate: true }];
  await assert.rejects(
    world.invoke(manager(world).ref, 'SetEntityPermissions', { entity: VM, permission }),
    fault('UserNotFound', { principal: 'nobody' }),
  );
});

void test('privileges can be asked for by session and by user', async (context) => {
  const world = await testService(context);
  const { ref } = manager(world);
  await world.service.accounts.addUser('ann', 'secret-1');
  await world.service.authorization.grant(VM, [{ principal: 'ann', isGroup: false, roleId: -2, propagate: true }]);
  const { key: sessionId } = world.login('ann');
  const privId = ['System.Read', 'VirtualMachine.Interact.PowerOn'];
  assert.deepEqual(await world.invoke(ref, 'HasPrivilegeOnEntity', { entity: VM, sessionId, privId }), [true, false]);
  const [onVm, onRoot] = await world.invoke<EntityPrivilege[]>(ref, 'HasPrivilegeOnEntities', {
    entity: [VM, ROOT],
    sessionId,
    privId,
  });
  assert.deepEqual(
    onVm?.privAvailability.map(({ isGranted }) => isGranted),
    [true, false],
  );
  assert.deepEqual(
    onRoot?.privAvailability.map(({ isGranted }) => isGranted),
    [false, false],
  );
  const [result] = await world.invoke<UserPrivilegeResult[]>(ref, 'FetchUserPrivilegeOnEntities', {
    entities: [VM],
    userName: 'ann',
  });
  assert.deepEqual(result?.privileges, ['System.Anonymous', 'System.Read', 'System.View']);
  await assert.rejects(
    world.invoke(ref, 'HasPrivilegeOnEntity', { entity: VM, sessionId: 'x', privId }),
    fault('InvalidArgument'),
  );
});

void test("effectiveRole is the asker's own", async (context) => {
  const world = await testService(context);
  await world.service.authorization.grant(VM, [{ principal: 'ann', isGroup: false, roleId: -2, propagate: true }]);
  const roles = (by = world.call()) => world.invoke(VM, 'Fetch', { prop: 'effectiveRole' }, by);
  assert.deepEqual(await roles(), { _typeName: 'ArrayOfInt', _value: [-1] });
  assert.deepEqual(await roles(world.call(world.login('ann'))), { _typeName: 'ArrayOfInt', _value: [-2] });
});
