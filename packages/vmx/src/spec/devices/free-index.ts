import type { DeviceDraft } from '../device-draft.ts';

/** The lowest free index of `count` devices whose keys start at `firstKey`; `undefined` = all taken. */
export function freeIndex(firstKey: number, count: number, draft: DeviceDraft): number | undefined {
  const all = Array.from({ length: count }, (_, index) => index);
  return all.find((index) => draft.find(firstKey + index) === undefined);
}
