// What a changed VM says of the time of its change: a text in it is a mark with the monotonic clock's nanoseconds, which is the same
// for all processes of a machine. Pure.

const MARK = /at:(\d+);/g;

export function formatMark(sent: bigint): string {
  return `at:${sent};`;
}

/** The times in a reply. */
export function parseMark(text: string): bigint[] {
  return Array.from(text.matchAll(MARK), ([, sent]) => BigInt(sent ?? 0));
}
