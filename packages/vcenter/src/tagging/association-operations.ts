// com.vmware.cis.tagging.tag_association.
import type { ManagedObjectReference } from '@vivarium/vim';
import { MethodFault } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import { vapiErrorOf } from '../rest/fault-errors.ts';
import { type Door, type Operation, operation } from '../rest/operation.ts';
import { listOf, type TypeOf } from '../rest/shape.ts';
import { VapiError } from '../rest/vapi-error.ts';
import type { Tagging } from './tagging.ts';
import { bareType } from './tagging-model.ts';
import type { TaggingPrivileges } from './tagging-privileges.ts';
import { batchResult, objectId, objectToTags, tagId, tagToObjects } from './tagging-shapes.ts';

const service = 'com.vmware.cis.tagging.tag_association';
const REST = '/com/vmware/cis/tagging/tag-association';
const API = '/cis/tagging/tag-association';

type ObjectId = TypeOf<typeof objectId>;

export function associationOperations(tagging: Tagging, privileges: TaggingPrivileges): Operation[] {
  const refOf = ({ type, id }: ObjectId) =>
    privileges.refOf({ type: bareType(type), value: id } as ManagedObjectReference);
  const attach = async (call: Call, tag: string, object: ManagedObjectReference) => {
    privileges.require(call, 'AttachTag');
    tagging.tag(tag);
    privileges.requireAttachable(call, object);
    await tagging.attach(tag, object);
  };
  const detach = async (call: Call, tag: string, object: ManagedObjectReference) => {
    privileges.require(call, 'AttachTag');
    tagging.tag(tag);
    privileges.requireReadObject(call, object);
    await tagging.detach(tag, object);
  };
  const tagsOn = (call: Call, object: ManagedObjectReference) =>
    privileges.mayRead(call) ? tagging.tagsOn(object) : [];
  const objectsWith = (call: Call, tag: string) =>
    tagging
      .objectsWith(tag)
      .filter((object) => privileges.mayReadObject(call, object))
      .map(objectIdOf);

  return [
    operation({
      service,
      name: 'attach',
      summary: 'Attaches a tag to an object.',
      params: { tag_id: tagId, object_id: objectId },
      errors: ['not_found', 'invalid_argument', 'unauthorized'],
      doors: onOne('attach'),
      run: ({ tag_id, object_id }, { call }) => attach(call, tag_id, refOf(object_id)),
    }),
    operation({
      service,
      name: 'detach',
      summary: 'Takes a tag off an object.',
      params: { tag_id: tagId, object_id: objectId },
      errors: ['not_found', 'unauthorized'],
      doors: onOne('detach'),
      run: ({ tag_id, object_id }, { call }) => detach(call, tag_id, refOf(object_id)),
    }),
    operation({
      service,
      name: 'attach_multiple_tags_to_object',
      summary: 'Attaches tags to one object; tells of each that could not be.',
      params: { object_id: objectId, tag_ids: listOf(tagId) },
      result: batchResult,
      errors: ['unauthorized'],
      doors: onAll('attach-multiple-tags-to-object'),
      run({ object_id, tag_ids }, { call }) {
        const object = refOf(object_id);
        privileges.requireReadObject(call, object);
        return inTurn(tag_ids, (tag) => attach(call, tag, object));
      },
    }),
    operation({
      service,
      name: 'detach_multiple_tags_from_object',
      summary: 'Takes tags off one object; tells of each that could not be.',
      params: { object_id: objectId, tag_ids: listOf(tagId) },
      result: batchResult,
      errors: ['unauthorized'],
      doors: onAll('detach-multiple-tags-from-object'),
      run({ object_id, tag_ids }, { call }) {
        const object = refOf(object_id);
        privileges.requireReadObject(call, object);
        return inTurn(tag_ids, (tag) => detach(call, tag, object));
      },
    }),
    operation({
      service,
      name: 'attach_tag_to_multiple_objects',
      summary: 'Attaches one tag to objects; tells of each where it could not be.',
      params: { tag_id: tagId, object_ids: listOf(objectId) },
      result: batchResult,
      errors: ['not_found', 'unauthorized'],
      doors: onOne('attach-tag-to-multiple-objects'),
      run({ tag_id, object_ids }, { call }) {
        privileges.require(call, 'AttachTag');
        tagging.tag(tag_id);
        return inTurn(object_ids, (object) => attach(call, tag_id, refOf(object)));
      },
    }),
    operation({
      service,
      name: 'detach_tag_from_multiple_objects',
      summary: 'Takes one tag off objects; tells of each where it could not be.',
      params: { tag_id: tagId, object_ids: listOf(objectId) },
      result: batchResult,
      errors: ['not_found', 'unauthorized'],
      doors: onOne('detach-tag-from-multiple-objects'),
      run({ tag_id, object_ids }, { call }) {
        privileges.require(call, 'AttachTag');
        tagging.tag(tag_id);
        return inTurn(object_ids, (object) => detach(call, tag_id, refOf(object)));
      },
    }),
    operation({
      service,
      name: 'list_attached_objects',
      summary: 'Lists the objects that a tag is attached to and that the user may read.',
      params: { tag_id: tagId },
      result: listOf(objectId),
      errors: ['not_found', 'unauthorized'],
      doors: onOne('list-attached-objects'),
      run({ tag_id }, { call }) {
        privileges.requireRead(call);
        return objectsWith(call, tagging.tag(tag_id).id);
      },
    }),
    operation({
      service,
      name: 'list_attached_objects_on_tags',
      summary: 'The same for several tags; tags that there are not are left out.',
      params: { tag_ids: listOf(tagId) },
      result: listOf(tagToObjects),
      doors: onAll('list-attached-objects-on-tags'),
      run({ tag_ids }, { call }) {
        const known = new Set(privileges.mayRead(call) ? tagging.tags().map(({ id }) => id) : []);
        const asked = [...new Set(tag_ids)].filter((tag) => known.has(tag));
        return asked.map((tag) => ({ tag_id: tag, object_ids: objectsWith(call, tag) }));
      },
    }),
    operation({
      service,
      name: 'list_attached_tags',
      summary: 'Lists the tags that are attached to an object.',
      params: { object_id: objectId },
      result: listOf(tagId),
      errors: ['not_found', 'unauthorized'],
      doors: onAll('list-attached-tags'),
      run({ object_id }, { call }) {
        const object = refOf(object_id);
        privileges.requireReadObject(call, object);
        return tagsOn(call, object);
      },
    }),
    operation({
      service,
      name: 'list_attached_tags_on_objects',
      summary: 'The same for several objects; objects that the user may not read, or without tags, are left out.',
      params: { object_ids: listOf(objectId) },
      result: listOf(objectToTags),
      doors: onAll('list-attached-tags-on-objects'),
      run({ object_ids }, { call }) {
        const readable = object_ids.filter((object) => privileges.mayReadObject(call, refOf(object)));
        const found = readable.map((object) => ({ object_id: object, tag_ids: tagsOn(call, refOf(object)) }));
        return found.filter(({ tag_ids }) => tag_ids.length > 0);
      },
    }),
    operation({
      service,
      name: 'list_attachable_tags',
      summary: 'Lists the tags that could be attached to an object.',
      params: { object_id: objectId },
      result: listOf(tagId),
      errors: ['not_found', 'unauthorized'],
      doors: onAll('list-attachable-tags'),
      run({ object_id }, { call }) {
        const object = refOf(object_id);
        privileges.requireReadObject(call, object);
        if (!privileges.mayRead(call)) return [];
        const attachable = tagging.tags().filter((tag) => tagging.isAttachable(tag, object));
        return attachable.map(({ id }) => id);
      },
    }),
  ];
}

/** Every item in turn; refusals are collected, anything else ends it. */
async function inTurn<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<TypeOf<typeof batchResult>> {
  const errors: TypeOf<typeof batchResult>['error_messages'][number][] = [];
  for (const item of items) {
    try {
      await act(item);
    } catch (error) {
      if (!(error instanceof VapiError) && !(error instanceof MethodFault)) throw error;
      errors.push(...(error instanceof VapiError ? error : vapiErrorOf(error)).messages);
    }
  }
  return { success: errors.length === 0, error_messages: errors };
}

function onOne(action: string): { readonly rest: Door; readonly api: Door } {
  return {
    rest: { method: 'POST', path: `${REST}/id:{tag_id}`, action },
    api: { method: 'POST', path: `${API}/{tag_id}`, action },
  };
}

function onAll(action: string): { readonly rest: Door; readonly api: Door } {
  return { rest: { method: 'POST', path: REST, action }, api: { method: 'POST', path: API, action } };
}

function objectIdOf({ type, value }: ManagedObjectReference): ObjectId {
  return { type, id: value };
}
