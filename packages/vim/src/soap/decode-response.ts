// The client's side: a SOAP reply -> the result, or the fault thrown.

import type { ApiVersion } from '../generated/references.ts';
import { MethodFault } from '../method-fault.ts';
import type { FieldInfo } from '../schema.ts';
import { schema } from '../schema.ts';
import { type DeclaredType, typeRef } from '../type-ref.ts';
import { rankOf } from '../version.ts';
import { ENVELOPE_NAMESPACE } from './decode-request.ts';
import { readXml, type XmlHandler, type XmlLimits, type XmlTag } from './read-xml.ts';
import { NOTHING_REQUIRED, ValueBuilder } from './value-builder.ts';

const REPLY_LIMITS: XmlLimits = { maxSize: 512 << 20, maxDepth: 256, maxElements: 50_000_000, maxAttributes: 64 };

function pseudoField(name: string, declared: DeclaredType): FieldInfo {
  const ref = typeRef(declared);
  return { name, type: ref.type, kind: ref.kind, array: ref.array, optional: true, rank: 0, secret: false };
}

class ResponseReader implements XmlHandler {
  readonly values: Record<string, unknown> = {};
  readonly #result: FieldInfo;
  readonly #rank: number;
  #builder: ValueBuilder | undefined;
  #builderDepth = 0;
  #depth = 0;
  #inFault = false;
  #label = '';
  message: string | undefined;

  constructor(result: DeclaredType, rank: number) {
    this.#rank = rank;
    this.#result = pseudoField('returnval', result);
  }

  open(tag: XmlTag): void {
    this.#depth += 1;
    if (this.#depth === 4) this.#label = tag.local;
    if (this.#builder !== undefined && this.#depth > this.#builderDepth) {
      this.#builder.open(tag);
    } else if (this.#depth === 3 && tag.local === 'Fault' && tag.uri === ENVELOPE_NAMESPACE) {
      this.#inFault = true;
      this.message = '';
    } else if (this.#depth === 3) {
      this.#build(this.#result, 3);
    } else if (this.#inFault && this.#depth === 5) {
      this.#openDetail(tag);
    }
  }

  text(text: string): void {
    if (this.#builder !== undefined && this.#depth >= this.#builderDepth) this.#builder.text(text);
    else if (this.#inFault && this.#depth === 4 && this.#label === 'faultstring')
      this.message = `${this.message ?? ''}${text}`;
  }

  close(): void {
    if (this.#builder !== undefined && this.#depth > this.#builderDepth) this.#builder.close();
    this.#depth -= 1;
  }

  /** `<InvalidLoginFault xsi:type="InvalidLogin">`: the type from xsi:type, else from the element's name. */
  #openDetail(tag: XmlTag): void {
    const named = tag.xsiType ?? tag.local.replace(/Fault$/, '');
    const type = schema.isSubtype(named, 'MethodFault') ? named : 'MethodFault';
    this.#build(pseudoField('fault', type), 4);
    this.#builder?.open({ ...tag, local: 'fault', xsiType: type, attribute: (name) => tag.attribute(name) });
  }

  #build(field: FieldInfo, depth: number): void {
    this.#builder = new ValueBuilder(new Map([[field.name, field]]), this.values, NOTHING_REQUIRED, this.#rank);
    this.#builderDepth = depth;
  }
}

/**
 * The result of a reply to `method`, as the schema's `result` type says; an unset optional result is undefined, an absent
 * array result is []. `version` is the one of the request. Throws the reply's fault as a MethodFault, and InvalidRequest for a reply that is none.
 */
export function decodeSoapResponse(
  resultType: DeclaredType,
  body: Uint8Array | string,
  version: ApiVersion = schema.versions[0] ?? schema.legacyVersion,
): unknown {
  const reader = new ResponseReader(resultType, rankOf(version));
  readXml(body, REPLY_LIMITS, reader);
  if (reader.message !== undefined) {
    throw MethodFault.from((reader.values['fault'] as { _typeName?: string } | undefined) ?? {}, reader.message);
  }
  const result = reader.values['returnval'];
  return result === undefined && typeRef(resultType).array ? [] : result;
}
