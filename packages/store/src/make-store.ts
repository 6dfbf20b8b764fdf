// The public face of an engine: checks and encodes what is to be written, and carries the guard into every write.
import { checkKey, encodeBatch } from './encode-batch.ts';
import { encodeEntries } from './encode-entries.ts';
import type { Engine, Guard } from './engine.ts';
import { type History, KEEP } from './history.ts';
import { LOCK_TTL_MS } from './lease.ts';
import type { Store } from './store.ts';

export function makeStore(engine: Engine, guard?: Guard): Store {
  const { history } = engine;
  const guardedHistory: History = {
    append: async (stream, entries, keep = KEEP) => {
      const encoded = encodeEntries(stream, entries);
      if (encoded.length > 0) await history.append(stream, encoded, keep, guard);
    },
    page: (stream, query) => history.page(stream, query),
    lastKey: (stream) => history.lastKey(stream),
    count: (stream) => history.count(stream),
    streams: () => history.streams(),
  };
  return {
    get revision() {
      return engine.revision;
    },
    get isStale() {
      return engine.isStale;
    },
    history: guardedHistory,
    get: (key) => engine.get(key),
    range: (prefix, options) => engine.range(prefix, options),
    batch: async (ops, compares = []) => engine.write(encodeBatch(ops, compares), guard),
    watch: (prefix, fromRevision) => engine.watch(prefix, fromRevision),
    sync: () => engine.sync(),
    lock: async (name, options = {}) => {
      checkKey(name);
      options.signal?.throwIfAborted();
      return engine.lock(name, { ...options, ttlMs: options.ttlMs ?? LOCK_TTL_MS });
    },
    lockHolder: (name) => engine.lockHolder(name),
    guard: (lease) => makeStore(engine, lease),
    snapshot: () => engine.snapshot(),
    replace: async (items, { keepHistory = false } = {}) => engine.replace(items, keepHistory, guard),
    close: () => engine.close(),
  };
}
