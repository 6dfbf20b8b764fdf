// The order of morefs that breaks every tie: by the text before the number, then by the number (host-9 before host-10). Pure.

import type { ManagedObjectReference } from '@vivarium/vim';

export function compareMorefs(left: ManagedObjectReference, right: ManagedObjectReference): number {
  const [leftText, leftNumber] = split(left.value);
  const [rightText, rightNumber] = split(right.value);
  if (leftText !== rightText) return leftText < rightText ? -1 : 1;
  return leftNumber - rightNumber || (left.value < right.value ? -1 : left.value > right.value ? 1 : 0);
}

function split(value: string): [string, number] {
  const digits = /\d+$/.exec(value)?.[0] ?? '';
  return [value.slice(0, value.length - digits.length), Number(digits)];
}
