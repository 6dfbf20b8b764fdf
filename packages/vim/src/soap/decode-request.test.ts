import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSoapRequest, type FaultTypes, isFault, MethodFault } from '../index.ts';
import { envelope, request } from '../testing/soap-text.ts';

const NEWEST = 'urn:vim25/9.0.0.0';

function faultOf(body: Uint8Array | string, action: string | undefined = NEWEST): MethodFault['fault'] {
  try {
    decodeSoapRequest(body, action);
  } catch (error) {
    assert.ok(error instanceof MethodFault, String(error));
    return error.fault;
  }
  throw new assert.AssertionError({ message: 'the request was accepted' });
}

function reconfigure(spec: string): string {
  return request('ReconfigVM_Task', 'VirtualMachine', `<spec>${spec}</spec>`);
}

function option(value: string): string {
  return reconfigure(`<extraConfig><key>k</key>${value}</extraConfig>`);
}

const accepted: readonly [name: string, spec: string, read: unknown][] = [
  ['numbers with space and sign around them', '<memoryMB>\n +128 </memoryMB>', { memoryMB: 128 }],
  ['booleans as 1', '<memoryHotAddEnabled>1</memoryHotAddEnabled>', { memoryHotAddEnabled: true }],
  ['booleans as false', '<memoryHotAddEnabled> false </memoryHotAddEnabled>', { memoryHotAddEnabled: false }],
  ['strings as they are', '<annotation> a <![CDATA[<b>]]>&#10;</annotation>', { annotation: ' a <b>\n' }],
  ['an empty string', '<annotation/>', { annotation: '' }],
  ['comments inside values', '<name>a<!-- x -->b</name>', { name: 'ab' }],
  [
    'times with a zone',
    '<createDate>2024-06-01T12:00:00.5+02:00</createDate>',
    { createDate: '2024-06-01T10:00:00.500Z' },
  ],
  ['times without one', '<createDate>2024-06-01T12:00:00</createDate>', { createDate: '2024-06-01T12:00:00Z' }],
  ['nil as unset', '<name xsi:nil="true"/>', {}],
  ['unknown elements, with children, as absent', '<tagSpecs><id><x>1</x></id></tagSpecs><name>n</name>', { name: 'n' }],
  ['unknown attributes', '<name versionId="1" xsi:foo="2">n</name>', { name: 'n' }],
  ['primitives that name their own type', '<name xsi:type="xsd:string">n</name>', { name: 'n' }],
];

for (const [name, spec, read] of accepted) {
  void test(`accepts ${name}`, () => {
    const { args } = decodeSoapRequest(reconfigure(spec), NEWEST);
    assert.deepEqual(args, { spec: { _typeName: 'VirtualMachineConfigSpec', ...(read as object) } });
  });
}

const anyValues: readonly [xml: string, read: unknown][] = [
  ['<value xsi:type="xsd:long">5</value>', { _typeName: 'long', _value: 5 }],
  [
    '<value xsi:type="ArrayOfInt"><int>1</int><int xsi:type="xsd:int">2</int></value>',
    { _typeName: 'ArrayOfInt', _value: [1, 2] },
  ],
  ['<value xsi:type="ArrayOfInt"/>', { _typeName: 'ArrayOfInt', _value: [] }],
  [
    '<value xsi:type="v:ArrayOfByte" xmlns:v="urn:vim25"><byte>-1</byte><byte>255</byte></value>',
    { _typeName: 'ArrayOfByte', _value: [-1, -1] },
  ],
  [
    '<value xsi:type="ManagedObjectReference" type="Task">t-1</value>',
    { _typeName: 'ManagedObjectReference', type: 'Task', value: 't-1' },
  ],
  [
    '<value xsi:type="ArrayOfVirtualDevice"><VirtualDevice xsi:type="VirtualFloppy"><key>8000</key></VirtualDevice></value>',
    { _typeName: 'ArrayOfVirtualDevice', _value: [{ _typeName: 'VirtualFloppy', key: 8000 }] },
  ],
];

for (const [xml, read] of anyValues) {
  void test(`reads ${xml} under any`, () => {
    const { args } = decodeSoapRequest(option(xml), NEWEST);
    assert.deepEqual((args['spec'] as { extraConfig: { value: unknown }[] }).extraConfig[0]?.value, read);
  });
}

const refused: readonly [name: string, body: string, fault: keyof FaultTypes, detail?: object][] = [
  ['text that is not XML', 'hello', 'InvalidRequest'],
  ['an empty body', '', 'InvalidRequest'],
  ['a document cut short', reconfigure('').slice(0, -20), 'InvalidRequest'],
  ['two documents', reconfigure('') + reconfigure(''), 'InvalidRequest'],
  ['another root element', '<Envelope/>', 'InvalidRequest'],
  ['SOAP 1.2', '<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"/>', 'InvalidRequest'],
  ['an envelope without a body', '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"/>', 'InvalidRequest'],
  ['a body without a method', envelope(''), 'InvalidRequest'],
  ['two methods', envelope('<Logout xmlns="urn:vim25"/><Logout xmlns="urn:vim25"/>'), 'InvalidRequest'],
  ['a method without _this', envelope('<Logout xmlns="urn:vim25"/>'), 'InvalidRequest'],
  ['a _this without a type', envelope('<Logout xmlns="urn:vim25"><_this>x</_this></Logout>'), 'InvalidRequest'],
  ['a _this of no managed type', request('Logout', 'Nonsense'), 'InvalidType', { argument: 'Nonsense' }],
  ['a _this of a data type', request('Logout', 'VirtualDisk'), 'InvalidType', { argument: 'VirtualDisk' }],
  [
    'an unknown method',
    request('Nonsense', 'Folder'),
    'MethodNotFound',
    { receiver: { type: 'Folder', value: 'x-1' }, method: 'Nonsense' },
  ],
  ['a method of another type', request('PowerOnVM_Task', 'Folder'), 'MethodNotFound'],
  ['a method whose first letter is in the wrong case', request('SetCustomValue', 'VirtualMachine'), 'MethodNotFound'],
  ['an argument that is missing', request('Rename_Task', 'Folder'), 'InvalidArgument', { invalidProperty: 'newName' }],
  [
    'a property that is missing deep inside',
    reconfigure(
      '<deviceChange><device xsi:type="VirtualDisk"><key>1</key><capacityInKB>1</capacityInKB></device></deviceChange><deviceChange><device xsi:type="VirtualDisk"><key>1</key></device></deviceChange>',
    ),
    'InvalidArgument',
    { invalidProperty: 'spec.deviceChange[1].device.capacityInKB' },
  ],
  [
    'an argument given twice',
    request('Rename_Task', 'Folder', '<newName>a</newName><newName>b</newName>'),
    'InvalidRequest',
  ],
  [
    'a reference to the wrong kind of object',
    request('PowerOnVM_Task', 'VirtualMachine', '<host type="Folder">f</host>'),
    'InvalidArgument',
    { invalidProperty: 'host' },
  ],
  [
    'an unknown type',
    reconfigure('<deviceChange><device xsi:type="VirtualWarp"/></deviceChange>'),
    'InvalidType',
    { argument: 'VirtualWarp' },
  ],
  [
    'a type that does not fit',
    reconfigure('<deviceChange><device xsi:type="OptionValue"/></deviceChange>'),
    'InvalidType',
    { argument: 'OptionValue' },
  ],
  [
    'a primitive where an object belongs',
    reconfigure('<deviceChange><device xsi:type="xsd:int">1</device></deviceChange>'),
    'InvalidType',
  ],
  ['an object where a primitive belongs', reconfigure('<memoryMB xsi:type="OptionValue">1</memoryMB>'), 'InvalidType'],
  ['an array type on a repeated element', reconfigure('<extraConfig xsi:type="ArrayOfOptionValue"/>'), 'InvalidType'],
  ['anyType as a type', option('<value xsi:type="xsd:anyType"/>'), 'InvalidType'],
  ['text inside an object', reconfigure('x'), 'InvalidRequest'],
  ['elements inside a number', reconfigure('<memoryMB><x/>1</memoryMB>'), 'InvalidRequest'],
  ['a number that is none', reconfigure('<memoryMB>many</memoryMB>'), 'InvalidRequest'],
  ['an empty number', reconfigure('<memoryMB/>'), 'InvalidRequest'],
  ['a number in hexadecimal', reconfigure('<memoryMB>0x10</memoryMB>'), 'InvalidRequest'],
  ['a fraction as integer', reconfigure('<memoryMB>1.5</memoryMB>'), 'InvalidRequest'],
  ['an int beyond 32 bits', reconfigure('<numCPUs>2147483648</numCPUs>'), 'InvalidRequest'],
  ['a long beyond 64 bits', reconfigure('<memoryMB>9223372036854775809000</memoryMB>'), 'InvalidRequest'],
  ['a boolean that is none', reconfigure('<memoryHotAddEnabled>yes</memoryHotAddEnabled>'), 'InvalidRequest'],
  ['a time that is none', reconfigure('<createDate>yesterday</createDate>'), 'InvalidRequest'],
  ['the thirteenth month', reconfigure('<createDate>2024-13-01T00:00:00Z</createDate>'), 'InvalidRequest'],
  ['binary that is not base64', option('<value xsi:type="xsd:base64Binary">!!!!</value>'), 'InvalidRequest'],
  [
    'an unknown enum value',
    reconfigure(
      '<deviceChange><operation>destroy</operation><device xsi:type="VirtualFloppy"><key>1</key></device></deviceChange>',
    ),
    'InvalidRequest',
  ],
  ['an empty enum value', option('<value xsi:type="VirtualMachinePowerState"/>'), 'InvalidRequest'],
  ['infinity', option('<value xsi:type="xsd:double">INF</value>'), 'InvalidRequest'],
];

for (const [name, body, fault, detail] of refused) {
  void test(`refuses ${name} with ${fault}`, () => {
    const actual = faultOf(body);
    assert.deepEqual({ ...actual, ...detail }, actual);
    assert.equal(actual._typeName, fault);
  });
}

void test('a refusal does not repeat a long value', () => {
  try {
    decodeSoapRequest(reconfigure(`<memoryMB>${'9'.repeat(1e6)}</memoryMB>`), NEWEST);
    assert.fail();
  } catch (error) {
    assert.ok(isFault(error, 'InvalidRequest'));
    assert.ok(error.message.length < 200);
  }
});

void test('the version decides which methods exist and what is required', () => {
  const create = request('CreateScreenshot_Task', 'VirtualMachine');
  assert.equal(decodeSoapRequest(create, 'urn:vim25/4.0').method, 'CreateScreenshot_Task');
  assert.equal(faultOf(create, 'urn:vim25/2.5')._typeName, 'MethodNotFound');
  // VirtualMachineRuntimeInfo.faultToleranceState is required since 4.0
  const info =
    '<value xsi:type="VirtualMachineRuntimeInfo"><connectionState>connected</connectionState><powerState>poweredOn</powerState><toolsInstallerMounted>false</toolsInstallerMounted><numMksConnections>0</numMksConnections></value>';
  assert.ok(decodeSoapRequest(option(info), 'urn:vim25/2.5'));
  assert.equal(faultOf(option(info), 'urn:vim25/4.0')._typeName, 'InvalidArgument');
});

void test('required arrays that were not sent are empty, optional ones absent', () => {
  assert.deepEqual(decodeSoapRequest(request('RetrieveProperties', 'PropertyCollector'), NEWEST).args, { specSet: [] });
  assert.deepEqual(decodeSoapRequest(request('RetrieveProperties', 'PropertyCollector', '<specSet/>'), NEWEST).args, {
    specSet: [{ _typeName: 'PropertyFilterSpec', propSet: [], objectSet: [] }],
  });
});

void test('the header gives cookie and operation id, whatever else is in it', () => {
  const header =
    '<e:Header><vcSessionCookie xmlns="urn:vim25">abc</vcSessionCookie><operationID>op</operationID><x><operationID>no</operationID></x></e:Header>';
  const body = envelope(
    '<CurrentTime xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></CurrentTime>',
    header,
  );
  assert.deepEqual(decodeSoapRequest(body).header, { vcSessionCookie: 'abc', operationID: 'op' });
});

void test('what is not UTF-8 is refused; a byte order mark is not', () => {
  const bytes = new TextEncoder().encode(reconfigure('<name>x</name>'));
  assert.equal(decodeSoapRequest(new Uint8Array([0xef, 0xbb, 0xbf, ...bytes]), NEWEST).method, 'ReconfigVM_Task');
  assert.equal(faultOf(bytes.with(200, 0xff))._typeName, 'InvalidRequest');
  assert.equal(faultOf(reconfigure('').replace('?>', ' encoding="ISO-8859-1"?>'))._typeName, 'InvalidRequest');
});

void test('a flag that is newer than the client is false, so that the value can be passed on as it is', () => {
  const flags = '<fileType>true</fileType><fileSize>true</fileSize><modification>false</modification>';
  const body = request(
    'SearchDatastore_Task',
    'HostDatastoreBrowser',
    `<datastorePath>[a]</datastorePath><searchSpec><details>${flags}</details></searchSpec>`,
  );
  const { args } = decodeSoapRequest(body, 'urn:vim25');
  const { details } = args['searchSpec'] as { details: object };
  assert.deepEqual(details, {
    _typeName: 'FileQueryFlags',
    fileType: true,
    fileSize: true,
    modification: false,
    fileOwner: false,
  });
  assert.equal((faultOf(body) as { invalidProperty?: string }).invalidProperty, 'searchSpec.details.fileOwner');
});
