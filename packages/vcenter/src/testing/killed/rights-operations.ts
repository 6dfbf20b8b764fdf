// For tests: operations on what vCenter keeps beside its inventory: roles, permissions, custom fields, tags, users.
import { type MoRef, make, moRef } from '@vivarium/vim';
import { isAbout, type Kind, kind, type Operation, put, renamed, without } from './operation.ts';
import { named, type World } from './picture.ts';

const AUTHORIZATION = moRef('AuthorizationManager', 'AuthorizationManager') as MoRef;
const FIELDS = moRef('CustomFieldsManager', 'CustomFieldsManager') as MoRef;
const PRIVILEGES = ['VirtualMachine.Interact.PowerOn', 'VirtualMachine.Config.Rename', 'Folder.Create'];
/** Every role has them. */
const ALWAYS = ['System.Anonymous', 'System.Read', 'System.View'];
const PASSWORD = 'Vivarium-1';

export const rightsOperations: readonly Kind[] = [
  kind('AuthorizationManager.AddAuthorizationRole', ({ count, below }) =>
    addRole(`r${count}`, PRIVILEGES.slice(below(3))),
  ),
  kind('AuthorizationManager.UpdateAuthorizationRole', ({ one, below }) => {
    const role = one('role');
    return role === undefined ? undefined : updateRole(role, PRIVILEGES.slice(below(3)));
  }),
  kind('AuthorizationManager.RemoveAuthorizationRole', ({ one }) => {
    const role = one('role');
    return role === undefined ? undefined : removeRole(role);
  }),
  ...(['SetEntityPermissions', 'ResetEntityPermissions'] as const).map((method) =>
    kind(`AuthorizationManager.${method}`, ({ one }) => {
      const [role, user, folder] = [one('role'), one('user'), one('folder')];
      if (role === undefined || user === undefined || folder === undefined) return undefined;
      return grant(method, { role, user, folder });
    }),
  ),
  kind('AuthorizationManager.RemoveEntityPermission', ({ picture }) => {
    const [, user, folder] =
      Object.keys(picture)
        .map((key) => /^permission of (\S+) on (\S+)$/.exec(key))
        .find((found) => found !== null) ?? [];
    return user === undefined || folder === undefined ? undefined : revoke(user, folder);
  }),
  kind('AuthorizationManager.MergePermissions', ({ one }) => {
    const [from, to] = [one('role'), one('role')];
    return from === undefined || to === undefined ? undefined : mergeRoles(from, to);
  }),
  kind('CustomFieldsManager.AddCustomFieldDef', ({ count }) => addField(`c${count}`)),
  kind('CustomFieldsManager.RenameCustomFieldDef', ({ count, one }) => {
    const field = one('field');
    return field === undefined ? undefined : renameField(field, `c${count}`);
  }),
  kind('CustomFieldsManager.SetField', ({ count, one }) => {
    const [field, vm] = [one('field'), one('vm')];
    return field === undefined || vm === undefined ? undefined : setField(field, vm, `value ${count}`);
  }),
  kind('VirtualMachine.setCustomValue', ({ count, one }) => {
    const [field, vm] = [one('field'), one('vm')];
    return field === undefined || vm === undefined ? undefined : setCustomValue(field, vm, `value ${count}`);
  }),
  kind('CustomFieldsManager.RemoveCustomFieldDef', ({ one }) => {
    const field = one('field');
    return field === undefined ? undefined : removeField(field);
  }),
  kind('', ({ count }) => createCategory(`k${count}`)),
  kind('', ({ count, one }) => {
    const category = one('category');
    return category === undefined ? undefined : createTag(`t${count}`, category);
  }),
  kind('', ({ one }) => {
    const [tag, vm] = [one('tag'), one('vm')];
    return tag === undefined || vm === undefined ? undefined : attach(tag, vm);
  }),
  kind('', ({ one }) => {
    const tag = one('tag');
    return tag === undefined ? undefined : deleteTag(tag);
  }),
  kind('', ({ count }) => addUser(`u${count}`)),
  kind('', ({ one, fact }) => {
    const user = one('user');
    return user === undefined ? undefined : setDisabled(user, fact(`user ${user}`) === 'enabled');
  }),
  kind('', ({ one }) => {
    const user = one('user');
    return user === undefined ? undefined : removeUser(user);
  }),
];

function roleId({ center }: World, name: string): number {
  const role = center.service.authorization.listRoles().find((one) => one.name === name);
  if (!role) throw new Error(`there is no role ${name}`);
  return role.roleId;
}

function addRole(name: string, privIds: readonly string[]): Operation {
  return {
    text: `add role ${name}`,
    run: ({ center }) => center.invoke(AUTHORIZATION, 'AddAuthorizationRole', { name, privIds }),
    after: (before) => put(before, { [`role ${name}`]: [...ALWAYS, ...privIds].sort() }),
  };
}

function updateRole(name: string, privIds: readonly string[]): Operation {
  return {
    text: `update role ${name}`,
    run: (world) =>
      world.center.invoke(AUTHORIZATION, 'UpdateAuthorizationRole', {
        roleId: roleId(world, name),
        newName: name,
        privIds,
      }),
    after: (before) => put(before, { [`role ${name}`]: [...ALWAYS, ...privIds].sort() }),
  };
}

function removeRole(name: string): Operation {
  return {
    text: `remove role ${name}`,
    run: (world) =>
      world.center.invoke(AUTHORIZATION, 'RemoveAuthorizationRole', { roleId: roleId(world, name), failIfUsed: false }),
    after: (before) =>
      without(before, (key) => key === `role ${name}` || (key.startsWith('permission ') && before[key] === name)),
  };
}

const principalOf = ({ domain }: World, user: string) => domain.accountName(user);

interface Grant {
  readonly role: string;
  readonly user: string;
  readonly folder: string;
}

/** `ResetEntityPermissions`: in the place of all others on the folder. */
function grant(method: 'SetEntityPermissions' | 'ResetEntityPermissions', { role, user, folder }: Grant): Operation {
  return {
    text: `${method}: ${role} to ${user} on ${folder}`,
    run(world) {
      const permission = make('Permission', {
        principal: principalOf(world, user),
        group: false,
        roleId: roleId(world, role),
        propagate: true,
      });
      const entity = named(world.center, 'Folder', folder);
      return world.center.invoke(AUTHORIZATION, method, { entity, permission: [permission] });
    },
    after(before) {
      const isOther = (key: string) => key.startsWith('permission ') && isAbout(folder)(key);
      const others = method === 'ResetEntityPermissions' ? without(before, isOther) : before;
      return put(others, { [`permission of ${user} on ${folder}`]: role });
    },
  };
}

function revoke(user: string, folder: string): Operation {
  return {
    text: `take the permission of ${user} on ${folder}`,
    run: (world) =>
      world.center.invoke(AUTHORIZATION, 'RemoveEntityPermission', {
        entity: named(world.center, 'Folder', folder),
        user: principalOf(world, user),
        isGroup: false,
      }),
    after: (before) => without(before, (key) => key === `permission of ${user} on ${folder}`),
  };
}

function mergeRoles(from: string, to: string): Operation {
  return {
    text: `give the permissions of role ${from} to ${to}`,
    isOfSteps: true,
    run: (world) =>
      world.center.invoke(AUTHORIZATION, 'MergePermissions', {
        srcRoleId: roleId(world, from),
        dstRoleId: roleId(world, to),
      }),
    after(before) {
      const moved = Object.entries(before).filter(([key, role]) => key.startsWith('permission ') && role === from);
      return put(before, Object.fromEntries(moved.map(([key]) => [key, to])));
    },
  };
}

function fieldKey({ center }: World, name: string): number {
  const field = center.read<{ key: number; name: string }[]>(FIELDS, 'field').find((one) => one.name === name);
  if (!field) throw new Error(`there is no field ${name}`);
  return field.key;
}

function addField(name: string): Operation {
  return {
    text: `add field ${name}`,
    run: ({ center }) => center.invoke(FIELDS, 'AddCustomFieldDef', { name, moType: 'VirtualMachine' }),
    after: (before) => put(before, { [`field ${name}`]: true }),
  };
}

function setField(field: string, vm: string, value: string): Operation {
  return {
    text: `set ${field} of ${vm}`,
    run: (world) =>
      world.center.invoke(FIELDS, 'SetField', {
        entity: named(world.center, 'VirtualMachine', vm),
        key: fieldKey(world, field),
        value,
      }),
    after: (before) => put(before, { [`value of ${field} on ${vm}`]: value }),
  };
}

function setCustomValue(key: string, vm: string, value: string): Operation {
  return {
    text: `set ${key} of ${vm} by its name`,
    run: ({ center }) => center.invoke(named(center, 'VirtualMachine', vm), 'setCustomValue', { key, value }),
    after: (before) => put(before, { [`value of ${key} on ${vm}`]: value }),
  };
}

function renameField(field: string, name: string): Operation {
  return {
    text: `rename field ${field} to ${name}`,
    run: (world) => world.center.invoke(FIELDS, 'RenameCustomFieldDef', { key: fieldKey(world, field), name }),
    after: (before) => renamed(before, field, name),
  };
}

function removeField(name: string): Operation {
  return {
    text: `remove field ${name}`,
    run: (world) => world.center.invoke(FIELDS, 'RemoveCustomFieldDef', { key: fieldKey(world, name) }),
    after: (before) => without(before, isAbout(name)),
  };
}

function createCategory(name: string): Operation {
  return {
    text: `create category ${name}`,
    run: ({ tagging }) =>
      tagging.createCategory({ name, description: '', cardinality: 'MULTIPLE', associableTypes: [] }),
    after: (before) => put(before, { [`category ${name}`]: true }),
  };
}

function tagId({ tagging }: World, name: string): string {
  const tag = tagging.tags().find((one) => one.name === name);
  if (!tag) throw new Error(`there is no tag ${name}`);
  return tag.id;
}

function createTag(name: string, category: string): Operation {
  return {
    text: `create tag ${name} in ${category}`,
    run({ tagging }) {
      const categoryId = tagging.categories().find((one) => one.name === category)?.id ?? '';
      return tagging.createTag({ name, description: '', categoryId });
    },
    after: (before) => put(before, { [`tag ${name}`]: category }),
  };
}

function attach(tag: string, vm: string): Operation {
  return {
    text: `attach ${tag} to ${vm}`,
    run: (world) => world.tagging.attach(tagId(world, tag), named(world.center, 'VirtualMachine', vm)),
    after: (before) => put(before, { [`tag ${tag} on ${vm}`]: true }),
  };
}

function deleteTag(name: string): Operation {
  return {
    text: `delete tag ${name}`,
    run: (world) => world.tagging.deleteTag(tagId(world, name)),
    after: (before) => without(before, isAbout(name)),
  };
}

function addUser(name: string): Operation {
  return {
    text: `add user ${name}`,
    run: ({ domain }) => domain.addUser(name, PASSWORD),
    after: (before) => put(before, { [`user ${name}`]: 'enabled' }),
  };
}

function setDisabled(user: string, isDisabled: boolean): Operation {
  return {
    text: `${isDisabled ? 'disable' : 'enable'} ${user}`,
    run: ({ domain }) => domain.updateUser(user, {}, isDisabled),
    after: (before) => put(before, { [`user ${user}`]: isDisabled ? 'disabled' : 'enabled' }),
  };
}

function removeUser(user: string): Operation {
  return {
    text: `remove user ${user}`,
    run: ({ domain }) => domain.removeUser(user),
    after: (before) => without(before, isAbout(user)),
  };
}
