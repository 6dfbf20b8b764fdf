// Documents of a store with changes on top that are not written yet.
import { codePointOrder } from '../memory/sorted-keys.ts';
import type { Op, Store } from '../store.ts';

const PAGE = 500;

export class StagedDocuments {
  readonly #store: Store;
  /** By key; undefined = deleted. */
  readonly #changes = new Map<string, { readonly value: unknown } | undefined>();

  constructor(store: Store) {
    this.#store = store;
  }

  apply(ops: Iterable<Op>): void {
    // All first: a migration that reads while it writes sees what was there before it.
    for (const op of [...ops]) {
      if ('put' in op) this.#changes.set(op.put, { value: op.value });
      else this.#changes.set(op.delete, undefined);
    }
  }

  get<T>(key: string): T | undefined {
    if (this.#changes.has(key)) return structuredClone(this.#changes.get(key)?.value) as T | undefined;
    return this.#store.get<T>(key)?.value;
  }

  *range<T>(prefix: string): Generator<{ readonly key: string; readonly value: T }> {
    const order = (key: string) => codePointOrder(key);
    const changed = [...this.#changes.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => (order(a) < order(b) ? -1 : 1));
    let next = 0;
    const changedBefore = function* (this: StagedDocuments, key: string | undefined): Generator<string> {
      for (; next < changed.length; next++) {
        const at = changed[next] as string;
        if (key !== undefined && order(at) > order(key)) return;
        if (this.#changes.get(at)) yield at;
      }
    }.bind(this);
    for (let after = ''; ; ) {
      const page = this.#store.range<T>(prefix, { limit: PAGE, after });
      for (const { key, value } of page) {
        for (const at of changedBefore(key)) yield { key: at, value: this.get<T>(at) as T };
        if (!this.#changes.has(key)) yield { key, value };
      }
      if (page.length < PAGE) break;
      after = page.at(-1)?.key ?? '';
    }
    for (const at of changedBefore(undefined)) yield { key: at, value: this.get<T>(at) as T };
  }

  ops(): Op[] {
    return Array.from(this.#changes, ([key, change]) => (change ? { put: key, value: change.value } : { delete: key }));
  }
}
