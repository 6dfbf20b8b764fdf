// One data object in a file of its own, as govmomi writes it: `<ObjectContent>…</ObjectContent>`. Throws MethodFaults only, whatever
// the bytes.
import type { DataTypes } from '../generated/maps.ts';
import { schema } from '../schema.ts';
import { invalidXml, readXml, type XmlHandler, type XmlLimits, type XmlTag } from './read-xml.ts';
import { NOTHING_REQUIRED, ValueBuilder } from './value-builder.ts';

/** A value of which any property may be missing. */
export type Told<T> = T extends { readonly type: string; readonly value: string }
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Told<Item>[]
    : T extends object
      ? { readonly [P in keyof T]?: Told<T[P]> | undefined }
      : T;

class DocumentReader implements XmlHandler {
  readonly values: Record<string, unknown>;
  readonly #type: string;
  readonly #builder: ValueBuilder;
  #depth = 0;

  constructor(type: string) {
    const info = schema.data(type);
    if (!info) throw new TypeError(`${type} is no data object`);
    this.#type = type;
    this.values = { _typeName: type };
    this.#builder = new ValueBuilder(info.fieldsByName, this.values, NOTHING_REQUIRED);
  }

  open(tag: XmlTag): void {
    this.#depth += 1;
    if (this.#depth > 1) this.#builder.open(tag);
    else if (tag.local !== this.#type) throw invalidXml(`the document is no ${this.#type}`);
  }

  text(text: string): void {
    if (this.#depth > 0) this.#builder.text(text);
  }

  close(): void {
    this.#depth -= 1;
    if (this.#depth > 0) this.#builder.close();
    else this.#builder.finish();
  }
}

/**
 * The data object of this type that the document is. What the schema does not know is left out, and what it requires may be missing: who
 * wrote it was of another version.
 */
export function decodeXmlDocument<T extends keyof DataTypes>(
  type: T,
  body: Uint8Array,
  limits: XmlLimits,
): Told<DataTypes[T]> {
  const reader = new DocumentReader(type);
  readXml(body, limits, reader);
  return reader.values as Told<DataTypes[T]>;
}
