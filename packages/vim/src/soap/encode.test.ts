// The wire rules of the shared reference, vim25.md 1.4, as seen in what we send.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  box,
  decodeSoapResponse,
  encodedForm,
  encodeSoapFault,
  encodeSoapRequest,
  encodeSoapResponse,
  encodeValue,
  type HasEncodedForm,
  isFault,
  MethodFault,
  make,
  moRef,
  schema,
} from '../index.ts';
import { soapResponseFrame } from './encode-message.ts';

const NEWEST = '9.0.0.0';
const vm = moRef('VirtualMachine', 'vm-1');

const cases: readonly [rule: string, declared: string, value: unknown, xml: string][] = [
  [
    'rule 1: base class properties first, in schema order whatever the order of the object',
    'VirtualDisk',
    { capacityInKB: 1, unitNumber: 0, key: 2000, controllerKey: 1000 },
    '<x><key>2000</key><controllerKey>1000</controllerKey><unitNumber>0</unitNumber><capacityInKB>1</capacityInKB></x>',
  ],
  ['rule 2: arrays are repeated elements', 'string[]', ['a', 'b'], '<x>a</x><x>b</x>'],
  ['rule 2: an empty array is nothing', 'string[]', [], ''],
  ['rule 2: unset is nothing', 'VirtualDisk', undefined, ''],
  [
    'rule 2: properties set to undefined are unset',
    'Description',
    { label: 'a', summary: undefined },
    '<x><label>a</label></x>',
  ],
  [
    'rule 3: a subclass names itself',
    'VirtualDevice',
    make('VirtualFloppy', { key: 8000 }),
    '<x xsi:type="VirtualFloppy"><key>8000</key></x>',
  ],
  ['rule 3: the declared type does not', 'VirtualDevice', make('VirtualDevice', { key: 1 }), '<x><key>1</key></x>'],
  ['rule 3: a string under any', 'any', 'a', '<x xsi:type="xsd:string">a</x>'],
  ['rule 3: a boolean under any', 'any', true, '<x xsi:type="xsd:boolean">true</x>'],
  ['rule 3: a small integer under any', 'any', -5, '<x xsi:type="xsd:int">-5</x>'],
  ['rule 3: a large integer under any', 'any', 2 ** 31, '<x xsi:type="xsd:long">2147483648</x>'],
  ['rule 3: a fraction under any', 'any', 0.5, '<x xsi:type="xsd:double">0.5</x>'],
  ['rule 3: a boxed short', 'any', { _typeName: 'short', _value: 5 }, '<x xsi:type="xsd:short">5</x>'],
  [
    'rule 3: a boxed time',
    'any',
    { _typeName: 'dateTime', _value: '2024-01-01T00:00:00Z' },
    '<x xsi:type="xsd:dateTime">2024-01-01T00:00:00Z</x>',
  ],
  [
    'rule 3: an enum under any',
    'any',
    { _typeName: 'VirtualMachinePowerState', _value: 'poweredOn' },
    '<x xsi:type="VirtualMachinePowerState">poweredOn</x>',
  ],
  [
    'rule 3: a data object under any',
    'any',
    make('Description', { label: 'a', summary: 'b' }),
    '<x xsi:type="Description"><label>a</label><summary>b</summary></x>',
  ],
  [
    'rule 4: an array of references under any, xsi:type on each item',
    'any',
    box('VirtualMachine[]', [vm]),
    '<x xsi:type="ArrayOfManagedObjectReference"><ManagedObjectReference type="VirtualMachine" xsi:type="ManagedObjectReference">vm-1</ManagedObjectReference></x>',
  ],
  [
    'rule 4: an array of strings under any',
    'any',
    box('string[]', ['a']),
    '<x xsi:type="ArrayOfString"><string xsi:type="xsd:string">a</string></x>',
  ],
  [
    'rule 4: an array of method names is one of strings',
    'any',
    box('methodName[]', ['a']),
    '<x xsi:type="ArrayOfString"><string xsi:type="xsd:string">a</string></x>',
  ],
  [
    'rule 4: an array of objects under any, each with its own type, tagged with the declared one',
    'any',
    box('VirtualDevice[]', [make('VirtualFloppy', { key: 1 })]),
    '<x xsi:type="ArrayOfVirtualDevice"><VirtualDevice xsi:type="VirtualFloppy"><key>1</key></VirtualDevice></x>',
  ],
  ['rule 4: an empty array under any is an element', 'any', box('int[]', []), '<x xsi:type="ArrayOfInt"></x>'],
  ['rule 5: a reference', 'VirtualMachine', vm, '<x type="VirtualMachine">vm-1</x>'],
  ['rule 5: a reference under any', 'any', vm, '<x type="VirtualMachine" xsi:type="ManagedObjectReference">vm-1</x>'],
  [
    'rule 5: a server GUID',
    'VirtualMachine',
    { ...vm, serverGuid: 'a"b' },
    '<x type="VirtualMachine" serverGuid="a&quot;b">vm-1</x>',
  ],
  ['rule 6: bytes are repeated elements', 'byte[]', [1, -1], '<x>1</x><x>-1</x>'],
  ['rule 6: long limits that a double cannot hold', 'long', 2 ** 63, '<x>9223372036854775807</x>'],
  ['rule 6: large longs without exponent', 'long', 1e18, '<x>1000000000000000000</x>'],
  ['markup is escaped', 'string', 'a<b>&"c"]]>', '<x>a&lt;b&gt;&amp;"c"]]&gt;</x>'],
  ['carriage returns survive', 'string', 'a\r\nb', '<x>a&#13;\nb</x>'],
  ['what XML cannot hold is replaced', 'string', 'a\0\x1b\ud800\uffffb😀', '<x>a\ufffd\ufffd\ufffd\ufffdb😀</x>'],
  [
    'a fault never stands bare under any',
    'any',
    { _typeName: 'NotFound' },
    '<x xsi:type="LocalizedMethodFault"><fault xsi:type="NotFound"></fault><localizedMessage>The object or item referred to could not be found.</localizedMessage></x>',
  ],
];

for (const [rule, declared, value, xml] of cases) {
  void test(rule, () => {
    assert.equal(encodeValue('x', declared, value, NEWEST), xml);
  });
}

void test('rule 2: replies of methods with and without a result', () => {
  const { open, close } = soapResponseFrame('X');
  assert.match(open, /<XResponse xmlns="urn:vim25">$/);
  assert.equal(encodeSoapResponse('X', 'void', undefined, NEWEST), `${open}${close}`);
  assert.equal(
    encodeSoapResponse('X', 'int[]', [1, 2], NEWEST),
    `${open}<returnval>1</returnval><returnval>2</returnval>${close}`,
  );
  assert.equal(decodeSoapResponse('void', open + close), undefined);
  assert.deepEqual(decodeSoapResponse('int[]', open + close), []);
});

void test('rule 6: text that is no value of its enum is our bug, not something to send', () => {
  assert.throws(() => encodeValue('x', 'VirtualMachinePowerState', '', NEWEST), TypeError);
  assert.throws(() => encodeValue('x', 'VirtualDevice', { _typeName: 'OptionValue', key: 'k' }, NEWEST), TypeError);
  assert.throws(() => encodeValue('x', 'any', { key: 'k' }, NEWEST), TypeError);
});

void test('an object may bring its own XML, but not where xsi:type is needed', () => {
  const object: HasEncodedForm & { label: string; summary: string } = {
    label: 'a',
    summary: 'b',
    [encodedForm](tag, rank, sink) {
      sink.text(`<${tag} r="${rank}"`);
      sink.bytes(new TextEncoder().encode('-/>-'), 1, 3);
    },
  };
  assert.equal(encodeValue('x', 'Description[]', [object], '2.5'), '<x r="1"/>');
  const boxed = box('Description[]', [object]);
  assert.match(encodeValue('x', 'any', boxed, NEWEST), /<Description xsi:type="Description"><label>a</);
});

void test('rule 7: a fault names its type in the element and in xsi:type, and is thrown again by our client', () => {
  const error = new MethodFault('InvalidArgument', { invalidProperty: 'spec.name' });
  const xml = encodeSoapFault(error, NEWEST);
  assert.ok(
    xml.includes(
      '<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>A specified parameter was not correct: spec.name</faultstring><detail><InvalidArgumentFault xmlns="urn:vim25" xsi:type="InvalidArgument"><invalidProperty>spec.name</invalidProperty></InvalidArgumentFault></detail></soapenv:Fault>',
    ),
  );
  assert.throws(
    () => decodeSoapResponse('Task', xml),
    (thrown) => {
      assert.ok(isFault(thrown, 'InvalidArgument'));
      assert.equal(thrown.fault.invalidProperty, 'spec.name');
      assert.equal(thrown.message, error.message);
      return true;
    },
  );
});

void test('rule 7: fault data with objects in it', () => {
  const cause = new MethodFault('NotFound');
  const error = new MethodFault('ManagedObjectNotFound', {
    obj: vm,
    faultCause: { _typeName: 'LocalizedMethodFault', fault: cause.fault, localizedMessage: 'why' },
  });
  assert.throws(
    () => decodeSoapResponse('void', encodeSoapFault(error, NEWEST)),
    (thrown) => {
      assert.ok(thrown instanceof MethodFault);
      assert.deepEqual(thrown.fault, error.fault);
      return true;
    },
  );
});

void test('rule 7: a fault of a server that knows more than we do still is a fault', () => {
  const xml = encodeSoapFault(new MethodFault('NotFound'), NEWEST).replaceAll('NotFound', 'WarpCoreBreach');
  assert.throws(() => decodeSoapResponse('void', xml), MethodFault);
});

void test('rule 9: properties newer than the version of the client are not sent', () => {
  const content = {
    rootFolder: moRef('Folder', 'group-d1'),
    propertyCollector: moRef('PropertyCollector', 'pc'),
    about: {},
    tenantManager: moRef('TenantTenantManager', 't'),
  };
  assert.ok(encodeValue('x', 'ServiceContent', content, '6.9.1').includes('tenantManager'));
  assert.ok(!encodeValue('x', 'ServiceContent', content, '6.7').includes('tenantManager'));
});

void test('rule 9: an object newer than the version is sent as its nearest known ancestor', () => {
  const nic = make('VirtualVmxnet3', { key: 4000, macAddress: '00:50:56:00:00:01' });
  const encode = (version: '2.0' | '2.5' | '4.0') => encodeValue('x', 'VirtualDevice', nic, version);
  const inside = '<key>4000</key><macAddress>00:50:56:00:00:01</macAddress></x>';
  assert.equal(encode('4.0'), `<x xsi:type="VirtualVmxnet3">${inside}`);
  assert.equal(encode('2.5'), `<x xsi:type="VirtualVmxnet">${inside}`);
  assert.equal(schema.type('VirtualVmxnet3')?.rank, schema.rank('2.5u2server'));
  const fault = new MethodFault('NoPermission', { object: vm, privilegeId: 'System.View' });
  assert.ok(encodeSoapFault(fault, '2.0').includes('<NoPermissionFault xmlns="urn:vim25" xsi:type="NoPermission">'));
  const newer = new MethodFault('VAppTaskInProgress', { task: moRef('Task', 'task-1') });
  assert.ok(
    encodeSoapFault(newer, '2.5').includes('<TaskInProgressFault xmlns="urn:vim25" xsi:type="TaskInProgress"><task'),
  );
});

void test('rule 9: references to objects whose type is newer are sent as the known base type, or not at all', () => {
  const portgroup = moRef('DistributedVirtualPortgroup', 'dvportgroup-1');
  assert.equal(encodeValue('x', 'Network', portgroup, '2.5'), '<x type="Network">dvportgroup-1</x>');
  assert.equal(encodeValue('x', 'any', moRef('TenantTenantManager', 't'), '6.7'), '');
});

void test('requests are written in parameter order with this first', () => {
  const xml = encodeSoapRequest('Login', moRef('SessionManager', 'sm'), { password: 'p', userName: 'u' }, NEWEST, {
    operationID: 'o&1',
  });
  assert.ok(xml.includes('<soapenv:Header><operationID xmlns="urn:vim25">o&amp;1</operationID></soapenv:Header>'));
  assert.ok(
    xml.includes(
      '<Login xmlns="urn:vim25"><_this type="SessionManager">sm</_this><userName>u</userName><password>p</password></Login>',
    ),
  );
  assert.throws(() => encodeSoapRequest('Login', vm, {}, NEWEST), TypeError);
});
