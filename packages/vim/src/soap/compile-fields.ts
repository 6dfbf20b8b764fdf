// Compiles the properties of one data type to a JavaScript function that writes them as XML: in schema order, each property
// read by its own instruction. Written against the same function that interprets the schema, it is four times as fast
// (docs/decisions/0012). Only names of the schema become code, never a value.

import { type DataTypeInfo, type FieldInfo, schema } from '../schema.ts';

/** The properties of a data object of exactly one type, without an element around them. */
export type FieldsEncoder = (value: object, rank: number) => string;

/** What compiled code calls for everything that is not plain text. */
export interface CompiledCodeRuntime {
  escapeText(text: string): string;
  primitive(tag: string, type: string, value: unknown): string;
  /** What writes the values of one enum with one tag. */
  enumeration(tag: string, type: string): (value: unknown, rank: number) => string;
  reference(tag: string, value: unknown, rank: number): string;
  any(tag: string, value: unknown, rank: number): string;
  data(tag: string, declared: string, value: unknown, rank: number): string;
  /** Of a data type by name. */
  fields(type: string): FieldsEncoder;
}

const INTEGERS: ReadonlySet<string> = new Set(['byte', 'short', 'int', 'long']);
const NAME = /^[A-Za-z_]\w*$/;

/** The code is made from `info` alone; `runtime` is what it calls. */
export function compileFields(info: DataTypeInfo, runtime: CompiledCodeRuntime): FieldsEncoder {
  const declarations: string[] = [];
  const statements = info.fields.map((field, index) => statementFor(field, index, declarations));
  const code = `'use strict';
${declarations.join('\n')}
return function ${name(info.name)}(value, rank) {
  let text = '', x;
  ${statements.join('\n  ')}
  return text;
};`;
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- see the head of this file
  return (new Function('runtime', code) as (runtime: CompiledCodeRuntime) => FieldsEncoder)(runtime);
}

function statementFor(field: FieldInfo, index: number, declarations: string[]): string {
  const known = field.rank > 0 ? `rank >= ${field.rank} && ` : '';
  const body = field.array
    ? `for (let i = 0; i < x.length; i++) { const y = x[i]; text += ${expression(field, 'y', index, declarations)}; }`
    : `text += ${expression(field, 'x', index, declarations)};`;
  return `if (${known}(x = value.${name(field.name)}) !== undefined && x !== null) { ${body} }`;
}

function expression(field: FieldInfo, x: string, index: number, declarations: string[]): string {
  const tag = name(field.name);
  const type = name(field.type);
  switch (field.kind) {
    case 'primitive':
      return primitive(tag, type, x);
    case 'enum':
      declarations.push(`const encode${index} = runtime.enumeration('${tag}', '${type}');`);
      return `encode${index}(${x}, rank)`;
    case 'managed':
      return `runtime.reference('${tag}', ${x}, rank)`;
    case 'any':
      // Most are strings: the values of options.
      return `typeof ${x} === 'string' ? '<${tag} xsi:type="xsd:string">' + runtime.escapeText(${x}) + '</${tag}>' : runtime.any('${tag}', ${x}, rank)`;
    case 'data': {
      const since = schema.type(type)?.rank ?? 0;
      const isPlain = `${x}._typeName === '${type}'${since > field.rank ? ` && rank >= ${since}` : ''}`;
      declarations.push(`let encode${index};`);
      const direct = `'<${tag}>' + (encode${index} ??= runtime.fields('${type}'))(${x}, rank) + '</${tag}>'`;
      return `${isPlain} ? ${direct} : runtime.data('${tag}', '${type}', ${x}, rank)`;
    }
  }
}

function primitive(tag: string, type: string, x: string): string {
  const other = `runtime.primitive('${tag}', '${type}', ${x})`;
  if (type === 'boolean')
    return `${x} === true ? '<${tag}>true</${tag}>' : ${x} === false ? '<${tag}>false</${tag}>' : ${other}`;
  if (INTEGERS.has(type)) return `${x} === (${x} | 0) ? '<${tag}>' + ${x} + '</${tag}>' : ${other}`;
  return `typeof ${x} === 'string' ? '<${tag}>' + runtime.escapeText(${x}) + '</${tag}>' : ${other}`;
}

/** Names come from the schema; this makes sure that nothing else ever becomes code. */
function name(text: string): string {
  if (!NAME.test(text)) throw new RangeError(`${text} is no name of the schema`);
  return text;
}
