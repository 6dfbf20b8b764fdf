// com.vmware.cis.tagging.tag.
import { type Door, type Operation, operation } from '../rest/operation.ts';
import { listOf, text } from '../rest/shape.ts';
import type { Tagging } from './tagging.ts';
import type { Tag } from './tagging-model.ts';
import type { TaggingPrivileges } from './tagging-privileges.ts';
import { categoryId, tagCreateSpec, tagId, tagModel, tagUpdateSpec } from './tagging-shapes.ts';

const service = 'com.vmware.cis.tagging.tag';
const REST = '/com/vmware/cis/tagging/tag';
const API = '/cis/tagging/tag';

export function tagOperations(tagging: Tagging, privileges: TaggingPrivileges): Operation[] {
  const changeUsers = (name: string, summary: string, change: (users: readonly string[], user: string) => string[]) =>
    operation({
      service,
      name,
      summary,
      params: { tag_id: tagId, used_by_entity: text },
      errors: ['not_found', 'unauthorized'],
      doors: onOne('POST', { action: name.replaceAll('_', '-') }),
      async run({ tag_id, used_by_entity }, { call }) {
        privileges.require(call, 'ModifyUsedByForTag');
        await tagging.updateTag(tag_id, ({ usedBy }) => ({ usedBy: change(usedBy, used_by_entity) }));
      },
    });

  return [
    operation({
      service,
      name: 'create',
      summary: 'Creates a tag in a category.',
      params: { create_spec: tagCreateSpec },
      result: tagId,
      errors: ['already_exists', 'invalid_argument', 'not_found', 'unauthorized'],
      doors: { rest: { method: 'POST', path: REST }, api: { method: 'POST', path: API, body: 'create_spec' } },
      creates: true,
      run({ create_spec: { name, description, category_id, tag_id } }, { call }) {
        privileges.require(call, 'CreateTag');
        return tagging.createTag({ name, description, categoryId: category_id, id: tag_id });
      },
    }),
    operation({
      service,
      name: 'get',
      summary: 'Tells about a tag.',
      params: { tag_id: tagId },
      result: tagModel,
      errors: ['not_found', 'unauthorized'],
      doors: onOne('GET'),
      run({ tag_id }, { call }) {
        privileges.requireRead(call);
        return modelOf(tagging.tag(tag_id));
      },
    }),
    operation({
      service,
      name: 'update',
      summary: 'Changes name or description of a tag.',
      params: { tag_id: tagId, update_spec: tagUpdateSpec },
      errors: ['already_exists', 'invalid_argument', 'not_found', 'unauthorized'],
      doors: onOne('PATCH', {}, { body: 'update_spec' }),
      async run({ tag_id, update_spec: { name, description } }, { call }) {
        privileges.require(call, 'EditTag');
        await tagging.updateTag(tag_id, { name, description });
      },
    }),
    operation({
      service,
      name: 'delete',
      summary: 'Deletes a tag; it comes off whatever it is attached to.',
      params: { tag_id: tagId },
      errors: ['not_found', 'unauthorized'],
      doors: onOne('DELETE'),
      async run({ tag_id }, { call }) {
        privileges.require(call, 'DeleteTag');
        await tagging.deleteTag(tag_id);
      },
    }),
    operation({
      service,
      name: 'list',
      summary: 'Lists the ids of all tags that the user may read.',
      result: listOf(tagId),
      doors: { rest: { method: 'GET', path: REST }, api: { method: 'GET', path: API } },
      run: (_args, { call }) => (privileges.mayRead(call) ? tagging.tags().map(({ id }) => id) : []),
    }),
    operation({
      service,
      name: 'list_used_tags',
      summary: 'Lists the tags that are noted as used by somebody.',
      params: { used_by_entity: text },
      result: listOf(tagId),
      doors: {
        rest: { method: 'POST', path: REST, action: 'list-used-tags' },
        api: { method: 'POST', path: API, action: 'list-used-tags' },
      },
      run({ used_by_entity: user }, { call }) {
        if (!privileges.mayRead(call)) return [];
        const used = tagging.tags().filter(({ usedBy }) => usedBy.includes(user));
        return used.map(({ id }) => id);
      },
    }),
    operation({
      service,
      name: 'list_tags_for_category',
      summary: 'Lists the tags of a category.',
      params: { category_id: categoryId },
      result: listOf(tagId),
      errors: ['not_found', 'unauthorized'],
      doors: {
        rest: { method: 'POST', path: `${REST}/id:{category_id}`, action: 'list-tags-for-category' },
        api: { method: 'POST', path: API, action: 'list-tags-for-category' },
      },
      run({ category_id }, { call }) {
        privileges.requireRead(call);
        tagging.category(category_id);
        return tagging.tagsOfCategory(category_id).map(({ id }) => id);
      },
    }),
    changeUsers('add_to_used_by', 'Notes that somebody uses the tag.', (users, user) => [...new Set([...users, user])]),
    changeUsers('remove_from_used_by', 'Takes such a note back.', (users, user) => users.filter((one) => one !== user)),
  ];
}

function onOne(
  method: Door['method'],
  both: Partial<Door> = {},
  api: Partial<Door> = {},
): { readonly rest: Door; readonly api: Door } {
  return {
    rest: { method, path: `${REST}/id:{tag_id}`, ...both },
    api: { method, path: `${API}/{tag_id}`, ...both, ...api },
  };
}

function modelOf({ id, categoryId, name, description, usedBy }: Tag) {
  return { id, category_id: categoryId, name, description, used_by: usedBy };
}
