// Who wants to hear of which property of which object. Watchers with the same interest in an object are asked once. Only tells;
// what a change means is the watcher's business.
import type { MoRef } from '@vivarium/vim';
import type { Change } from '../graph/change.ts';
import { RefMap } from '../graph/ref-map.ts';

/** What the router needs of the object graph. */
export interface ChangeSource {
  onChange(listener: (change: Change) => void): () => void;
}

/** A set of top-level property names, shared by all who want to hear of the same ones. Made by `interest`. */
export interface Interest {
  readonly names: ReadonlySet<string>;
}

export interface Watcher {
  /** Called inside the change: note it down, do nothing else. Undefined = the object came or went. */
  changed(properties: readonly string[] | undefined): void;
}

/** Those with one interest in one object; mostly it is one. */
interface Peers {
  readonly interest: Interest;
  watchers: Watcher | Set<Watcher>;
}

export class ChangeRouter {
  readonly #watched = new RefMap<Peers[]>();
  readonly #interests = new Map<string, WeakRef<Interest>>();

  constructor(source: ChangeSource) {
    source.onChange((change) => this.#tell(change));
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
    const watched = this.#watched.get(ref);
    const peers = watched?.find((one) => one.interest === interest);
    if (!watched) this.#watched.set(ref, [{ interest, watchers: watcher }]);
    else if (!peers) watched.push({ interest, watchers: watcher });
    else if (peers.watchers instanceof Set) peers.watchers.add(watcher);
    else peers.watchers = new Set([peers.watchers, watcher]);
  }

  unwatch(ref: MoRef, interest: Interest, watcher: Watcher): void {
    const watched = this.#watched.get(ref);
    const index = watched?.findIndex((one) => one.interest === interest) ?? -1;
    const peers = watched?.[index];
    if (!watched || !peers) return;
    if (peers.watchers instanceof Set) {
      peers.watchers.delete(watcher);
      if (peers.watchers.size > 0) return;
    } else if (peers.watchers !== watcher) return;
    watched.splice(index, 1);
    if (watched.length === 0) this.#watched.delete(ref);
  }

  #tell(change: Change): void {
    const watched = this.#watched.get(change.object.ref);
    if (!watched) return;
    const names = change.kind === 'modified' ? topLevelNames(change.paths) : undefined;
    // A copy: who is told may watch or unwatch.
    for (const { interest, watchers } of [...watched]) {
      if (names !== undefined && !names.some((name) => interest.names.has(name))) continue;
      if (watchers instanceof Set) for (const watcher of watchers) watcher.changed(names);
      else watchers.changed(names);
    }
  }

  #forgetUnusedInterests(): void {
    for (const [key, interest] of this.#interests) {
      if (interest.deref() === undefined) this.#interests.delete(key);
    }
  }
}

function topLevelNames(paths: readonly string[]): string[] {
  return paths.map((path) => {
    const end = path.search(/[.[]/);
    return end < 0 ? path : path.slice(0, end);
  });
}
