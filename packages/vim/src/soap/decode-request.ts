// A SOAP request -> method, object, typed arguments. Throws MethodFaults only, whatever the bytes.

import type { ApiVersion, MoRef } from '../generated/references.ts';
import { MethodFault } from '../method-fault.ts';
import { type FieldInfo, type MethodInfo, type ServiceName, schema } from '../schema.ts';
import { rankOf, versionOfSoapAction } from '../version.ts';
import { invalidXml, REQUEST_LIMITS, readXml, type XmlHandler, type XmlLimits, type XmlTag } from './read-xml.ts';
import { ValueBuilder } from './value-builder.ts';

export interface SoapHeader {
  /** Session cookie on side services (rule 11). */
  readonly vcSessionCookie?: string;
  /** The client's name for the operation, for logs. */
  readonly operationID?: string;
}

export interface SoapRequest {
  /** Exact wsdl name. */
  readonly method: string;
  readonly this: MoRef;
  /** Boxed where `any` is declared; required arrays that were not sent are empty. */
  readonly args: Record<string, unknown>;
  readonly version: ApiVersion;
  readonly header: SoapHeader;
}

export const ENVELOPE_NAMESPACE = 'http://schemas.xmlsoap.org/soap/envelope/';

const THIS: FieldInfo = {
  name: '_this',
  type: 'ManagedObjectReference',
  kind: 'managed',
  array: false,
  optional: true, // its absence is InvalidRequest, not a missing argument: checked in finish
  rank: 0,
  secret: false,
};
const FETCH_PROP = schema.method('ServiceInstance', 'Fetch')?.params ?? [];
const HEADERS: ReadonlySet<string> = new Set(['vcSessionCookie', 'operationID']);

const fieldsOfMethods = new Map<string, ReadonlyMap<string, FieldInfo>>();

/** `_this` and the parameters, by name. Of a method that there is not: `_this` alone. */
function fieldsOf(method: string): ReadonlyMap<string, FieldInfo> {
  let fields = fieldsOfMethods.get(method);
  if (fields) return fields;
  const params = method === 'Fetch' ? FETCH_PROP : schema.declaredMethod(method)?.params;
  fields = new Map([THIS, ...(params ?? [])].map((field) => [field.name, field]));
  // Names come from strangers: only those of the schema are kept.
  if (params) fieldsOfMethods.set(method, fields);
  return fields;
}

/** Envelope, header and body around the method element; what is inside that goes to a ValueBuilder. */
class RequestReader implements XmlHandler {
  readonly #rank: number;
  readonly #service: ServiceName;
  readonly header: Record<string, string> = {};
  readonly values: Record<string, unknown> = {};
  method: string | undefined;
  #builder: ValueBuilder | undefined;
  #part: 'none' | 'header' | 'body' = 'none';
  #depth = 0;
  #headerName = '';

  constructor(rank: number, service: ServiceName) {
    this.#rank = rank;
    this.#service = service;
  }

  open(tag: XmlTag): void {
    this.#depth += 1;
    if (this.#depth === 1) this.#openEnvelope(tag);
    else if (this.#depth === 2) this.#part = this.#partOf(tag);
    else if (this.#part === 'header') this.#headerName = this.#depth === 3 && HEADERS.has(tag.local) ? tag.local : '';
    else if (this.#part === 'none') return;
    else if (this.#depth === 3) this.#openMethod(tag);
    else this.#builder?.open(tag);
  }

  text(text: string): void {
    if (this.#part === 'header' && this.#headerName !== '') {
      this.header[this.#headerName] = `${this.header[this.#headerName] ?? ''}${text}`;
    } else if (this.#part === 'body' && this.#depth >= 3) {
      this.#builder?.text(text);
    }
  }

  close(): void {
    if (this.#part === 'body' && this.#depth > 3) this.#builder?.close();
    this.#headerName = '';
    this.#depth -= 1;
    if (this.#depth === 1) this.#part = 'none';
  }

  /** After the document: `_this` and the arguments, complete. */
  finish(): { method: string; self: MoRef } {
    const method = this.method;
    if (method === undefined) throw invalidXml('the message has no body');
    const self = this.values['_this'] as MoRef | undefined;
    delete this.values['_this'];
    if (self === undefined) throw invalidXml(`${method.slice(0, 128)} needs a _this`);
    knownMethod(self, method, this.#rank, this.#service);
    this.#builder?.finish();
    return { method, self };
  }

  #openEnvelope(tag: XmlTag): void {
    if (tag.local !== 'Envelope' || tag.uri !== ENVELOPE_NAMESPACE)
      throw invalidXml('the message is not a SOAP 1.1 envelope');
  }

  #partOf(tag: XmlTag): 'none' | 'header' | 'body' {
    if (tag.uri !== ENVELOPE_NAMESPACE) return 'none';
    if (tag.local === 'Body') return 'body';
    return tag.local === 'Header' ? 'header' : 'none';
  }

  #openMethod(tag: XmlTag): void {
    if (this.method !== undefined) throw invalidXml('the message has more than one method');
    this.method = tag.local;
    this.#builder = new ValueBuilder(fieldsOf(tag.local), this.values, this.#rank);
  }
}

/** The method, or the fault that vSphere answers when this type, at this version and this door, has no such method. */
export function knownMethod(self: MoRef, method: string, rank: number, service: ServiceName = 'vim25'): MethodInfo {
  const info = schema.serviceOf(self.type) === service ? schema.method(self.type, method) : undefined;
  if (info !== undefined && info.rank <= rank) return info;
  const name = method.slice(0, 128);
  throw new MethodFault(
    'MethodNotFound',
    { receiver: self, method: name },
    `The type ${self.type} has no method ${name}.`,
  );
}

/**
 * Reads a request body. `soapAction` is the HTTP header as received; it names the version (see versionOfSoapAction). `service`
 * is the door that it came to: objects of another one have no methods there.
 * Throws InvalidRequest, InvalidType, InvalidArgument (with the path in invalidProperty) or MethodNotFound.
 */
export function decodeSoapRequest(
  body: Uint8Array | string,
  soapAction?: string,
  limits: XmlLimits = REQUEST_LIMITS,
  service: ServiceName = 'vim25',
): SoapRequest {
  const version = versionOfSoapAction(soapAction, service);
  const reader = new RequestReader(rankOf(version), service);
  readXml(body, limits, reader);
  const { method, self } = reader.finish();
  return { method, this: self, args: reader.values, version, header: reader.header };
}
