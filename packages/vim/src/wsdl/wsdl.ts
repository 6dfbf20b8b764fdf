// /sdk/vimService.wsdl and the files that it imports, made from the schema. Document/literal, SOAP 1.1, one port.

import { type MethodInfo, schema, type TypeRef } from '../schema.ts';
import { typesXsd, XSD_CLOSE, XSD_OPEN, xsdElement, xsdSequence } from './xsd-types.ts';

const SERVICE = `<?xml version="1.0" encoding="UTF-8"?>
<definitions targetNamespace="urn:vim25Service" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:interface="urn:vim25">
<import location="vim.wsdl" namespace="urn:vim25"/>
<service name="VimService"><port binding="interface:VimBinding" name="VimPort"><soap:address location="https://localhost/sdk/vimService"/></port></service>
</definitions>
`;

function allMethods(): MethodInfo[] {
  return schema
    .names('method')
    .map((name) => schema.declaredMethod(name))
    .filter((method) => method !== undefined);
}

/** VMware's names: PowerOnVM_Task takes a PowerOnVMRequestType, unless a method PowerOnVM has that name. */
function requestType(method: MethodInfo): string {
  const short = method.name.replace(/_Task$/, '');
  const taken = short !== method.name && schema.declaredMethod(short) !== undefined;
  return `${taken ? method.name : short}RequestType`;
}

function requestXsd(method: MethodInfo): string {
  const self: TypeRef = { type: 'ManagedObjectReference', kind: 'managed', array: false, optional: false };
  const sequence = xsdSequence(method.params).replace('<sequence>', `<sequence>${xsdElement('_this', self)}`);
  return `<complexType name="${requestType(method)}">${sequence}</complexType>\n`;
}

/** vim-messagetypes.xsd */
function messageTypesXsd(methods: readonly MethodInfo[]): string {
  return `${XSD_OPEN}<include schemaLocation="vim-types.xsd"/>\n${methods.map(requestXsd).join('')}${XSD_CLOSE}`;
}

function elementsXsd(method: MethodInfo): string {
  const result = method.result.type === 'void' ? '' : xsdElement('returnval', method.result);
  return `<element name="${method.name}" type="vim25:${requestType(method)}"/>
<element name="${method.name}Response"><complexType><sequence>${result}</sequence></complexType></element>\n`;
}

function faultsOf(method: MethodInfo): string[] {
  return [...new Set([...method.faults, 'RuntimeFault'])];
}

function messages(method: MethodInfo): string {
  return `<message name="${method.name}RequestMsg"><part name="parameters" element="vim25:${method.name}"/></message>
<message name="${method.name}ResponseMsg"><part name="parameters" element="vim25:${method.name}Response"/></message>\n`;
}

function portOperation(method: MethodInfo): string {
  const faults = faultsOf(method).map((fault) => `<fault name="${fault}" message="vim25:${fault}FaultMsg"/>`);
  return `<operation name="${method.name}"><input message="vim25:${method.name}RequestMsg"/><output message="vim25:${method.name}ResponseMsg"/>${faults.join('')}</operation>\n`;
}

function bindingOperation(method: MethodInfo): string {
  const faults = faultsOf(method).map(
    (fault) => `<fault name="${fault}"><soap:fault name="${fault}" use="literal"/></fault>`,
  );
  const body = '<soap:body use="literal"/>';
  return `<operation name="${method.name}"><soap:operation soapAction="urn:vim25/${schema.versions[0]}" style="document"/><input>${body}</input><output>${body}</output>${faults.join('')}</operation>\n`;
}

function interfaceWsdl(methods: readonly MethodInfo[]): string {
  const faults = [...new Set(methods.flatMap(faultsOf))].sort();
  return `<?xml version="1.0" encoding="UTF-8"?>
<definitions targetNamespace="urn:vim25" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:vim25="urn:vim25" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<types><schema targetNamespace="urn:vim25" xmlns="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
<include schemaLocation="vim-messagetypes.xsd"/>
${faults.map((fault) => `<element name="${fault}Fault" type="vim25:${fault}"/>\n`).join('')}${methods.map(elementsXsd).join('')}</schema></types>
${faults.map((fault) => `<message name="${fault}FaultMsg"><part name="fault" element="vim25:${fault}Fault"/></message>\n`).join('')}${methods.map(messages).join('')}<portType name="VimPortType">
${methods.map(portOperation).join('')}</portType>
<binding name="VimBinding" type="vim25:VimPortType"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
${methods.map(bindingOperation).join('')}</binding>
</definitions>
`;
}

/** File name -> text; a client starts at vimService.wsdl and finds the others beside it. About 3 MB, made anew each call. */
export function wsdl(): Map<string, string> {
  const methods = allMethods();
  return new Map([
    ['vimService.wsdl', SERVICE],
    ['vim.wsdl', interfaceWsdl(methods)],
    ['vim-messagetypes.xsd', messageTypesXsd(methods)],
    ['vim-types.xsd', typesXsd()],
  ]);
}
