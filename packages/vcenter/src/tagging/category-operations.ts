// com.vmware.cis.tagging.category.
import { type Door, type Operation, operation } from '../rest/operation.ts';
import { listOf, text } from '../rest/shape.ts';
import type { Tagging } from './tagging.ts';
import { bareType, type Category } from './tagging-model.ts';
import type { TaggingPrivileges } from './tagging-privileges.ts';
import { categoryCreateSpec, categoryId, categoryModel, categoryUpdateSpec } from './tagging-shapes.ts';

const service = 'com.vmware.cis.tagging.category';
const REST = '/com/vmware/cis/tagging/category';
const API = '/cis/tagging/category';

export function categoryOperations(tagging: Tagging, privileges: TaggingPrivileges): Operation[] {
  const changeUsers = (name: string, summary: string, change: (users: readonly string[], user: string) => string[]) =>
    operation({
      service,
      name,
      summary,
      params: { category_id: categoryId, used_by_entity: text },
      errors: ['not_found', 'unauthorized'],
      doors: onOne('POST', { action: name.replaceAll('_', '-') }),
      async run({ category_id, used_by_entity }, { call }) {
        privileges.require(call, 'ModifyUsedByForCategory');
        await tagging.updateCategory(category_id, ({ usedBy }) => ({ usedBy: change(usedBy, used_by_entity) }));
      },
    });

  return [
    operation({
      service,
      name: 'create',
      summary: 'Creates a category.',
      params: { create_spec: categoryCreateSpec },
      result: categoryId,
      errors: ['already_exists', 'invalid_argument', 'unauthorized'],
      doors: { rest: { method: 'POST', path: REST }, api: { method: 'POST', path: API, body: 'create_spec' } },
      creates: true,
      run({ create_spec: spec }, { call }) {
        privileges.require(call, 'CreateCategory');
        const { name, description, cardinality, category_id: id } = spec;
        const associableTypes = bareTypes(spec.associable_types);
        return tagging.createCategory({ name, description, cardinality, associableTypes, id });
      },
    }),
    operation({
      service,
      name: 'get',
      summary: 'Tells about a category.',
      params: { category_id: categoryId },
      result: categoryModel,
      errors: ['not_found', 'unauthorized'],
      doors: onOne('GET'),
      run({ category_id }, { call }) {
        privileges.requireRead(call);
        return modelOf(tagging.category(category_id));
      },
    }),
    operation({
      service,
      name: 'update',
      summary: 'Changes a category. It can only become more general.',
      params: { category_id: categoryId, update_spec: categoryUpdateSpec },
      errors: ['already_exists', 'invalid_argument', 'not_found', 'unauthorized'],
      doors: onOne('PATCH', {}, { body: 'update_spec' }),
      async run({ category_id, update_spec: spec }, { call }) {
        privileges.require(call, 'EditCategory');
        const { name, description, cardinality } = spec;
        const associableTypes = spec.associable_types && bareTypes(spec.associable_types);
        await tagging.updateCategory(category_id, { name, description, cardinality, associableTypes });
      },
    }),
    operation({
      service,
      name: 'delete',
      summary: 'Deletes a category with its tags.',
      params: { category_id: categoryId },
      errors: ['not_found', 'unauthorized'],
      doors: onOne('DELETE'),
      async run({ category_id }, { call }) {
        privileges.require(call, 'DeleteCategory');
        await tagging.deleteCategory(category_id);
      },
    }),
    operation({
      service,
      name: 'list',
      summary: 'Lists the ids of all categories that the user may read.',
      result: listOf(categoryId),
      doors: { rest: { method: 'GET', path: REST }, api: { method: 'GET', path: API } },
      run: (_args, { call }) => (privileges.mayRead(call) ? tagging.categories().map(({ id }) => id) : []),
    }),
    operation({
      service,
      name: 'list_used_categories',
      summary: 'Lists the categories that are noted as used by somebody.',
      params: { used_by_entity: text },
      result: listOf(categoryId),
      doors: {
        rest: { method: 'POST', path: REST, action: 'list-used-categories' },
        api: { method: 'POST', path: API, action: 'list-used-categories' },
      },
      run({ used_by_entity: user }, { call }) {
        if (!privileges.mayRead(call)) return [];
        const used = tagging.categories().filter(({ usedBy }) => usedBy.includes(user));
        return used.map(({ id }) => id);
      },
    }),
    changeUsers('add_to_used_by', 'Notes that somebody uses the category.', (users, user) => [
      ...new Set([...users, user]),
    ]),
    changeUsers('remove_from_used_by', 'Takes such a note back.', (users, user) => users.filter((one) => one !== user)),
  ];
}

function onOne(
  method: Door['method'],
  both: Partial<Door> = {},
  api: Partial<Door> = {},
): { readonly rest: Door; readonly api: Door } {
  return {
    rest: { method, path: `${REST}/id:{category_id}`, ...both },
    api: { method, path: `${API}/{category_id}`, ...both, ...api },
  };
}

function modelOf({ id, name, description, cardinality, associableTypes, usedBy }: Category) {
  return { id, name, description, cardinality, associable_types: associableTypes, used_by: usedBy };
}

function bareTypes(types: readonly string[]): string[] {
  return [...new Set(types.map(bareType))];
}
