// Who holds and who waits for locks, as the mirror has seen it. The one whose key is the oldest holds.
import type { LockHolder } from '../lease.ts';
import type { Json, Revision } from '../store.ts';
import type { KeyValue } from './messages.ts';

interface Claim {
  readonly id: string;
  readonly fence: Revision;
  readonly holder: Json;
}

export class LockTable {
  readonly #claims = new Map<string, Map<string, Claim>>();
  readonly #listeners = new Set<() => void>();

  put(name: string, id: string, kv: KeyValue): void {
    const claims = this.#claims.get(name) ?? new Map<string, Claim>();
    this.#claims.set(name, claims);
    claims.set(id, { id, fence: kv.createRevision, holder: JSON.parse(kv.value.toString('utf8')) as Json });
  }

  delete(name: string, id: string): void {
    const claims = this.#claims.get(name);
    claims?.delete(id);
    if (claims?.size === 0) this.#claims.delete(name);
  }

  clear(): void {
    this.#claims.clear();
  }

  has(name: string, id: string): boolean {
    return this.#claims.get(name)?.has(id) ?? false;
  }

  first(name: string): (LockHolder & { readonly id: string }) | undefined {
    let first: Claim | undefined;
    for (const claim of this.#claims.get(name)?.values() ?? []) {
      if (!first || claim.fence < first.fence) first = claim;
    }
    return first;
  }

  /** Hears of every change, after it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
