// The schema's data objects, faults and enums as XML Schema, for clients that read a WSDL (suds, oslo.vmware).

import { type DataTypeInfo, type FieldInfo, schema, type TypeRef } from '../schema.ts';
import { arrayName, wireName } from '../type-ref.ts';

export const XSD_OPEN = `<?xml version="1.0" encoding="UTF-8"?>
<schema targetNamespace="urn:vim25" xmlns="http://www.w3.org/2001/XMLSchema" xmlns:vim25="urn:vim25" xmlns:xsd="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
`;
export const XSD_CLOSE = '</schema>\n';

/** `xsd:int`, `vim25:VirtualDisk`, `xsd:anyType` … */
export function xsdName(ref: TypeRef): string {
  const prefix = ref.kind === 'primitive' || ref.kind === 'any' ? 'xsd' : 'vim25';
  return `${prefix}:${wireName(ref)}`;
}

export function xsdElement(name: string, ref: TypeRef): string {
  const min = ref.optional || ref.array ? ' minOccurs="0"' : '';
  const max = ref.array ? ' maxOccurs="unbounded"' : '';
  return `<element name="${name}" type="${xsdName(ref)}"${min}${max}/>`;
}

export function xsdSequence(fields: readonly FieldInfo[]): string {
  return `<sequence>${fields.map((field) => xsdElement(field.name, field)).join('')}</sequence>`;
}

function ownFields(info: DataTypeInfo): readonly FieldInfo[] {
  const base = info.base === undefined ? undefined : schema.data(info.base);
  return info.fields.slice(base?.fields.length ?? 0);
}

function complexType(info: DataTypeInfo): string {
  const sequence = xsdSequence(ownFields(info));
  if (info.base === undefined) return `<complexType name="${info.name}">${sequence}</complexType>\n`;
  const extension = `<extension base="vim25:${info.base}">${sequence}</extension>`;
  return `<complexType name="${info.name}"><complexContent>${extension}</complexContent></complexType>\n`;
}

function simpleType(name: string): string {
  const values = (schema.enumValues(name) ?? []).map((value) => `<enumeration value="${value}"/>`);
  return `<simpleType name="${name}"><restriction base="xsd:string">${values.join('')}</restriction></simpleType>\n`;
}

/** `ArrayOfX`, which only occurs under any: items are tagged with the type's name. */
function arrayType(type: string): string {
  const item: TypeRef = { type, kind: schema.kindOf(type), array: false, optional: false };
  const element = `<element name="${wireName(item)}" type="${xsdName(item)}" minOccurs="0" maxOccurs="unbounded"/>`;
  return `<complexType name="${arrayName(item)}"><sequence>${element}</sequence></complexType>\n`;
}

const PRIMITIVE_ARRAYS = [
  'any',
  'string',
  'boolean',
  'byte',
  'short',
  'int',
  'long',
  'float',
  'double',
  'dateTime',
  'base64Binary',
  'anyURI',
];

const REFERENCE = `<complexType name="ManagedObjectReference"><simpleContent><extension base="xsd:string"><attribute name="type" type="xsd:string"/><attribute name="serverGuid" type="xsd:string"/></extension></simpleContent></complexType>
`;

/** vim-types.xsd */
export function typesXsd(): string {
  const structures = [...schema.names('data'), ...schema.names('fault')];
  const enums = schema.names('enum');
  const arrays = [...PRIMITIVE_ARRAYS, 'ManagedObjectReference', ...structures, ...enums];
  const parts = [
    REFERENCE,
    ...structures
      .map((name) => schema.data(name))
      .filter((info) => info !== undefined)
      .map(complexType),
    ...enums.map(simpleType),
    ...arrays.map(arrayType),
  ];
  return XSD_OPEN + parts.join('') + XSD_CLOSE;
}
