// vim25 primitives: from text, from JSON, to text. Every refusal is a MethodFault InvalidRequest.

import { MethodFault } from './method-fault.ts';

const RANGES: Readonly<Record<string, readonly [min: number, max: number]>> = {
  byte: [-0x80, 0x7f],
  short: [-0x8000, 0x7fff],
  int: [-0x8000_0000, 0x7fff_ffff],
  long: [-(2 ** 63), 2 ** 63],
};

const DATE_TIME = /^(-?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,12})?)(Z|[+-]\d\d:\d\d)?$/;
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Says where in the arguments a value stands; called only for a refusal. */
export type Where = () => string;

/** A refusal of one value. The text of the value is not repeated when it is long: it may be a password or megabytes. */
export function invalidValue(type: string, shown: string, where: Where): MethodFault {
  const path = where();
  const short = shown.length > 64 ? `${shown.slice(0, 64)}…` : shown;
  return new MethodFault('InvalidRequest', {}, `"${short}" is not a valid ${type}${path === '' ? '' : ` (${path})`}`);
}

/** The value of an element's text. Everything but strings and URIs is trimmed. */
export function parsePrimitive(type: string, text: string, where: Where): string | number | boolean {
  switch (type) {
    case 'string':
    case 'anyURI':
      return text;
    case 'typeName':
    case 'methodName':
    case 'propertyPath':
      return text.trim();
    case 'boolean':
      return parseBoolean(text.trim(), where);
    case 'dateTime':
      return normalDateTime(text.trim(), where);
    case 'base64Binary':
      return normalBase64(text, where);
    case 'float':
    case 'double':
      return parseDecimal(type, text.trim(), where);
    default:
      return parseInteger(type, text.trim(), where);
  }
}

function parseBoolean(text: string, where: Where): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw invalidValue('boolean', text, where);
}

function parseDecimal(type: string, text: string, where: Where): number {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw invalidValue(type, text, where);
  return value === 0 ? 0 : value;
}

function parseInteger(type: string, text: string, where: Where): number {
  if (!/^[+-]?\d{1,40}$/.test(text)) throw invalidValue(type, text, where);
  return checkInteger(type, Number(text), where);
}

function checkInteger(type: string, value: number, where: Where): number {
  const [min, max] = RANGES[type] ?? [0, -1];
  if (type === 'byte' && value > max && value <= 0xff) return checkInteger(type, value - 0x100, where); // sent unsigned
  if (!Number.isInteger(value) || value < min || value > max) throw invalidValue(type, String(value), where);
  return value === 0 ? 0 : value; // -0 is 0
}

/** ISO-8601 in UTC. A time without a zone is taken as UTC, as XML Schema leaves it open and clients mean it so. */
function normalDateTime(text: string, where: Where): string {
  const match = DATE_TIME.exec(text);
  const [, local = '', zone = 'Z'] = match ?? [];
  const time = match === null ? Number.NaN : Date.parse(`${local.replace(/(\.\d{3})\d+$/, '$1')}${zone}`);
  if (Number.isNaN(time)) throw invalidValue('dateTime', text, where);
  return zone === 'Z' ? `${local}Z` : new Date(time).toISOString();
}

function normalBase64(text: string, where: Where): string {
  const compact = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  if (compact.length % 4 !== 0 || !BASE64.test(compact)) throw invalidValue('base64Binary', text, where);
  return compact;
}

/** The value of a JSON value: nothing is coerced. */
export function checkPrimitive(type: string, value: unknown, where: Where): string | number | boolean {
  switch (type) {
    case 'boolean':
      if (typeof value === 'boolean') return value;
      break;
    case 'string':
    case 'anyURI':
    case 'typeName':
    case 'methodName':
    case 'propertyPath':
      if (typeof value === 'string') return value;
      break;
    case 'dateTime':
      if (typeof value === 'string') return normalDateTime(value, where);
      break;
    case 'base64Binary':
      if (typeof value === 'string') return normalBase64(value, where);
      break;
    case 'float':
    case 'double':
      if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value;
      break;
    default:
      if (typeof value === 'number') return checkInteger(type, value, where);
  }
  throw invalidValue(type, typeof value === 'object' ? typeof value : String(value), where);
}

/** XML text of a value, not yet escaped. Numbers beyond a double's integers are kept inside the type's range. */
export function formatPrimitive(type: string, value: unknown): string {
  if (typeof value === 'number') return formatNumber(type, value);
  return typeof value === 'string' ? value : String(value);
}

function formatNumber(type: string, value: number): string {
  if (type === 'float' || type === 'double') {
    if (Number.isFinite(value)) return String(value);
    return Number.isNaN(value) ? 'NaN' : value > 0 ? 'INF' : '-INF';
  }
  if (Number.isSafeInteger(value)) return String(value);
  if (type === 'long' && value >= 2 ** 63) return '9223372036854775807';
  if (Number.isFinite(value)) return BigInt(Math.trunc(value)).toString();
  throw new RangeError(`${value} is no ${type}`);
}
