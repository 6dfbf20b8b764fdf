// OVSDB's way of writing values as JSON (RFC 7047 section 5.1), to and from plain ones.
import type { OvsRow, OvsValue } from './ovsdb-client.ts';

/** A set column as an array; a set of one may be written as the bare atom. */
export function setOf(value: OvsValue | undefined): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value[0] === 'set') return value[1] as readonly unknown[];
  return [value];
}

/** Row uuids of a column that refers to other rows. */
export function uuidsOf(value: OvsValue | undefined): string[] {
  return setOf(value).flatMap((atom) => (Array.isArray(atom) && typeof atom[1] === 'string' ? [atom[1]] : []));
}

export function mapOf(value: OvsValue | undefined): Readonly<Record<string, string>> {
  if (!Array.isArray(value) || value[0] !== 'map') return {};
  return Object.fromEntries(value[1] as readonly (readonly [string, string])[]);
}

export function toMap(entries: Readonly<Record<string, string>>): OvsValue {
  return ['map', Object.entries(entries)];
}

export function toSet(values: readonly unknown[]): OvsValue {
  return ['set', values];
}

export function textOf(row: OvsRow | undefined, column: string): string {
  const value = row?.[column];
  return typeof value === 'string' ? value : '';
}
