import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatPropertyPath, isFault, parsePropertyPath, resolvePathType } from './index.ts';

const parsed: readonly [path: string, segments: unknown][] = [
  ['', []],
  ['name', [{ name: 'name' }]],
  [
    'config.hardware.device[4000].backing',
    [{ name: 'config' }, { name: 'hardware' }, { name: 'device', key: 4000 }, { name: 'backing' }],
  ],
  [
    'config.extraConfig["guestinfo.x"].value',
    [{ name: 'config' }, { name: 'extraConfig', key: 'guestinfo.x' }, { name: 'value' }],
  ],
  ['value[-1]', [{ name: 'value', key: -1 }]],
  ['a["x\\"y\\\\"]', [{ name: 'a', key: 'x"y\\' }]],
  ['a["]."]', [{ name: 'a', key: '].' }]],
];

for (const [path, segments] of parsed) {
  void test(`reads the path ${path}`, () => {
    assert.deepEqual(parsePropertyPath(path), segments);
    assert.equal(formatPropertyPath(parsePropertyPath(path)), path);
  });
}

for (const path of [
  '.',
  'a.',
  '.a',
  'a..b',
  'a[',
  'a[]',
  'a[x]',
  'a["x]',
  'a[1',
  'a[1]b',
  'a b',
  'a[1][2]',
  '1a',
  'ä',
  'a.'.repeat(5000),
]) {
  void test(`refuses the path ${path.slice(0, 20)}`, () => {
    assert.throws(
      () => parsePropertyPath(path),
      (error) => isFault(error, 'InvalidProperty'),
    );
    assert.equal(resolvePathType('VirtualMachine', path), undefined);
  });
}

void test('any text is a path or InvalidProperty', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', '.', '[', ']', '"', '\\', '1', '-'), maxLength: 30 }),
      (text) => {
        try {
          assert.deepEqual(parsePropertyPath(formatPropertyPath(parsePropertyPath(text))), parsePropertyPath(text));
        } catch (error) {
          assert.ok(isFault(error, 'InvalidProperty'));
        }
      },
    ),
  );
});

const types: readonly [managed: string, path: string, type: string | undefined, array?: boolean][] = [
  ['VirtualMachine', 'name', 'string'],
  ['VirtualMachine', 'runtime.powerState', 'VirtualMachinePowerState'],
  ['VirtualMachine', 'config.hardware.device', 'VirtualDevice', true],
  ['VirtualMachine', 'config.hardware.device[4000]', 'VirtualDevice'],
  ['VirtualMachine', 'config.hardware.device[4000].backing', 'VirtualDeviceBackingInfo'],
  ['VirtualMachine', 'config.extraConfig["guestinfo.x"]', 'OptionValue'],
  ['VirtualMachine', 'config.extraConfig["guestinfo.x"].value', 'any'],
  ['VirtualMachine', 'datastore', 'Datastore', true],
  ['VirtualMachine', 'datastore["datastore-1"]', 'Datastore'],
  ['VirtualMachine', 'disabledMethod["PowerOnVM_Task"]', 'methodName'],
  ['VirtualMachine', 'customValue[3]', 'CustomFieldValue'],
  ['Task', 'info.error.fault', 'MethodFault'],
  ['ManagedEntity', 'parent', 'ManagedEntity'],
  ['ManagedEntity', 'runtime', undefined], // only subclasses have it
  ['VirtualMachine', 'config.hardware.device["4000"]', undefined], // keys are numbers
  ['VirtualMachine', 'config.extraConfig[5]', undefined], // keys are strings
  ['VirtualMachine', 'config.hardware.device.key', undefined], // an array is no object
  ['VirtualMachine', 'config[1]', undefined],
  ['VirtualMachine', 'parent.name', undefined], // a reference is a leaf
  ['VirtualMachine', 'guest.net[0]', undefined], // no key property
  ['VirtualMachine', 'config.hardware.device[4000].macAddress', undefined], // only a subclass has it
  ['VirtualMachine', 'constructor', undefined],
  ['Nonsense', 'name', undefined],
];

for (const [managed, path, type, array = false] of types) {
  void test(`${managed} ${path} is ${type ?? 'no property'}`, () => {
    const ref = resolvePathType(managed, path);
    assert.equal(ref?.type, type);
    if (ref !== undefined) assert.equal(ref.array, array);
  });
}
