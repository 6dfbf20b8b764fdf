import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeJson,
  decodeJsonArgs,
  encodeJson,
  type FaultTypes,
  MethodFault,
  make,
  moRef,
  validateArgs,
} from '../index.ts';

void test('objects and references say their type, values under any are boxed', () => {
  const spec = make('VirtualMachineConfigSpec', {
    name: 'x',
    deviceChange: [make('VirtualDeviceConfigSpec', { operation: 'add', device: make('VirtualFloppy', { key: -1 }) })],
    extraConfig: [
      make('OptionValue', { key: 'k', value: 'v' }),
      make('OptionValue', { key: 'r', value: moRef('Task', 't') }),
    ],
  });
  assert.deepEqual(encodeJson('VirtualMachineConfigSpec', spec, '9.0.0.0'), {
    _typeName: 'VirtualMachineConfigSpec',
    name: 'x',
    deviceChange: [
      { _typeName: 'VirtualDeviceConfigSpec', operation: 'add', device: { _typeName: 'VirtualFloppy', key: -1 } },
    ],
    extraConfig: [
      { _typeName: 'OptionValue', key: 'k', value: { _typeName: 'string', _value: 'v' } },
      { _typeName: 'OptionValue', key: 'r', value: { _typeName: 'ManagedObjectReference', type: 'Task', value: 't' } },
    ],
  });
});

void test('versions filter JSON as they filter SOAP', () => {
  const nic = make('VirtualVmxnet3', { key: 1, numaNode: 0 });
  assert.deepEqual(encodeJson('VirtualDevice', nic, '8.0.0.1'), nic);
  assert.deepEqual(encodeJson('VirtualDevice', nic, '4.0'), { _typeName: 'VirtualVmxnet3', key: 1 });
  assert.deepEqual(encodeJson('VirtualDevice', nic, '2.5'), { _typeName: 'VirtualVmxnet', key: 1 });
});

void test('arguments without types get the declared ones; null is unset; the unknown is dropped', () => {
  const body = { spec: { name: 'x', annotation: null, warp: 9, extraConfig: [{ key: 'k', value: 5 }] } };
  assert.deepEqual(decodeJsonArgs('VirtualMachine', 'ReconfigVM_Task', body), {
    spec: {
      _typeName: 'VirtualMachineConfigSpec',
      name: 'x',
      extraConfig: [{ _typeName: 'OptionValue', key: 'k', value: { _typeName: 'int', _value: 5 } }],
    },
  });
  assert.deepEqual(decodeJsonArgs('VirtualMachine', 'PowerOnVM_Task', undefined), {});
});

const refused: readonly [name: string, spec: unknown, fault: keyof FaultTypes][] = [
  ['an array as object', [], 'InvalidRequest'],
  ['an object as array', { extraConfig: {} }, 'InvalidRequest'],
  ['a number as string', { name: 5 }, 'InvalidRequest'],
  ['a string as number', { memoryMB: '5' }, 'InvalidRequest'],
  ['a fraction as integer', { numCPUs: 1.5 }, 'InvalidRequest'],
  ['an int out of range', { numCPUs: 2 ** 31 }, 'InvalidRequest'],
  ['an unknown type', { _typeName: 'Nonsense' }, 'InvalidType'],
  ['a type that does not fit', { _typeName: 'OptionValue', key: 'k' }, 'InvalidType'],
  ['a type that is no string', { _typeName: 5 }, 'InvalidType'],
  ['an object under any without a type', { extraConfig: [{ key: 'k', value: {} }] }, 'InvalidType'],
  ['a bare array under any', { extraConfig: [{ key: 'k', value: [1] }] }, 'InvalidRequest'],
  ['a box without a value', { extraConfig: [{ key: 'k', value: { _typeName: 'int' } }] }, 'InvalidRequest'],
  ['an unknown enum value', { deviceChange: [{ operation: 'x', device: { key: 1 } }] }, 'InvalidRequest'],
  ['a reference that is a string', { deviceChange: [], vmProfile: ['x'] }, 'InvalidRequest'],
  ['something missing', { deviceChange: [{}] }, 'InvalidArgument'],
];

for (const [name, spec, fault] of refused) {
  void test(`refuses ${name} with ${fault}`, () => {
    assert.throws(
      () => validateArgs('VirtualMachine', 'ReconfigVM_Task', { spec }),
      (error) => error instanceof MethodFault && error.fault._typeName === fault,
    );
  });
}

void test('a refusal says where', () => {
  assert.throws(
    () => decodeJsonArgs('VirtualMachine', 'ReconfigVM_Task', { spec: { deviceChange: [{ device: { key: 1 } }, {}] } }),
    (error) => {
      assert.ok(error instanceof MethodFault);
      assert.deepEqual(error.fault, { _typeName: 'InvalidArgument', invalidProperty: 'spec.deviceChange[1].device' });
      return true;
    },
  );
  assert.throws(
    () => decodeJsonArgs('VirtualMachine', 'PowerOnVM_Task', { host: { type: 'Folder', value: 'f' } }),
    (error) => error instanceof MethodFault && error.message === 'A specified parameter was not correct: host',
  );
});

void test('nesting without end and names of Object.prototype do no harm', () => {
  let deep: unknown = { name: 't' };
  for (let depth = 0; depth < 5000; depth++)
    deep = { _typeName: 'TraversalSpec', type: 'Folder', path: 'x', selectSet: [deep] };
  assert.throws(
    () => decodeJson('SelectionSpec', deep),
    (error) => error instanceof MethodFault && error.fault._typeName === 'InvalidRequest',
  );
  const hostile: unknown = JSON.parse('{"name":"x","__proto__":{"annotation":"polluted"},"constructor":{}}');
  assert.deepEqual(decodeJson('VirtualMachineConfigSpec', hostile), {
    _typeName: 'VirtualMachineConfigSpec',
    name: 'x',
  });
  assert.throws(() => decodeJson('any', { _typeName: 'constructor' }), MethodFault);
});

void test('an unknown method is MethodNotFound', () => {
  assert.throws(
    () => decodeJsonArgs('Folder', 'PowerOnVM_Task', {}),
    (error) => error instanceof MethodFault && error.fault._typeName === 'MethodNotFound',
  );
});
