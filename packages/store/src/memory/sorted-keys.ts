// A sorted set of strings for many keys: blocks of a bounded length, so that adding one moves few. Ordered by code units;
// `codePointOrder` makes that the order of code points, which SQLite and etcd have (that of the bytes of UTF-8).

const MOST_IN_BLOCK = 512;

export class SortedKeys {
  #blocks: string[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** False when it was there. */
  add(key: string): boolean {
    const at = Math.max(0, this.#blockOf(key));
    const block = this.#blocks[at];
    if (!block) {
      this.#blocks.push([key]);
    } else {
      const place = firstNotBelow(block, key);
      if (block[place] === key) return false;
      block.splice(place, 0, key);
      if (block.length > MOST_IN_BLOCK) this.#blocks.splice(at + 1, 0, block.splice(MOST_IN_BLOCK >> 1));
    }
    this.#size += 1;
    return true;
  }

  delete(key: string): boolean {
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (!block) return false;
    const place = firstNotBelow(block, key);
    if (block[place] !== key) return false;
    block.splice(place, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
    this.#size -= 1;
    return true;
  }

  /** Keys that are not below `start`, in order. The set must not change meanwhile. */
  *from(start: string): Generator<string, void> {
    let at = Math.max(0, this.#blockOf(start));
    let block = this.#blocks[at];
    let place = block ? firstNotBelow(block, start) : 0;
    for (; block; at += 1, place = 0) {
      for (; place < block.length; place += 1) yield block[place] as string;
      block = this.#blocks[at + 1];
    }
  }

  /** The last block whose first key is not above; -1 when all are above. */
  #blockOf(key: string): number {
    let [low, high] = [0, this.#blocks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#blocks[middle]?.[0] ?? '') <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function firstNotBelow(block: readonly string[], key: string): number {
  let [low, high] = [0, block.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((block[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Another text for the key, whose order by code units is the key's order by code points, and which begins as others do
 * when the keys do: surrogates go behind U+E000 … U+FFFF. Most keys have neither and stay as they are.
 */
export function codePointOrder(key: string): string {
  return key.replace(/[\ud800-\uffff]/g, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode(code < 0xe000 ? code + 0x2000 : code - 0x800);
  });
}
