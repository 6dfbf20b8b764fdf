// The managed object AuthorizationManager, and what it gives to every entity: `permission` and `effectiveRole`.
import { MethodFault, type MoRef, make, type Permission, type PrivilegeAvailability, schema } from '@vivarium/vim';
import type { Call } from '../call.ts';
import { disablingMethods } from '../disabled-methods/disabled-methods.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { Service } from '../service.ts';
import type { Grant, Who } from './permission-table.ts';
import { groupLabel, PRIVILEGES, privilegeGroups, privilegeLabel, privilegeList } from './privileges.ts';
import { authorizationRole } from './roles.ts';

type Place = MoRef<'ManagedEntity'>;

export function addAuthorizationManager(service: Service, ref: MoRef<'AuthorizationManager'>): void {
  const { graph, authorization, events, users } = service;
  const roleList = () => authorization.listRoles().map(authorizationRole);

  const manager = graph.add<'AuthorizationManager'>(
    ref,
    { privilegeList: privilegeList(), roleList: roleList(), description: description() },
    {
      ...disablingMethods(service),
      async AddAuthorizationRole({ name, privIds = [] }, call) {
        const roleId = await authorization.addRole(name, privIds);
        events.post({ _typeName: 'RoleAddedEvent', role: roleArgument(roleId, name), privilegeList: privIds }, call);
        return roleId;
      },
      async UpdateAuthorizationRole({ roleId, newName, privIds = [] }, call) {
        const { name: prevRoleName } = authorization.role(roleId);
        await authorization.updateRole(roleId, newName, privIds);
        const role = roleArgument(roleId, newName);
        events.post({ _typeName: 'RoleUpdatedEvent', role, privilegeList: privIds, prevRoleName }, call);
      },
      async RemoveAuthorizationRole({ roleId, failIfUsed }, call) {
        const { name } = authorization.role(roleId);
        await authorization.removeRole(roleId, failIfUsed);
        events.post({ _typeName: 'RoleRemovedEvent', role: roleArgument(roleId, name) }, call);
      },
      async MergePermissions({ srcRoleId, dstRoleId }) {
        authorization.role(dstRoleId);
        const moved = authorization.allPermissions().filter(({ roleId }) => roleId === srcRoleId);
        for (const { entity, ...grant } of moved) await authorization.grant(entity, [{ ...grant, roleId: dstRoleId }]);
      },
      RetrieveRolePermissions({ roleId }, call) {
        authorization.role(roleId);
        return shownTo(
          call,
          authorization.allPermissions().filter((grant) => grant.roleId === roleId),
        );
      },
      RetrieveEntityPermissions: ({ entity, inherited }) =>
        authorization.permissions(entity, inherited).map(permission),
      RetrieveAllPermissions: (_args, call) => shownTo(call, authorization.allPermissions()),

      async SetEntityPermissions({ entity, permission: permissions = [] }, call) {
        await setPermissions(entity, permissions, false, call);
      },
      async ResetEntityPermissions({ entity, permission: permissions = [] }, call) {
        await setPermissions(entity, permissions, true, call);
      },
      async RemoveEntityPermission({ entity, user, isGroup }, call) {
        await authorization.revoke(entity, principalOf(user, isGroup), isGroup);
        events.post({ _typeName: 'PermissionRemovedEvent', ...about(entity, { principal: user, isGroup }) }, call);
      },

      HasPrivilegeOnEntity({ entity, sessionId, privId = [] }) {
        const privileges = authorization.privilegesOf(sessionByKey(sessionId), entity);
        return privId.map((id) => privileges.has(id));
      },
      HasPrivilegeOnEntities: ({ entity, sessionId, privId = [] }) =>
        entityPrivileges(entity, sessionByKey(sessionId), privId),
      HasUserPrivilegeOnEntities: ({ entities, userName, privId = [] }) =>
        entityPrivileges(entities as Place[], userByName(userName), privId),
      FetchUserPrivilegeOnEntities({ entities, userName }) {
        const who = userByName(userName);
        return entities.map((entity) => {
          const held = authorization.privilegesOf(who, entity);
          return make('UserPrivilegeResult', { entity, privileges: [...PRIVILEGES].filter((id) => held.has(id)) });
        });
      },
    },
  );

  const showOn = (object: ManagedObject) =>
    object.set('permission', authorization.permissions(object.ref).map(permission));
  graph.provide('ManagedEntity', {
    computed: { effectiveRole: ({ ref: entity }, { session }) => authorization.effectiveRoles(session, entity) },
  });
  for (const object of graph.all()) adorn(object);
  graph.onAdd(adorn);
  authorization.onChange((entity) => {
    if (!entity) manager.set('roleList', roleList());
    else {
      const object = graph.find(entity);
      if (object) showOn(object);
    }
  });

  function adorn(object: ManagedObject): void {
    if (!schema.isSubtype(object.ref.type, 'ManagedEntity')) return;
    showOn(object);
  }

  /** "The result is restricted to the managed entities visible to the user making the call", the API says. */
  function shownTo({ session }: Call, grants: readonly Grant[]): Permission[] {
    return grants
      .filter(({ entity }) => authorization.privilegesOf(session, entity).has('System.Read'))
      .map(permission);
  }

  /** `replace`: others on the entity go. */
  async function setPermissions(entity: Place, permissions: readonly Permission[], replace: boolean, call: Call) {
    const grants = permissions.map((one) => grantOf(one));
    const before = authorization.permissions(entity);
    await authorization.grant(entity, grants, replace);
    const isOf = (one: Omit<Grant, 'entity'>) => (other: Omit<Grant, 'entity'>) =>
      one.principal === other.principal && one.isGroup === other.isGroup;
    for (const grant of grants) {
      const { roleId, propagate } = grant;
      const now = { ...about(entity, grant), role: roleArgument(roleId), propagate };
      const known = before.find(isOf(grant));
      if (!known) events.post({ _typeName: 'PermissionAddedEvent', ...now }, call);
      else {
        const former = { prevRole: roleArgument(known.roleId), prevPropagate: known.propagate };
        events.post({ _typeName: 'PermissionUpdatedEvent', ...now, ...former }, call);
      }
    }
    for (const gone of replace ? before.filter((one) => !grants.some(isOf(one))) : []) {
      events.post({ _typeName: 'PermissionRemovedEvent', ...about(entity, gone) }, call);
    }
  }

  function sessionByKey(key: string): Who {
    const session = service.sessions.list().find((one) => one.key === key);
    if (!session) throw new MethodFault('InvalidArgument', { invalidProperty: 'sessionId' });
    return session;
  }

  function userByName(userName: string): Who {
    return users.find(userName) ?? { userName, groups: [] };
  }

  function entityPrivileges(entities: readonly Place[], who: Who, privileges: readonly string[]) {
    return entities.map((entity) => {
      const held = authorization.privilegesOf(who, entity);
      const privAvailability = privileges.map(
        (privId): PrivilegeAvailability => ({ privId, isGranted: held.has(privId) }),
      );
      return make('EntityPrivilege', { entity, privAvailability });
    });
  }

  /** Faults: UserNotFound, NotFound. */
  function grantOf({ principal, group, roleId, propagate }: Permission): Omit<Grant, 'entity'> {
    const known = group ? users.findGroup(principal)?.groupName : users.find(principal)?.userName;
    if (known === undefined) throw new MethodFault('UserNotFound', { principal, unresolved: false });
    return { principal: known, isGroup: group, roleId, propagate };
  }

  /** As permissions have it; a name that nobody has any more as it is written. */
  function principalOf(name: string, isGroup: boolean): string {
    return (isGroup ? users.findGroup(name)?.groupName : users.find(name)?.userName) ?? name;
  }

  function about(entity: Place, { principal, isGroup }: Pick<Grant, 'principal' | 'isGroup'>) {
    const name = String(graph.find(entity)?.getPath('name') ?? '');
    return { entity: make('ManagedEntityEventArgument', { name, entity }), principal, group: isGroup };
  }

  function roleArgument(roleId: number, name = authorization.role(roleId).name) {
    return make('RoleEventArgument', { roleId, name });
  }
}

function permission({ entity, principal, isGroup, roleId, propagate }: Grant): Permission {
  return make('Permission', { entity: entity as Place, principal, group: isGroup, roleId, propagate });
}

function description() {
  const element = (key: string, label: string) => make('ElementDescription', { key, label, summary: label });
  return make('AuthorizationDescription', {
    privilege: [...PRIVILEGES].map((id) => element(id, privilegeLabel(id))),
    privilegeGroup: privilegeGroups().map((group) => element(group, groupLabel(group))),
  });
}
