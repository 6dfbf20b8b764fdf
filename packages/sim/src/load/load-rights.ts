// Roles and permissions, custom fields and their values.
import { type ManagedObjectReference, MethodFault, type MoRef } from '@vivarium/vim';
import { localUser, type Service } from '@vivarium/vmomi';
import { ADMINISTRATORS } from '../any-account.ts';
import { type Loading, ofType } from './loading.ts';
import { told } from './saved-object.ts';

const LOADER = { userName: 'viv sim', fullName: 'viv sim -load', groups: [ADMINISTRATORS] };

export async function loadRights(loading: Loading, service: Service): Promise<void> {
  await loadPermissions(loading, service);
  await loadFields(loading, service);
}

/** NoAccess, ReadOnly and Admin: they are the same everywhere. */
const GRANTABLE_SYSTEM_ROLES = [-5, -2, -1];

async function loadPermissions({ saved, tree, leftOut }: Loading, service: Service): Promise<void> {
  const { authorization, graph, content } = service;
  const manager = content.authorizationManager && graph.get(content.authorizationManager);
  const privileges = new Set((manager?.get('privilegeList') ?? []).map(({ privId }) => privId));
  const roles = new Map(GRANTABLE_SYSTEM_ROLES.map((role) => [role, role]));
  for (const manager of ofType(saved, 'AuthorizationManager')) {
    for (const { roleId = 0, system, name = '', privilege = [] } of told(manager, 'AuthorizationManager', 'roleList') ??
      []) {
      if (system) continue;
      const wanted = privilege.filter((one) => privileges.has(one));
      if (wanted.length < privilege.length) leftOut.note('privileges of roles', privilege.length - wanted.length);
      await attempt(leftOut, 'roles', async () => void roles.set(roleId, await authorization.addRole(name, wanted)));
    }
  }
  for (const { object, ref } of tree.nodes) {
    for (const { principal, group = false, roleId = 0, propagate = true } of told(object, 'Folder', 'permission') ??
      []) {
      const role = roles.get(roleId);
      if (principal === undefined || role === undefined) leftOut.note('permissions');
      else
        await attempt(leftOut, 'permissions', () =>
          authorization.grant(ref, [{ principal, isGroup: group, roleId: role, propagate }]),
        );
    }
  }
}

async function loadFields({ saved, tree, leftOut }: Loading, service: Service): Promise<void> {
  const manager = service.content.customFieldsManager;
  if (!manager) return;
  const user = localUser(service, LOADER, 'viv sim');
  const keys = new Map<number, number>();
  for (const object of ofType(saved, 'CustomFieldsManager')) {
    for (const { key = 0, name, managedObjectType } of told(object, 'CustomFieldsManager', 'field') ?? []) {
      await attempt(leftOut, 'custom fields', async () => {
        const added = await user.invoke<{ key: number }>(manager as MoRef, 'AddCustomFieldDef', {
          name,
          moType: managedObjectType,
        });
        keys.set(key, added.key);
      });
    }
  }
  for (const { object, ref } of tree.nodes) {
    for (const field of told(object, 'Folder', 'customValue') ?? []) {
      const { key = 0, value } = field as { readonly key?: number; readonly value?: string };
      const entity: ManagedObjectReference = ref;
      await attempt(leftOut, 'custom values', () =>
        user.invoke(manager as MoRef, 'SetField', { entity, key: keys.get(key) ?? -1, value: value ?? '' }),
      );
    }
  }
  user.end();
}

async function attempt(leftOut: Loading['leftOut'], what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof MethodFault)) throw error;
    leftOut.note(what);
  }
}
