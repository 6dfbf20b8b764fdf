// XML events -> typed vim25 values, guided by the schema. A stack machine, so nesting costs no call stack.
// Elements and attributes that the schema does not know are skipped: newer clients send them (vim25.md 1.3).

import { MethodFault } from '../method-fault.ts';
import { invalidValue, parsePrimitive } from '../primitive-value.ts';
import { type FieldInfo, schema, type TypeRef } from '../schema.ts';
import { arrayName, itemOf, typeNamed } from '../type-ref.ts';
import { invalidXml, type XmlTag } from './read-xml.ts';

/** What a frame's children may be. */
export interface FieldsFrame {
  readonly kind: 'fields';
  readonly label: string;
  readonly fields: ReadonlyMap<string, FieldInfo>;
  readonly required: readonly FieldInfo[];
  readonly object: Record<string, unknown>;
  readonly into: FieldInfo | undefined;
}

interface ItemsFrame {
  readonly kind: 'items';
  readonly label: string;
  readonly item: TypeRef;
  readonly items: unknown[];
  readonly typeName: string;
  readonly into: FieldInfo | undefined;
}

interface TextFrame {
  readonly kind: 'text';
  readonly label: string;
  readonly type: TypeRef;
  /** Name to box the value with, when it stands under any. */
  readonly boxAs: string | undefined;
  readonly reference: { readonly type: string; readonly serverGuid: string | undefined } | undefined;
  readonly into: FieldInfo | undefined;
  text: string;
}

/** An element that is not ours, or is nil: everything in it is ignored. */
interface SkipFrame {
  readonly kind: 'skip';
  depth: number;
}

type Frame = FieldsFrame | ItemsFrame | TextFrame | SkipFrame;

/** An element under any that does not say its type: suds writes strings so. */
const UNTYPED: TypeRef = { type: 'string', kind: 'primitive', array: false, optional: false };

/** Type names as they appear in faults; never a megabyte of a stranger's text. */
function invalidType(name: string): MethodFault<'InvalidType'> {
  const argument = name.slice(0, 128);
  return new MethodFault('InvalidType', { argument }, `unknown or unexpected type "${argument}"`);
}

/** As `requiredRank`: of a reader who takes what there is. */
export const NOTHING_REQUIRED = -1;

export class ValueBuilder {
  readonly #root: FieldsFrame;
  readonly #stack: Frame[];
  readonly #requiredRank: number;
  readonly #arrayRank: number;
  readonly #where = (): string => this.#path();

  /**
   * Children of the root element become properties of `object`. Required properties newer than `requiredRank` may be
   * missing, booleans among them are false then (`NOTHING_REQUIRED`: all may, and stay away); a required array that is not there is empty,
   * unless it is newer than `arrayRank`.
   */
  constructor(
    fields: ReadonlyMap<string, FieldInfo>,
    object: Record<string, unknown>,
    requiredRank: number,
    arrayRank = Number.POSITIVE_INFINITY,
  ) {
    const required = [...fields.values()].filter((field) => !field.optional);
    this.#root = { kind: 'fields', label: '', fields, required, object, into: undefined };
    this.#stack = [this.#root];
    this.#requiredRank = requiredRank;
    this.#arrayRank = arrayRank;
  }

  open(tag: XmlTag): void {
    const top = this.#stack.at(-1);
    if (top?.kind === 'skip') {
      top.depth += 1;
    } else if (top?.kind === 'fields') {
      const field = top.fields.get(tag.local);
      this.#stack.push(
        field === undefined || tag.isNil ? { kind: 'skip', depth: 0 } : this.#frame(tag, itemOf(field), field),
      );
    } else if (top?.kind === 'items') {
      this.#stack.push(tag.isNil ? { kind: 'skip', depth: 0 } : this.#frame(tag, top.item, undefined));
    } else {
      throw invalidXml(`unexpected element in ${this.#path()}`);
    }
  }

  text(text: string): void {
    const top = this.#stack.at(-1);
    if (top?.kind === 'text') top.text += text;
    else if (top?.kind !== 'skip' && /\S/.test(text)) throw invalidXml(`unexpected text in ${this.#path()}`);
  }

  close(): void {
    const top = this.#stack.at(-1);
    if (top === undefined || top === this.#root) throw invalidXml('unbalanced elements');
    if (top.kind === 'skip') {
      if (top.depth === 0) this.#stack.pop();
      else top.depth -= 1;
      return;
    }
    const value = this.#complete(top);
    this.#stack.pop();
    this.#deliver(top.into, value);
  }

  /** To be called after the last child: fills empty arrays and refuses when something required is missing. */
  finish(): void {
    this.#requireFields(this.#root);
  }

  #frame(tag: XmlTag, declared: TypeRef, into: FieldInfo | undefined): Frame {
    const label = tag.local;
    const type = this.#actualType(tag, declared);
    if (type.array) {
      const item = itemOf(type);
      return { kind: 'items', label, item, items: [], typeName: arrayName(item), into };
    }
    const underAny = declared.kind === 'any';
    if (type.kind === 'data') {
      const info = schema.data(type.type);
      if (info === undefined) throw invalidType(type.type);
      const { fieldsByName: fields, required } = info;
      return { kind: 'fields', label, fields, required, object: { _typeName: info.name }, into };
    }
    const reference = type.kind === 'managed' ? this.#referenceType(tag, declared) : undefined;
    return { kind: 'text', label, type, boxAs: underAny ? type.type : undefined, reference, into, text: '' };
  }

  /** What xsi:type says, checked against the declared type; the declared type when there is none. */
  #actualType(tag: XmlTag, declared: TypeRef): TypeRef {
    if (tag.xsiType === undefined) {
      return declared.kind === 'any' ? UNTYPED : declared;
    }
    const named = typeNamed(tag.xsiType);
    if (named === undefined) throw invalidType(tag.xsiType);
    if (declared.kind === 'any') {
      if (named.kind === 'any' && !named.array) throw invalidType(tag.xsiType);
      return named;
    }
    if (named.array) throw invalidType(tag.xsiType);
    switch (declared.kind) {
      case 'data':
        if (!schema.isSubtype(named.type, declared.type)) throw invalidType(tag.xsiType);
        return named;
      case 'managed':
        if (named.kind !== 'managed') throw invalidType(tag.xsiType);
        return declared;
      case 'enum':
        if (named.type !== declared.type && named.type !== 'string') throw invalidType(tag.xsiType);
        return declared;
      case 'primitive':
        if (named.kind !== 'primitive' && !(named.kind === 'enum' && declared.type === 'string'))
          throw invalidType(tag.xsiType);
        return declared;
    }
  }

  #referenceType(tag: XmlTag, declared: TypeRef): { type: string; serverGuid: string | undefined } {
    const attribute = tag.attribute('type')?.trim();
    const type = attribute?.slice(attribute.indexOf(':') + 1);
    if (type === undefined) throw invalidXml(`${this.#path(tag.local)} needs a type attribute`);
    if (schema.managed(type) === undefined) throw invalidType(type);
    const expected = declared.kind === 'managed' ? declared.type : 'ManagedObjectReference';
    if (expected !== 'ManagedObjectReference' && !schema.isSubtype(type, expected)) {
      throw new MethodFault('InvalidArgument', { invalidProperty: this.#path(tag.local) });
    }
    return { type, serverGuid: tag.attribute('serverGuid') };
  }

  #complete(frame: FieldsFrame | ItemsFrame | TextFrame): unknown {
    switch (frame.kind) {
      case 'fields':
        this.#requireFields(frame);
        return frame.object;
      case 'items':
        return { _typeName: frame.typeName, _value: frame.items };
      case 'text':
        return this.#completeText(frame);
    }
  }

  #completeText(frame: TextFrame): unknown {
    if (frame.reference !== undefined) {
      const { type, serverGuid } = frame.reference;
      const typeName = frame.boxAs === undefined ? {} : { _typeName: 'ManagedObjectReference' };
      const value = frame.text.trim();
      return { ...typeName, type, value, ...(serverGuid === undefined ? {} : { serverGuid }) };
    }
    const value = this.#parseText(frame);
    return frame.boxAs === undefined ? value : { _typeName: frame.boxAs, _value: value };
  }

  #parseText(frame: TextFrame): unknown {
    if (frame.type.kind === 'primitive') return parsePrimitive(frame.type.type, frame.text, this.#where);
    const text = frame.text.trim();
    const info = schema.type(frame.type.type);
    if (info?.kind !== 'enum' || !info.values.has(text)) throw invalidValue(frame.type.type, text, this.#where);
    return text;
  }

  #requireFields(frame: FieldsFrame): void {
    for (const field of frame.required) {
      if (Object.hasOwn(frame.object, field.name)) continue;
      if (field.array) {
        if (field.rank <= this.#arrayRank) frame.object[field.name] = [];
      } else if (field.rank <= this.#requiredRank) {
        throw new MethodFault('InvalidArgument', { invalidProperty: this.#path(field.name) });
      } else if (this.#requiredRank !== NOTHING_REQUIRED && field.kind === 'primitive' && field.type === 'boolean') {
        // What the client does not know it does not want; and who passes the value on does so as a client that knows the field.
        frame.object[field.name] = false;
      }
    }
  }

  #deliver(into: FieldInfo | undefined, value: unknown): void {
    const parent = this.#stack.at(-1);
    if (parent?.kind === 'items') {
      parent.items.push(value);
    } else if (parent?.kind === 'fields' && into !== undefined) {
      const present = parent.object[into.name];
      if (into.array && Array.isArray(present)) present.push(value);
      else if (present !== undefined) throw invalidXml(`${this.#path(into.name)} is there twice`);
      else parent.object[into.name] = into.array ? [value] : value;
    }
  }

  /** `spec.deviceChange[1].device`: where in the arguments the current element, or a child of it, is. */
  #path(child?: string): string {
    const parts: string[] = [];
    for (const [index, frame] of this.#stack.entries()) {
      if (frame.kind === 'skip' || frame === this.#root) continue;
      const parent = this.#stack[index - 1];
      parts.push(parent?.kind === 'items' ? `[${parent.items.length}]` : `.${frame.label}${arrayIndex(parent, frame)}`);
    }
    if (child !== undefined) parts.push(`.${child}`);
    return parts.join('').replace(/^\./, '');
  }
}

function arrayIndex(parent: Frame | undefined, frame: FieldsFrame | ItemsFrame | TextFrame): string {
  if (frame.into?.array !== true || parent?.kind !== 'fields') return '';
  const present = parent.object[frame.into.name];
  return `[${Array.isArray(present) ? present.length : 0}]`;
}
