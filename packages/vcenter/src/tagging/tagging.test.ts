import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VapiError } from '../rest/vapi-error.ts';
import { smallCenter } from '../testing/small-center.ts';
import { DATASTORE, DB, HOST, WEB } from '../testing/small-inventory.ts';

const CATEGORY = { name: 'os', description: '', cardinality: 'SINGLE', associableTypes: ['VirtualMachine'] } as const;

function refusal(type: string) {
  return (error: unknown) => error instanceof VapiError && error.type === type;
}

void test('categories, tags and attachments survive a restart', async (context) => {
  const first = await smallCenter(context);
  const categoryId = await first.tagging.createCategory(CATEGORY);
  const tagId = await first.tagging.createTag({ categoryId, name: 'debian', description: '12' });
  assert.match(categoryId, /^urn:vmomi:InventoryServiceCategory:[0-9a-f-]{36}:GLOBAL$/);
  assert.match(tagId, /^urn:vmomi:InventoryServiceTag:[0-9a-f-]{36}:GLOBAL$/);
  await first.tagging.attach(tagId, WEB);
  await first.stop();
  const { tagging } = await smallCenter(context, { directory: first.directory });
  assert.deepEqual(tagging.category(categoryId), { id: categoryId, ...CATEGORY, usedBy: [] });
  assert.deepEqual(tagging.tagsOn(WEB), [tagId]);
  assert.deepEqual(tagging.objectsWith(tagId), [WEB]);
});

void test('the rules of a category hold: one tag per object, objects of its types', async (context) => {
  const { tagging } = await smallCenter(context);
  const categoryId = await tagging.createCategory(CATEGORY);
  const debian = await tagging.createTag({ categoryId, name: 'debian', description: '' });
  const fedora = await tagging.createTag({ categoryId, name: 'fedora', description: '' });
  await tagging.attach(debian, WEB);
  await tagging.attach(debian, WEB);
  await assert.rejects(tagging.attach(fedora, WEB), /allows one only/);
  await assert.rejects(tagging.attach(debian, HOST), /HostSystem/);
  await tagging.updateCategory(categoryId, {
    cardinality: 'MULTIPLE',
    associableTypes: ['VirtualMachine', 'HostSystem'],
  });
  await tagging.attach(fedora, WEB);
  await tagging.attach(debian, HOST);
  assert.deepEqual(tagging.tagsOn(WEB), [debian, fedora]);
  await tagging.detach(debian, WEB);
  await tagging.detach(debian, WEB);
  assert.deepEqual(tagging.tagsOn(WEB), [fedora]);
});

void test('a category only becomes more general', async (context) => {
  const { tagging } = await smallCenter(context);
  const narrow = await tagging.createCategory({ ...CATEGORY, cardinality: 'MULTIPLE' });
  await assert.rejects(tagging.updateCategory(narrow, { cardinality: 'SINGLE' }), refusal('invalid_argument'));
  await assert.rejects(tagging.updateCategory(narrow, { associableTypes: ['Folder'] }), refusal('invalid_argument'));
  const wide = await tagging.createCategory({ ...CATEGORY, name: 'wide', associableTypes: [] });
  await assert.rejects(tagging.updateCategory(wide, { associableTypes: ['Folder'] }), refusal('invalid_argument'));
});

void test('names are unique without regard to case, tags within their category', async (context) => {
  const { tagging } = await smallCenter(context);
  const one = await tagging.createCategory(CATEGORY);
  await assert.rejects(tagging.createCategory({ ...CATEGORY, name: 'OS' }), refusal('already_exists'));
  const other = await tagging.createCategory({ ...CATEGORY, name: 'other' });
  await assert.rejects(tagging.updateCategory(other, { name: 'Os' }), refusal('already_exists'));
  await tagging.updateCategory(other, { name: 'OTHER' });
  const tag = await tagging.createTag({ categoryId: one, name: 'a', description: '' });
  await tagging.createTag({ categoryId: other, name: 'a', description: '' });
  await assert.rejects(tagging.createTag({ categoryId: one, name: 'A', description: '' }), refusal('already_exists'));
  await tagging.updateTag(tag, { name: 'A' });
  await assert.rejects(tagging.createTag({ categoryId: 'x', name: 'b', description: '' }), refusal('not_found'));
  await assert.rejects(tagging.createCategory({ ...CATEGORY, name: ' ' }), refusal('invalid_argument'));
});

void test('clients may choose ids, of the right form and once', async (context) => {
  const { tagging } = await smallCenter(context);
  const id = 'urn:vmomi:InventoryServiceCategory:0d8a9d0e-1a2b-4c3d-8e4f-5a6b7c8d9e0f:GLOBAL';
  assert.equal(await tagging.createCategory({ ...CATEGORY, id }), id);
  await assert.rejects(tagging.createCategory({ ...CATEGORY, name: 'b', id }), refusal('already_exists'));
  await assert.rejects(tagging.createCategory({ ...CATEGORY, name: 'b', id: 'mine' }), refusal('invalid_argument'));
});

void test('attachments go with their tag, their category and their object', async (context) => {
  const first = await smallCenter(context);
  const { tagging, service } = first;
  const categoryId = await tagging.createCategory({ ...CATEGORY, cardinality: 'MULTIPLE', associableTypes: [] });
  const [a = '', b = '', c = ''] = await Promise.all(
    ['a', 'b', 'c'].map((name) => tagging.createTag({ categoryId, name, description: '' })),
  );
  for (const tag of [a, b, c]) for (const object of [WEB, DB, DATASTORE]) await tagging.attach(tag, object);
  await tagging.deleteTag(a);
  assert.deepEqual(tagging.tagsOn(WEB), [b, c]);
  service.graph.remove(WEB);
  await tagging.deleteTag(b); // behind the removal
  assert.deepEqual(tagging.objectsWith(c), [DB, DATASTORE]);
  assert.deepEqual(service.store.range('tagging/attachment/').length, 2);
  await tagging.sweep(({ value }) => value !== DB.value);
  assert.deepEqual(tagging.objectsWith(c), [DATASTORE]);
  await tagging.deleteCategory(categoryId);
  assert.deepEqual(service.store.range('tagging/'), []);
  assert.throws(() => tagging.tag(c), refusal('not_found'));
  assert.deepEqual(tagging.tagsOn(DATASTORE), []);
});

void test('an object that leaves while its tag is written keeps none', async (context) => {
  const { tagging, service } = await smallCenter(context);
  const categoryId = await tagging.createCategory(CATEGORY);
  const tag = await tagging.createTag({ categoryId, name: 'a', description: '' });
  const attached = tagging.attach(tag, WEB);
  service.graph.remove(WEB);
  await attached;
  assert.deepEqual(tagging.objectsWith(tag), []);
  assert.deepEqual(service.store.range('tagging/attachment/'), []);
});
