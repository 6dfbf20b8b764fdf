import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openMemoryStore, type Store } from '@vivarium/store';
import { type CustomFieldDef, type MoRef, moRef } from '@vivarium/vim';
import { ObjectGraph } from '../graph/object-graph.ts';
import { lateStore } from '../testing/late-store.ts';
import { fault, OTHER_VM, testService, VM, VM_FOLDER } from '../testing/test-service.ts';
import { CustomFields } from './custom-fields.ts';

async function world(context: Parameters<typeof testService>[0], directory?: string) {
  const test = await testService(context, directory ? { directory } : {});
  const manager = test.service.content.customFieldsManager;
  assert.ok(manager);
  const define = (name: string, moType?: string) =>
    test.invoke<CustomFieldDef>(manager, 'AddCustomFieldDef', { name, ...(moType && { moType }) });
  return { ...test, manager, define };
}

void test('a field is defined, offered to the types it is for, set by key or name, and shown', async (context) => {
  const {
    service: { graph },
    invoke,
    manager,
    define,
  } = await world(context);
  const owner = await define('owner', 'VirtualMachine');
  const note = await define('note');
  assert.equal(owner.type, 'string');
  const names = (ref: typeof VM | typeof VM_FOLDER) =>
    graph
      .get(ref)
      .get('availableField')
      ?.map(({ name }) => name);
  assert.deepEqual(names(VM), ['owner', 'note']);
  assert.deepEqual(names(VM_FOLDER), ['note']);
  await invoke(manager, 'SetField', { entity: VM, key: owner.key, value: 'ann' });
  await invoke(VM, 'setCustomValue', { key: 'note', value: 'hello' });
  const values = [
    { _typeName: 'CustomFieldStringValue', key: owner.key, value: 'ann' },
    { _typeName: 'CustomFieldStringValue', key: note.key, value: 'hello' },
  ];
  assert.deepEqual(graph.get(VM).get('customValue'), values);
  assert.deepEqual(graph.get(VM).get('value'), values);
  assert.deepEqual(graph.get(OTHER_VM).get('customValue'), []);
  await assert.rejects(
    invoke(manager, 'SetField', { entity: VM_FOLDER, key: owner.key, value: '' }),
    fault('InvalidArgument'),
  );
  await assert.rejects(
    invoke(VM, 'setCustomValue', { key: 'none', value: '' }),
    fault('InvalidArgument', { invalidProperty: 'key' }),
  );
});

void test('names are unique; renaming keeps values, removing takes them away', async (context) => {
  const {
    service: { graph },
    invoke,
    manager,
    define,
  } = await world(context);
  const { key } = await define('owner');
  await define('note');
  await assert.rejects(define('owner'), fault('DuplicateName', { name: 'owner' }));
  await assert.rejects(invoke(manager, 'RenameCustomFieldDef', { key, name: 'note' }), fault('DuplicateName'));
  await assert.rejects(define(' '), fault('InvalidArgument'));
  await assert.rejects(define('x', 'NoSuchType'), fault('InvalidArgument', { invalidProperty: 'moType' }));
  await invoke(VM, 'setCustomValue', { key: 'owner', value: 'ann' });
  await invoke(manager, 'RenameCustomFieldDef', { key, name: 'boss' });
  assert.deepEqual(
    graph
      .get(VM)
      .get('availableField')
      ?.map(({ name }) => name),
    ['boss', 'note'],
  );
  assert.equal(graph.get(VM).get('customValue')?.length, 1);
  await invoke(manager, 'RemoveCustomFieldDef', { key });
  assert.deepEqual(graph.get(VM).get('customValue'), []);
  assert.deepEqual(
    graph
      .get(manager)
      .get('field')
      ?.map(({ name }) => name),
    ['note'],
  );
  await assert.rejects(
    invoke(manager, 'RemoveCustomFieldDef', { key }),
    fault('InvalidArgument', { invalidProperty: 'key' }),
  );
});

void test('definitions and values survive a restart and appear on entities that come later', async (context) => {
  const first = await world(context);
  const { key } = await first.define('owner');
  await first.invoke(VM, 'setCustomValue', { key: 'owner', value: 'ann' });
  await first.stop();
  const {
    service: { graph },
    define,
  } = await world(context, first.directory);
  assert.deepEqual(graph.get(VM).get('customValue'), [{ _typeName: 'CustomFieldStringValue', key, value: 'ann' }]);
  assert.ok((await define('next')).key > key);
  const later = graph.add(moRef('VirtualMachine', '3'), { name: 'vm3', parent: VM_FOLDER });
  assert.equal(later.get('availableField')?.length, 2);
});

void test('of values that are set at once none is lost', async () => {
  const fields = new CustomFields(lateStore(), new ObjectGraph(), () => moRef('CustomFieldsManager', 'm'));
  const defined = await Promise.all(['owner', 'note'].map((name) => fields.define({ name })));
  await Promise.all(defined.map(({ key, name }) => fields.set(VM, key, `of ${name}`)));
  assert.deepEqual(
    fields.valuesOf(VM).map((one) => (one as { value?: string }).value),
    ['of owner', 'of note'],
  );
});

/** As many machines as no store takes at once. */
async function manyHolders(store: Store, count = 2500) {
  const graph = new ObjectGraph();
  const fields = new CustomFields(store, graph, () => moRef('CustomFieldsManager', 'x'));
  const { key } = await fields.define({ name: 'backup' });
  const { key: kept } = await fields.define({ name: 'owner' });
  const machines = Array.from({ length: count }, (_, index) => moRef('VirtualMachine', `vm-${index}`));
  await Promise.all(machines.map((machine) => fields.set(machine, key, 'yes')));
  await fields.set(machines[0] as MoRef, kept, 'ann');
  return { fields, graph, key, kept, machines };
}

void test('a field goes though it is set on more entities than a store takes at once', async () => {
  const store = openMemoryStore();
  const { fields, key, kept, machines } = await manyHolders(store);
  assert.equal((await fields.remove(key)).length, 2500);
  assert.deepEqual(fields.valuesOf(machines[1] as MoRef), []);
  const values = store.range('custom-field/value/');
  assert.deepEqual(
    values.map(({ value }) => value),
    [{ [kept]: 'ann' }],
  );
});

void test('of a field that was removed by a daemon that was killed meanwhile nothing comes back', async () => {
  const store = openMemoryStore();
  const { graph, key, kept, machines } = await manyHolders(store, 3);
  await store.batch([{ delete: `custom-field/definition/${key}` }, { delete: `custom-field/definition/${kept}` }]);
  const again = new CustomFields(store, graph, () => moRef('CustomFieldsManager', 'x'));
  const next = await again.define({ name: 'new' });
  assert.ok(next.key > kept);
  assert.deepEqual(again.valuesOf(machines[0] as MoRef), []);
  await again.sweep({ find: () => ({}) as never });
  assert.deepEqual(store.range('custom-field/value/'), []);
});
