// Bodies that real clients send (fixtures/requests/README.md) are read as their users meant them.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeSoapRequest, isA, type SoapRequest, type VirtualMachineConfigSpec } from '../index.ts';

const FIXTURES = `${import.meta.dirname}/../../fixtures/requests`;

function read(name: string, action = '"urn:vim25/8.0.3.0"'): SoapRequest {
  return decodeSoapRequest(readFileSync(`${FIXTURES}/${name}.xml`), action);
}

void test('every recorded request is understood', () => {
  const files = readdirSync(FIXTURES).filter((file) => file.endsWith('.xml'));
  assert.ok(files.length >= 13);
  for (const file of files) {
    const [, method] = file.replace('.xml', '').split('-');
    assert.equal(read(file.replace('.xml', '')).method, method, file);
  }
});

void test('pyVmomi: Fetch, with versionId attributes on every parameter', () => {
  assert.deepEqual(read('pyvmomi-Fetch'), {
    method: 'Fetch',
    this: { type: 'ServiceInstance', value: 'ServiceInstance' },
    args: { prop: 'content' },
    version: '8.0.3.0',
    header: {},
  });
});

void test('pyVmomi: a password with markup in it', () => {
  assert.deepEqual(read('pyvmomi-Login').args, { userName: 'root', password: 'p<&>"ä', locale: 'en_US' });
});

void test('pyVmomi: a recursive traversal', () => {
  assert.deepEqual(read('pyvmomi-CreateFilter').args, {
    spec: {
      _typeName: 'PropertyFilterSpec',
      propSet: [{ _typeName: 'PropertySpec', type: 'VirtualMachine', all: false, pathSet: ['name'] }],
      objectSet: [
        {
          _typeName: 'ObjectSpec',
          obj: { type: 'VirtualMachine', value: 'vm-1' },
          selectSet: [
            {
              _typeName: 'TraversalSpec',
              name: 't',
              type: 'Folder',
              path: 'childEntity',
              skip: false,
              selectSet: [{ _typeName: 'SelectionSpec', name: 't' }],
            },
          ],
        },
      ],
    },
    partialUpdates: true,
  });
});

void test('pyVmomi: ArrayOfAnyType, and references it calls ManagedObject', () => {
  assert.deepEqual(read('pyvmomi-UpdateOptions').args['changedValue'], [
    {
      _typeName: 'OptionValue',
      key: 'k',
      value: {
        _typeName: 'ArrayOfAnyType',
        _value: [
          { _typeName: 'boolean', _value: true },
          { _typeName: 'ManagedObjectReference', type: 'VirtualMachine', value: 'vm-1' },
        ],
      },
    },
  ]);
});

void test('govmomi: operationID, its own xsi prefix, an xsd prefix that it never binds, items without xsi:type', () => {
  const request = read('govmomi-ReconfigVM_Task');
  assert.deepEqual(request.header, { operationID: 'op-1' });
  const spec = request.args['spec'] as VirtualMachineConfigSpec;
  assert.equal(spec.createDate, '2024-01-02T02:04:05.678Z');
  const device = spec.deviceChange?.[0]?.device;
  assert.ok(isA('VirtualDisk', device));
  assert.ok(isA('VirtualDiskFlatVer2BackingInfo', device.backing));
  assert.deepEqual(
    spec.extraConfig?.map((option) => (option as { value?: unknown }).value),
    [
      { _typeName: 'string', _value: 'b' },
      { _typeName: 'int', _value: 3 },
      { _typeName: 'long', _value: 3 },
      { _typeName: 'boolean', _value: true },
      { _typeName: 'double', _value: 1.5 },
      { _typeName: 'ArrayOfString', _value: ['x', 'y'] },
      { _typeName: 'ManagedObjectReference', type: 'VirtualMachine', value: 'vm-1' },
      { _typeName: 'VirtualMachinePowerState', _value: 'poweredOn' },
      { _typeName: 'dateTime', _value: '2024-01-02T02:04:05.678Z' },
      { _typeName: 'ArrayOfManagedObjectReference', _value: [{ type: 'VirtualMachine', value: 'vm-1' }] },
      { _typeName: 'byte', _value: 3 },
    ],
  );
});

void test('libvirt: xsi:type everywhere and an empty SOAPAction, which means the legacy version', () => {
  const request = read('libvirt-RetrieveProperties', '""');
  assert.equal(request.version, '2.5u2');
  assert.deepEqual(request.this, { type: 'PropertyCollector', value: 'ha-property-collector' });
  assert.equal((request.args['specSet'] as { objectSet: unknown[] }[])[0]?.objectSet.length, 1);
});

void test('suds: prefixed elements, and an untyped value under any is a string', () => {
  const spec = read('suds-ReconfigVM_Task').args['spec'] as VirtualMachineConfigSpec;
  assert.deepEqual(spec.extraConfig, [
    { _typeName: 'OptionValue', key: 'k', value: { _typeName: 'string', _value: 'v' } },
  ]);
  assert.ok(isA('VirtualDisk', spec.deviceChange?.[0]?.device));
});
