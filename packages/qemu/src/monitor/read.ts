// Reading replies of a peer that is not trusted: each function takes what came and gives the type, or throws. Missing parts of an
// otherwise right reply read as `undefined`, because QEMU leaves out what is not so.
import { ProtocolError } from './wire.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function readObject(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ProtocolError('not an object');
  return value as Fields;
}

/** The object at a property, or an empty one. */
export function readPart(fields: Fields, name: string): Fields {
  const value = fields[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function readList(value: unknown): Fields[] {
  if (!Array.isArray(value)) throw new ProtocolError('not a list');
  return value.map(readObject);
}

export function readText(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new ProtocolError(`${name} is not a text`);
  return value;
}

export function findText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
}

/** A finite number; QEMU's 64-bit counters lose precision above 2^53, which no use of ours notices. */
export function readNumber(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new ProtocolError(`${name} is not a number`);
  return value;
}

export function findNumber(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** True only when it is `true`. */
export function readFlag(fields: Fields, name: string): boolean {
  return fields[name] === true;
}
