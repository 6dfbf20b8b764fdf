// For tests: operations on what vCenter keeps beside its inventory: roles, permissions, custom fields, tags, users.
import { type MoRef, make, moRef } from '@vivarium/vim';
import { isAbout, type Kind, type Operation, put, without } from './operation.ts';
import { named, type World } from './picture.ts';

const AUTHORIZATION = moRef('AuthorizationManager', 'AuthorizationManager') as MoRef;
const FIELDS = moRef('CustomFieldsManager', 'CustomFieldsManager') as MoRef;
const PRIVILEGES = ['VirtualMachine.Interact.PowerOn', 'VirtualMachine.Config.Rename', 'Folder.Create'];
/** Every role has them. */
const ALWAYS = ['System.Anonymous', 'System.Read', 'System.View'];
const PASSWORD = 'Vivarium-1';

export const rightsOperations: readonly Kind[] = [
  ({ count, below }) => addRole(`r${count}`, PRIVILEGES.slice(below(3))),
  ({ one, below }) => {
    const role = one('role');
    return role === undefined ? undefined : updateRole(role, PRIVILEGES.slice(below(3)));
  },
  ({ one }) => {
    const role = one('role');
    return role === undefined ? undefined : removeRole(role);
  },
  ({ one }) => {
    const [role, user, folder] = [one('role'), one('user'), one('folder')];
    return role === undefined || user === undefined || folder === undefined ? undefined : grant(role, user, folder);
  },
  ({ count }) => addField(`c${count}`),
  ({ count, one }) => {
    const [field, vm] = [one('field'), one('vm')];
    return field === undefined || vm === undefined ? undefined : setField(field, vm, `value ${count}`);
  },
  ({ one }) => {
    const field = one('field');
    return field === undefined ? undefined : removeField(field);
  },
  ({ count }) => createCategory(`k${count}`),
  ({ count, one }) => {
    const category = one('category');
    return category === undefined ? undefined : createTag(`t${count}`, category);
  },
  ({ one }) => {
    const [tag, vm] = [one('tag'), one('vm')];
    return tag === undefined || vm === undefined ? undefined : attach(tag, vm);
  },
  ({ one }) => {
    const tag = one('tag');
    return tag === undefined ? undefined : deleteTag(tag);
  },
  ({ count }) => addUser(`u${count}`),
  ({ one, fact }) => {
    const user = one('user');
    return user === undefined ? undefined : setDisabled(user, fact(`user ${user}`) === 'enabled');
  },
  ({ one }) => {
    const user = one('user');
    return user === undefined ? undefined : removeUser(user);
  },
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

function grant(role: string, user: string, folder: string): Operation {
  return {
    text: `grant ${role} to ${user} on ${folder}`,
    run(world) {
      const permission = make('Permission', {
        principal: principalOf(world, user),
        group: false,
        roleId: roleId(world, role),
        propagate: true,
      });
      const entity = named(world.center, 'Folder', folder);
      return world.center.invoke(AUTHORIZATION, 'SetEntityPermissions', { entity, permission: [permission] });
    },
    after: (before) => put(before, { [`permission of ${user} on ${folder}`]: role }),
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
    run: ({ domain }) => domain.setDisabled(user, isDisabled),
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
