// An OVF descriptor as data (DSP0243 1.x, with VMware's additions). Pure; says what is written, decides nothing.
import { MethodFault } from '@vivarium/vim';
import { child, children, parseXml, type XmlElement } from './xml-element.ts';

export interface OvfFile {
  readonly id: string;
  /** Relative to the descriptor. */
  readonly href: string;
  readonly sizeBytes?: number;
  readonly compression?: string;
  readonly chunkSizeBytes?: number;
}

export interface OvfDisk {
  readonly id: string;
  readonly capacityBytes: number;
  /** Absent for an empty disk. */
  readonly fileRef?: string;
}

/** One Item of a VirtualHardwareSection, in the words of CIM_ResourceAllocationSettingData. */
export interface OvfItem {
  readonly instanceId: string;
  readonly resourceType: number;
  readonly subType?: string;
  readonly elementName: string;
  readonly parent?: string;
  readonly address?: number;
  readonly addressOnParent?: number;
  readonly hostResource?: string;
  readonly connection?: string;
  readonly quantity?: number;
  readonly units?: string;
  readonly coresPerSocket?: number;
  readonly isRequired: boolean;
  readonly line: number;
}

export interface OvfSystem {
  readonly id: string;
  readonly name?: string;
  readonly productName?: string;
  /** A VirtualMachineGuestOsIdentifier. */
  readonly osType?: string;
  readonly annotation?: string;
  /** `vmx-07` and the like; the first that is named. */
  readonly family?: string;
  readonly items: readonly OvfItem[];
  readonly line: number;
}

export interface OvfEnvelope {
  readonly files: ReadonlyMap<string, OvfFile>;
  readonly disks: ReadonlyMap<string, OvfDisk>;
  readonly systems: readonly OvfSystem[];
}

/** Throws OvfXmlFormat, OvfMissingElement, OvfMissingAttribute, OvfInvalidValue (subtypes of OvfInvalidPackage). */
export function parseOvf(text: string): OvfEnvelope {
  const root = parseXml(text);
  if (root.name !== 'Envelope') throw new MethodFault('OvfMissingElement', { lineNumber: root.line, name: 'Envelope' });
  const files = children(child(root, 'References'), 'File').map(readFile);
  const disks = children(child(root, 'DiskSection'), 'Disk').map(readDisk);
  return {
    files: new Map(files.map((file) => [file.id, file])),
    disks: new Map(disks.map((disk) => [disk.id, disk])),
    systems: systemsOf(root).map(readSystem),
  };
}

function systemsOf(element: XmlElement): XmlElement[] {
  const inner = children(element, 'VirtualSystemCollection').flatMap(systemsOf);
  return [...children(element, 'VirtualSystem'), ...inner];
}

function readFile(element: XmlElement): OvfFile {
  const compression = element.attributes.get('compression');
  return {
    id: required(element, 'id'),
    href: required(element, 'href'),
    ...optionalNumber('sizeBytes', element, 'size'),
    ...(compression && compression !== 'identity' ? { compression } : {}),
    ...optionalNumber('chunkSizeBytes', element, 'chunkSize'),
  };
}

function readDisk(element: XmlElement): OvfDisk {
  const fileRef = element.attributes.get('fileRef');
  const unit = unitBytes(element.attributes.get('capacityAllocationUnits') ?? 'byte');
  const capacityBytes = numberOf(element, 'capacity', required(element, 'capacity')) * (unit ?? Number.NaN);
  if (!Number.isSafeInteger(capacityBytes)) throw invalidValue(element, 'capacityAllocationUnits');
  return { id: required(element, 'diskId'), capacityBytes, ...(fileRef ? { fileRef } : {}) };
}

function readSystem(element: XmlElement): OvfSystem {
  const os = child(element, 'OperatingSystemSection');
  const hardware = child(element, 'VirtualHardwareSection');
  if (!hardware)
    throw new MethodFault('OvfMissingElement', { lineNumber: element.line, name: 'VirtualHardwareSection' });
  const text = (name: string, value: string | undefined) => (value ? { [name]: value } : {});
  const family = child(child(hardware, 'System'), 'VirtualSystemType')?.text.split(/[\s,]+/)[0];
  return {
    id: required(element, 'id'),
    ...text('name', child(element, 'Name')?.text),
    ...text('productName', child(child(element, 'ProductSection'), 'Product')?.text),
    ...text('osType', os?.attributes.get('osType')),
    ...text('annotation', child(child(element, 'AnnotationSection'), 'Annotation')?.text),
    ...text('family', family),
    items: hardware.children.filter(({ name }) => /^(Item|StorageItem|EthernetPortItem)$/.test(name)).map(readItem),
    line: element.line,
  };
}

function readItem(element: XmlElement): OvfItem {
  const text = (name: string) => child(element, name)?.text;
  const number = (name: string, tag: string) => {
    const value = text(tag);
    return value ? { [name]: numberOf(element, tag, value) } : {};
  };
  const string = (name: string, tag: string) => {
    const value = text(tag);
    return value ? { [name]: value } : {};
  };
  return {
    instanceId: text('InstanceID') ?? '',
    resourceType: numberOf(element, 'ResourceType', text('ResourceType') ?? ''),
    elementName: text('ElementName') ?? '',
    ...string('subType', 'ResourceSubType'),
    ...string('parent', 'Parent'),
    ...number('address', 'Address'),
    ...number('addressOnParent', 'AddressOnParent'),
    ...string('hostResource', 'HostResource'),
    ...string('connection', 'Connection'),
    ...number('quantity', 'VirtualQuantity'),
    ...string('units', 'AllocationUnits'),
    ...number('coresPerSocket', 'CoresPerSocket'),
    isRequired: element.attributes.get('required') !== 'false',
    line: element.line,
  };
}

/** `byte * 2^20`, `MegaBytes` and their kin in bytes; undefined when it is none of them. */
export function unitBytes(text: string): number | undefined {
  const power = /^bytes?(?:\s*\*\s*(\d+)(?:\s*\^\s*(\d+))?)?$/i.exec(text.trim());
  if (power) return Number(power[1] ?? 1) ** Number(power[2] ?? 1);
  const prefixes = ['', 'kilo', 'mega', 'giga', 'tera'];
  const exponent = prefixes.indexOf((/^(kilo|mega|giga|tera)?bytes?$/i.exec(text.trim())?.[1] ?? 'none').toLowerCase());
  return exponent < 0 ? undefined : 1024 ** exponent;
}

function required(element: XmlElement, attribute: string): string {
  const value = element.attributes.get(attribute);
  if (value) return value;
  throw new MethodFault('OvfMissingAttribute', {
    lineNumber: element.line,
    elementName: element.name,
    attributeName: attribute,
  });
}

function optionalNumber(name: string, element: XmlElement, attribute: string) {
  const value = element.attributes.get(attribute);
  return value ? { [name]: numberOf(element, attribute, value) } : {};
}

function numberOf(element: XmlElement, name: string, value: string): number {
  const number = Number(value);
  if (value === '' || !Number.isSafeInteger(number) || number < 0) throw invalidValue(element, name, value);
  return number;
}

function invalidValue(element: XmlElement, attribute: string, value = ''): MethodFault {
  return new MethodFault('OvfInvalidValue', {
    lineNumber: element.line,
    elementName: element.name,
    attributeName: attribute,
    value: value.slice(0, 80),
  });
}
