// A VMX in memory: an ordered dictionary whose keys ignore case but remember how they were written.

export interface VmxEntry {
  readonly key: string;
  readonly value: string;
}

export class VmxFile {
  readonly #entries = new Map<string, VmxEntry>();

  static of(values: Readonly<Record<string, string>>): VmxFile {
    const file = new VmxFile();
    for (const [key, value] of Object.entries(values)) file.set(key, value);
    return file;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): string | undefined {
    return this.#entries.get(key.toLowerCase())?.value;
  }

  has(key: string): boolean {
    return this.#entries.has(key.toLowerCase());
  }

  /** A key that is there already keeps its place and takes the new spelling. */
  set(key: string, value: string): void {
    this.#entries.set(key.toLowerCase(), { key, value });
  }

  delete(key: string): boolean {
    return this.#entries.delete(key.toLowerCase());
  }

  /** In file order. */
  entries(): Iterable<VmxEntry> {
    return this.#entries.values();
  }
}

/** What a key may look like: one word, without the characters that the text form gives a meaning. */
export function isVmxKey(key: string): boolean {
  return key.length > 0 && key.length <= MAX_KEY_LENGTH && /^[^\s="#\p{Cc}\p{Cs}]+$/u.test(key);
}

export const MAX_KEY_LENGTH = 1024;
