import type { DeviceDraft } from '../device-draft.ts';

/** The index that the spec wants when it is free, else the lowest free one of `count`; `undefined` = all taken. */
export function freeIndex(
  wanted: number | undefined,
  firstKey: number,
  count: number,
  draft: DeviceDraft,
): number | undefined {
  const isFree = (index: number) => draft.find(firstKey + index) === undefined;
  const all = Array.from({ length: count }, (_, index) => index);
  return all.find((index) => index === wanted && isFree(index)) ?? all.find(isFree);
}
