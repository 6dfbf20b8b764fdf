// The public face of @vivarium/vim.

export { type Boxed, box, inferBox, isBoxed, unbox } from './any-value.ts';
export { faultMessage } from './fault-messages.ts';
export type * from './generated/core.ts';
export type * from './generated/data.ts';
export type * from './generated/enums.ts';
export type * from './generated/faults.ts';
export type * from './generated/managed.ts';
export type * from './generated/maps.ts';
export type * from './generated/references.ts';
export { decodeJson, decodeJsonArgs, validateArgs } from './json/decode-json.ts';
export { encodeJson } from './json/encode-json.ts';
export { streamJson } from './json/stream-json.ts';
export { keepSame } from './keep-same.ts';
export { isFault, MethodFault, toLocalizedMethodFault } from './method-fault.ts';
export {
  type Handlers,
  type Input,
  isA,
  isRef,
  type ManagedTypeName,
  type Methods,
  make,
  moRef,
  moRefKey,
  type Properties,
  sameRef,
} from './model.ts';
export {
  type ArrayKey,
  arrayKey,
  formatPropertyPath,
  type PathSegment,
  parsePropertyPath,
  resolvePathType,
} from './property-path.ts';
export {
  type DataTypeInfo,
  type EnumInfo,
  type FieldInfo,
  type ManagedTypeInfo,
  type MethodInfo,
  type ServiceName,
  schema,
  type TypeInfo,
  type TypeKind,
  type TypeRef,
} from './schema.ts';
export { decodeXmlDocument, type Told } from './soap/decode-document.ts';
export { decodeSoapRequest, type SoapHeader, type SoapRequest } from './soap/decode-request.ts';
export { decodeSoapResponse } from './soap/decode-response.ts';
export { encodeSoapFault, encodeSoapRequest, encodeSoapResponse } from './soap/encode-message.ts';
export { encodeRef, encodeUnderAny, encodeValue } from './soap/encode-value.ts';
export { type EncodedSink, encodedForm, encodedText, type HasEncodedForm } from './soap/encoded-form.ts';
export { REQUEST_LIMITS, type XmlLimits } from './soap/read-xml.ts';
export { RepeatedRequests } from './soap/repeated-requests.ts';
export { streamSoapResponse } from './soap/stream-response.ts';
export { escapeAttribute, escapeText } from './soap/xml-text.ts';
export { type DeclaredType, itemOf, typeNamed, typeRef } from './type-ref.ts';
export { includesVersion, nearestVersion, serviceVersionsXml, versionOfSoapAction } from './version.ts';
export { wsdl } from './wsdl/wsdl.ts';
