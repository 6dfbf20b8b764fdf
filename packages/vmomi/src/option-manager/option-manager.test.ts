import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openMemoryStore } from '@vivarium/store';
import { type OptionValue } from '@vivarium/vim';
import { fault, testService } from '../testing/test-service.ts';
import type { OptionDefinition } from './option-definition.ts';
import { Settings } from './settings.ts';

const settings: readonly OptionDefinition[] = [
  { key: 'Demo.level', label: 'Level', summary: '', kind: 'choice', defaultValue: 'info', choices: ['info', 'debug'] },
  { key: 'Demo.size', label: 'Size', summary: '', kind: 'long', defaultValue: 5_000_000_000, min: 0, max: 1e12 },
  { key: 'Demo.flag', label: 'Flag', summary: '', kind: 'boolean', defaultValue: false },
  { key: 'Demo.text', label: 'Text', summary: '', kind: 'string', defaultValue: '', mostCharacters: 5 },
  { key: 'Demo.fixed', label: 'Fixed', summary: '', kind: 'int', defaultValue: 7, min: 7, max: 7, isReadOnly: true },
  { key: 'Demographic', label: 'Other', summary: '', kind: 'int', defaultValue: 1, min: 0, max: 9 },
];

async function world(context: Parameters<typeof testService>[0], directory?: string) {
  const test = await testService(context, { settings, ...(directory && { directory }) });
  const manager = test.service.content.setting;
  assert.ok(manager);
  const query = async (name?: string) => {
    const found = await test.invoke<OptionValue[]>(manager, 'QueryOptions', name === undefined ? {} : { name });
    return Object.fromEntries(found.map(({ key, value }) => [key, value]));
  };
  const update = (changes: Record<string, unknown>) =>
    test.invoke(manager, 'UpdateOptions', {
      changedValue: Object.entries(changes).map(([key, value]) => ({ key, value })),
    });
  return { ...test, manager, query, update };
}

void test('options are found by key, by subtree, and all at once', async (context) => {
  const { query } = await world(context);
  assert.deepEqual(await query('Demo.level'), { 'Demo.level': 'info' });
  const subtree = ['Demo.fixed', 'Demo.flag', 'Demo.level', 'Demo.size', 'Demo.text'];
  assert.deepEqual(Object.keys(await query('Demo.')), subtree);
  assert.deepEqual(Object.keys(await query('demo')), subtree);
  assert.ok(Object.keys(await query()).length > subtree.length);
  await assert.rejects(query('Nothing'), fault('InvalidName', { name: 'Nothing' }));
});

void test("values are checked by the option's type, all or none are set", async (context) => {
  const { query, update, service, manager } = await world(context);
  await update({
    'Demo.level': 'debug',
    'Demo.size': { _typeName: 'long', _value: 6_000_000_000 },
    'demo.flag': 'TRUE',
  });
  assert.deepEqual(await query('Demo.size'), { 'Demo.size': { _typeName: 'long', _value: 6_000_000_000 } });
  assert.deepEqual(await query('Demo.flag'), { 'Demo.flag': true });
  assert.equal(
    service.graph
      .get(manager)
      .get('setting')
      ?.find(({ key }) => key === 'Demo.level')?.value,
    'debug',
  );
  const refused: [Record<string, unknown>, string][] = [
    [{ 'Demo.level': 'loud' }, 'InvalidArgument'],
    [{ 'Demo.size': -1 }, 'InvalidArgument'],
    [{ 'Demo.size': 'many' }, 'InvalidArgument'],
    [{ 'Demo.text': 'too long' }, 'InvalidArgument'],
    [{ 'Demo.fixed': 7 }, 'InvalidArgument'],
    [{ 'Demo.text': 'ok', 'Demo.unknown': 1 }, 'InvalidName'],
  ];
  for (const [changes, type] of refused) await assert.rejects(update(changes), fault(type));
  assert.deepEqual(await query('Demo.text'), { 'Demo.text': '' });
});

void test('changed values survive a restart', async (context) => {
  const first = await world(context);
  await first.update({ 'Demo.text': 'kept' });
  await first.stop();
  const { query } = await world(context, first.directory);
  assert.deepEqual(await query('Demo.text'), { 'Demo.text': 'kept' });
});

void test('supportedOption tells types, bounds and defaults', async (context) => {
  const { service, manager } = await world(context);
  const options = service.graph.get(manager).get('supportedOption');
  const typeOf = (key: string) => options?.find((option) => option.key === key)?.optionType;
  assert.deepEqual(typeOf('Demo.size'), {
    _typeName: 'LongOption',
    valueIsReadonly: false,
    min: 0,
    max: 1e12,
    defaultValue: 5_000_000_000,
  });
  assert.equal((typeOf('Demo.level') as { defaultIndex?: number }).defaultIndex, 0);
  assert.equal(typeOf('Demo.fixed')?.valueIsReadonly, true);
});

void test('options may be added where the daemon lets them be, and survive a restart', async () => {
  const store = openMemoryStore();
  const open = () => new Settings(store, 'VpxSettings', settings, (key) => key.startsWith('config.'));
  const first = open();
  await first.update([
    { key: 'config.backup.target', value: 'nas' },
    { key: 'config.backup.copies', value: { _typeName: 'int', _value: 3 } },
  ]);
  await assert.rejects(first.update([{ key: 'other.key', value: 'x' }]), fault('InvalidName', { name: 'other.key' }));
  await assert.rejects(first.update([{ key: 'config.a b', value: 'x' }]), fault('InvalidName'));
  await assert.rejects(first.update([{ key: 'config.backup.copies', value: 'many' }]), fault('InvalidArgument'));
  const second = open();
  assert.deepEqual(
    second.query('config.backup').map(({ key }) => [key, second.get(key)]),
    [
      ['config.backup.copies', 3],
      ['config.backup.target', 'nas'],
    ],
  );
  await store.close();
});
