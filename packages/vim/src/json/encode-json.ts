// The value model -> VI/JSON: every data object and reference with its _typeName, `any` boxed, filtered to the version.

import { inferBox, isBoxed } from '../any-value.ts';
import type { ApiVersion } from '../generated/references.ts';
import { schema, type TypeRef } from '../schema.ts';
import { sentType } from '../soap/encode-value.ts';
import { arrayNameOf, type DeclaredType, itemOf, typeNamed, typeRef } from '../type-ref.ts';
import { knownAncestor, knownWireName, rankOf } from '../version.ts';

type Fields = Readonly<Record<string, unknown>> & { readonly _typeName?: string };

/** A JSON value to be stringified; undefined for an unset value or one the client's version cannot know. */
export function encodeJson(declared: DeclaredType, value: unknown, version: ApiVersion): unknown {
  return encodeRef(typeRef(declared), value, rankOf(version));
}

export function encodeRef(ref: TypeRef, value: unknown, rank: number): unknown {
  if (value === undefined || value === null) return undefined;
  if (!ref.array) return encodeOne(ref, value, rank);
  const item = itemOf(ref);
  return (value as readonly unknown[]).map((one) => encodeOne(item, one, rank)).filter((one) => one !== undefined);
}

function encodeOne(ref: TypeRef, value: unknown, rank: number): unknown {
  switch (ref.kind) {
    case 'primitive':
      return value;
    case 'enum': {
      const info = schema.type(ref.type);
      const since = info?.kind === 'enum' ? info.values.get(String(value)) : undefined;
      return since === undefined || since > rank ? undefined : value;
    }
    case 'managed': {
      const { type, value: id, serverGuid } = value as { type: string; value: string; serverGuid?: string };
      const known = knownAncestor(type, rank)?.name;
      if (known === undefined) return undefined;
      return {
        _typeName: 'ManagedObjectReference',
        type: known,
        value: id,
        ...(serverGuid === undefined ? {} : { serverGuid }),
      };
    }
    case 'any':
      return encodeAny(value, rank);
    case 'data':
      return encodeData(ref.type, value as Fields, rank);
  }
}

function encodeAny(bare: unknown, rank: number): unknown {
  const value = inferBox(bare) as Fields;
  const name = value._typeName ?? '';
  const ref = typeNamed(name);
  if (ref === undefined) throw new TypeError(`unknown type ${name} under any`);
  if (!isBoxed(value)) return encodeOne(ref, value, rank);
  const known = knownWireName(itemOf(ref), rank);
  return { _typeName: ref.array ? arrayNameOf(known) : known, _value: encodeRef(ref, value._value, rank) };
}

function encodeData(declared: string, value: Fields, rank: number): unknown {
  const info = sentType(declared, value, rank);
  const encoded: Record<string, unknown> = { _typeName: info.name };
  for (const field of info.fields) {
    if (field.rank > rank) continue;
    const property = encodeRef(field, value[field.name], rank);
    if (property !== undefined) encoded[field.name] = property;
  }
  return encoded;
}
