// A JSON reply written piece by piece, so that whoever sends it decides how much is made at a time. The text is exactly that
// of `JSON.stringify(encodeJson(…))`.

import type { ApiVersion } from '../generated/references.ts';
import type { TypeRef } from '../schema.ts';
import { sentType } from '../soap/encode-value.ts';
import type { EncodedSink } from '../soap/encoded-form.ts';
import { isStreamed } from '../streamed-types.ts';
import { type DeclaredType, itemOf, typeRef } from '../type-ref.ts';
import { rankOf } from '../version.ts';
import { encodeRef } from './encode-json.ts';

/** Writes a value into `sink`, nothing when encodeJson gives undefined. Each step writes one item of a list, or something of that size. */
export function* streamJson(
  declared: DeclaredType,
  value: unknown,
  version: ApiVersion,
  sink: EncodedSink,
): Generator<void, void> {
  yield* streamValue(typeRef(declared), value, rankOf(version), '', sink);
}

/** `before` is written only if the value is. */
function* streamValue(
  ref: TypeRef,
  value: unknown,
  rank: number,
  before: string,
  sink: EncodedSink,
): Generator<void, void> {
  if (value === undefined || value === null) return;
  if (ref.array && ref.kind === 'data') {
    sink.text(`${before}[`);
    let comma = '';
    for (const item of value as readonly unknown[]) {
      yield* streamValue(itemOf(ref), item, rank, comma, sink);
      comma = ',';
    }
    sink.text(']');
  } else if (ref.kind === 'data' && isStreamed(ref.type)) {
    yield* streamObject(ref.type, value as Record<string, unknown>, rank, before, sink);
  } else {
    const encoded = encodeRef(ref, value, rank);
    if (encoded !== undefined) sink.text(before + JSON.stringify(encoded));
    yield;
  }
}

function* streamObject(
  declared: string,
  value: Record<string, unknown>,
  rank: number,
  before: string,
  sink: EncodedSink,
): Generator<void, void> {
  const info = sentType(declared, value, rank);
  sink.text(`${before}{"_typeName":"${info.name}"`);
  for (const field of info.fields) {
    if (field.rank <= rank) yield* streamValue(field, value[field.name], rank, `,"${field.name}":`, sink);
  }
  sink.text('}');
}
