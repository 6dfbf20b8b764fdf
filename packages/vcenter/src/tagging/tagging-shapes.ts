// The structures of com.vmware.cis.tagging. Names and fields are vCenter's.

import { flag, id, listOf, oneOf, optional, setOf, struct, text } from '../rest/shape.ts';
import { localizableMessage } from '../rest/standard-shapes.ts';

export const categoryId = id('com.vmware.cis.tagging.Category');
export const tagId = id('com.vmware.cis.tagging.Tag');

const cardinality = oneOf('com.vmware.cis.tagging.category_model.cardinality', ['SINGLE', 'MULTIPLE']);

/** An object of the inventory: managed type and id. */
export const objectId = struct('com.vmware.vapi.std.dynamic_ID', { type: text, id: text });

export const categoryModel = struct('com.vmware.cis.tagging.category_model', {
  id: categoryId,
  name: text,
  description: text,
  cardinality,
  associable_types: setOf(text),
  used_by: setOf(text),
});

export const categoryCreateSpec = struct('com.vmware.cis.tagging.category.create_spec', {
  name: text,
  description: text,
  cardinality,
  associable_types: setOf(text),
  category_id: optional(categoryId),
});

export const categoryUpdateSpec = struct('com.vmware.cis.tagging.category.update_spec', {
  name: optional(text),
  description: optional(text),
  cardinality: optional(cardinality),
  associable_types: optional(setOf(text)),
});

export const tagModel = struct('com.vmware.cis.tagging.tag_model', {
  id: tagId,
  category_id: categoryId,
  name: text,
  description: text,
  used_by: setOf(text),
});

export const tagCreateSpec = struct('com.vmware.cis.tagging.tag.create_spec', {
  name: text,
  description: text,
  category_id: categoryId,
  tag_id: optional(tagId),
});

export const tagUpdateSpec = struct('com.vmware.cis.tagging.tag.update_spec', {
  name: optional(text),
  description: optional(text),
});

export const batchResult = struct('com.vmware.cis.tagging.tag_association.batch_result', {
  success: flag,
  error_messages: listOf(localizableMessage),
});

export const tagToObjects = struct('com.vmware.cis.tagging.tag_association.tag_to_objects', {
  tag_id: tagId,
  object_ids: listOf(objectId),
});

export const objectToTags = struct('com.vmware.cis.tagging.tag_association.object_to_tags', {
  object_id: objectId,
  tag_ids: listOf(tagId),
});
