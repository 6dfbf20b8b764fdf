// Who wants to hear of which property of which object. One subscription in the graph an object, however many watch it;
// watchers with the same interest are asked once. Only tells; what a change means is the watcher's business.
import { type MoRef, moRefKey } from '@vivarium/vim';
import type { Change } from '../graph/change.ts';

/** What the router needs of the object graph. */
export interface ChangeSource {
  subscribe(ref: MoRef, listener: (change: Change) => void): () => void;
}

/** A set of top-level property names, shared by all who want to hear of the same ones. Made by `interest`. */
export interface Interest {
  readonly names: ReadonlySet<string>;
}

export interface Watcher {
  /** Called inside the change: note it down, do nothing else. Undefined = the object came or went. */
  changed(properties: readonly string[] | undefined): void;
}

interface Watched {
  readonly unsubscribe: () => void;
  readonly watchers: Map<Interest, Set<Watcher>>;
}

export class ChangeRouter {
  readonly #source: ChangeSource;
  readonly #watched = new Map<string, Watched>();
  readonly #interests = new Map<string, WeakRef<Interest>>();

  constructor(source: ChangeSource) {
    this.#source = source;
  }

  /** Objects that somebody watches. */
  get size(): number {
    return this.#watched.size;
  }

  /** The one interest in these properties. */
  interest(names: Iterable<string>): Interest {
    const set = new Set(names);
    const key = [...set].sort().join(' ');
    const known = this.#interests.get(key)?.deref();
    if (known) return known;
    if (this.#interests.size > 1000) this.#forgetUnusedInterests();
    const interest: Interest = { names: set };
    this.#interests.set(key, new WeakRef(interest));
    return interest;
  }

  /** The object need not exist yet. A watcher watches an object once. */
  watch(ref: MoRef, interest: Interest, watcher: Watcher): void {
    const key = moRefKey(ref);
    let watched = this.#watched.get(key);
    if (!watched) {
      const watchers = new Map<Interest, Set<Watcher>>();
      watched = { watchers, unsubscribe: this.#source.subscribe(ref, (change) => tell(watchers, change)) };
      this.#watched.set(key, watched);
    }
    const peers = watched.watchers.get(interest);
    if (peers) peers.add(watcher);
    else watched.watchers.set(interest, new Set([watcher]));
  }

  unwatch(ref: MoRef, interest: Interest, watcher: Watcher): void {
    const key = moRefKey(ref);
    const watched = this.#watched.get(key);
    const peers = watched?.watchers.get(interest);
    if (!watched || !peers?.delete(watcher)) return;
    if (peers.size === 0) watched.watchers.delete(interest);
    if (watched.watchers.size > 0) return;
    watched.unsubscribe();
    this.#watched.delete(key);
  }

  #forgetUnusedInterests(): void {
    for (const [key, interest] of this.#interests) {
      if (interest.deref() === undefined) this.#interests.delete(key);
    }
  }
}

function tell(watchers: ReadonlyMap<Interest, ReadonlySet<Watcher>>, change: Change): void {
  const names = change.kind === 'modified' ? topLevelNames(change.paths) : undefined;
  for (const [interest, peers] of watchers) {
    if (names !== undefined && !names.some((name) => interest.names.has(name))) continue;
    for (const watcher of peers) watcher.changed(names);
  }
}

function topLevelNames(paths: readonly string[]): string[] {
  return paths.map((path) => {
    const end = path.search(/[.[]/);
    return end < 0 ? path : path.slice(0, end);
  });
}
