// SOAP 1.1 envelopes around vim25 values.

import type { ApiVersion, ManagedObjectReference } from '../generated/references.ts';
import type { MethodFault } from '../method-fault.ts';
import { type ServiceName, schema } from '../schema.ts';
import type { DeclaredType } from '../type-ref.ts';
import { rankOf } from '../version.ts';
import { encodeFields, encodeValue, sentType } from './encode-value.ts';
import { escapeText } from './xml-text.ts';

const OPEN = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
`;
const CLOSE = '\n</soapenv:Body>\n</soapenv:Envelope>';

/** What stands before and after the `returnval` elements of a reply, for a caller that streams them. */
export function soapResponseFrame(
  method: string,
  service: ServiceName = 'vim25',
): { readonly open: string; readonly close: string } {
  return {
    open: `${OPEN}<soapenv:Body>\n<${method}Response xmlns="urn:${service}">`,
    close: `</${method}Response>${CLOSE}`,
  };
}

/** The reply to a method. `resultType` is the schema's `method.result`; a void method answers an empty element. */
export function encodeSoapResponse(
  method: string,
  resultType: DeclaredType,
  value: unknown,
  version: ApiVersion,
  service: ServiceName = 'vim25',
): string {
  const { open, close } = soapResponseFrame(method, service);
  return open + encodeValue('returnval', resultType, value, version) + close;
}

/**
 * A fault reply (HTTP 500). pyVmomi reads the type from the element's name, govmomi from xsi:type: both are written.
 * A fault newer than the client's version is sent as its nearest known ancestor.
 */
export function encodeSoapFault(error: MethodFault, version: ApiVersion): string {
  const rank = rankOf(version);
  const info = sentType('MethodFault', error.fault, rank);
  const detail = encodeFields(info, error.fault as unknown as Record<string, unknown>, rank);
  return `${OPEN}<soapenv:Body>
<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>${escapeText(error.message)}</faultstring><detail><${info.name}Fault xmlns="urn:${schema.serviceOf(info.name)}" xsi:type="${info.name}">${detail}</${info.name}Fault></detail></soapenv:Fault>${CLOSE}`;
}

/** A request, for our own clients. Send it with SOAPAction `urn:vim25/VERSION` (urn:pbm for the methods of pbm). */
export function encodeSoapRequest(
  method: string,
  self: ManagedObjectReference,
  args: Readonly<Record<string, unknown>>,
  version: ApiVersion,
  header: { readonly vcSessionCookie?: string; readonly operationID?: string } = {},
): string {
  const info = schema.method(self.type, method);
  if (info === undefined) throw new TypeError(`${self.type} has no method ${method}`);
  let body = encodeValue('_this', 'ManagedObjectReference', self, version);
  for (const param of info.params) body += encodeValue(param.name, param, args[param.name], version);
  const headers = Object.entries(header).map(
    ([name, value]) => `<${name} xmlns="urn:vim25">${escapeText(value)}</${name}>`,
  );
  const headerText = headers.length === 0 ? '' : `<soapenv:Header>${headers.join('')}</soapenv:Header>\n`;
  return `${OPEN}${headerText}<soapenv:Body>\n<${method} xmlns="urn:${schema.serviceOf(self.type)}">${body}</${method}>${CLOSE}`;
}
