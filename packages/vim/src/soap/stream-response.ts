// A reply written piece by piece, so that whoever sends it decides how much is made at a time. The text is exactly that of
// encodeSoapResponse.

import type { ApiVersion } from '../generated/references.ts';
import type { ServiceName, TypeRef } from '../schema.ts';
import { isStreamed } from '../streamed-types.ts';
import { type DeclaredType, itemOf, typeRef } from '../type-ref.ts';
import { rankOf } from '../version.ts';
import { soapResponseFrame } from './encode-message.ts';
import { encodeRef, openTag, sentType } from './encode-value.ts';
import { type EncodedSink, encodedForm, type HasEncodedForm } from './encoded-form.ts';

/**
 * Writes the reply to a method into `sink`; each step writes one item of a list, or something of that size. Stopping in the
 * middle is harmless.
 */
export function* streamSoapResponse(
  method: string,
  resultType: DeclaredType,
  value: unknown,
  version: ApiVersion,
  sink: EncodedSink,
  service: ServiceName = 'vim25',
): Generator<void, void> {
  const { open, close } = soapResponseFrame(method, service);
  sink.text(open);
  yield* streamValue('returnval', typeRef(resultType), value, rankOf(version), sink);
  sink.text(close);
}

function* streamValue(
  tag: string,
  ref: TypeRef,
  value: unknown,
  rank: number,
  sink: EncodedSink,
): Generator<void, void> {
  if (value === undefined || value === null) return;
  const item = itemOf(ref);
  for (const one of ref.array ? (value as readonly unknown[]) : [value]) {
    const own = ref.kind === 'data' && (one as Partial<HasEncodedForm>)[encodedForm];
    if (own) own.call(one as HasEncodedForm, tag, rank, sink);
    else if (ref.kind === 'data' && isStreamed(ref.type))
      yield* streamObject(tag, ref.type, one as Record<string, unknown>, rank, sink);
    else sink.text(encodeRef(tag, item, one, rank));
    yield;
  }
}

function* streamObject(
  tag: string,
  declared: string,
  value: Record<string, unknown>,
  rank: number,
  sink: EncodedSink,
): Generator<void, void> {
  const info = sentType(declared, value, rank);
  sink.text(openTag(tag, declared, info.name));
  for (const field of info.fields) {
    if (field.rank <= rank) yield* streamValue(field.name, field, value[field.name], rank, sink);
  }
  sink.text(`</${tag}>`);
}
