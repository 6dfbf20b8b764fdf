// The order of morefs that breaks every tie: by the text before the number, then by the number (host-9 before host-10). Pure.

import type { ManagedObjectReference } from '@vivarium/vim';

interface Key {
  readonly text: string;
  readonly number: number;
  readonly value: string;
}

export function compareMorefs(left: ManagedObjectReference, right: ManagedObjectReference): number {
  return compareKeys(keyOf(left), keyOf(right));
}

/** A sorted copy. Each moref is taken apart once only. */
export function sortByMoref<T>(items: readonly T[], refOf: (item: T) => ManagedObjectReference): T[] {
  return items
    .map((item) => ({ item, key: keyOf(refOf(item)) }))
    .sort((a, b) => compareKeys(a.key, b.key))
    .map(({ item }) => item);
}

function keyOf({ value }: ManagedObjectReference): Key {
  let end = value.length;
  while (end > 0 && isDigit(value.charCodeAt(end - 1))) end -= 1;
  return { text: value.slice(0, end), number: Number(value.slice(end)), value };
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function compareKeys(left: Key, right: Key): number {
  return compare(left.text, right.text) || left.number - right.number || compare(left.value, right.value);
}

function compare(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
