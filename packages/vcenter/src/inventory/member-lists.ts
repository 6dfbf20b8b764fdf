// Properties that list references (Folder.childEntity, HostSystem.vm, Network.host): kept by adding and taking away single
// members, and written to the graph once a turn, however many came. A member that was added twice (a network that two hosts
// have) stays until it was taken away twice.
import { type ManagedObjectReference, type MoRef, moRefKey } from '@vivarium/vim';
import type { ObjectGraph } from '@vivarium/vmomi';

interface List {
  readonly owner: MoRef;
  readonly property: string;
  readonly members: Map<string, { readonly ref: MoRef; count: number }>;
  /** As it was written last, and what has come and gone since. */
  shown: readonly MoRef[];
  changes: number;
  lastLeaver: MoRef | undefined;
}

export class MemberLists {
  readonly #graph: ObjectGraph;
  readonly #lists = new Map<string, List>();
  readonly #dirty = new Set<List>();
  readonly #listeners = new Map<string, Set<(owner: MoRef) => void>>();
  #isFlushDue = false;
  #holders = 0;

  constructor(graph: ObjectGraph) {
    this.#graph = graph;
  }

  add(owner: ManagedObjectReference, property: string, member: ManagedObjectReference): void {
    const list = this.#list(owner as MoRef, property);
    const key = moRefKey(member);
    const known = list.members.get(key);
    if (known) known.count += 1;
    else {
      list.members.set(key, { ref: member as MoRef, count: 1 });
      this.#touch(list);
    }
  }

  remove(owner: ManagedObjectReference, property: string, member: ManagedObjectReference): void {
    const list = this.#lists.get(`${moRefKey(owner)} ${property}`);
    const key = moRefKey(member);
    const known = list?.members.get(key);
    if (!list || !known) return;
    known.count -= 1;
    if (known.count > 0) return;
    list.members.delete(key);
    list.lastLeaver = known.ref;
    this.#touch(list);
  }

  members(owner: ManagedObjectReference, property: string): MoRef[] {
    return Array.from(this.#lists.get(`${moRefKey(owner)} ${property}`)?.members.values() ?? [], ({ ref }) => ref);
  }

  /** Hears whose list of this property has got or lost a member, at once. */
  onChange(property: string, listener: (owner: MoRef) => void): () => void {
    const listeners = this.#listeners.get(property) ?? new Set();
    this.#listeners.set(property, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Nothing is written until it is released: an inventory is filled. */
  hold(): () => void {
    this.#holders += 1;
    return () => {
      this.#holders -= 1;
      this.flush();
    };
  }

  /** Writes what has changed now; otherwise it happens before the next input is read. */
  flush(): void {
    this.#isFlushDue = false;
    if (this.#holders > 0) return;
    for (const list of this.#dirty) {
      const object = this.#graph.find(list.owner);
      list.shown = shownNow(list);
      list.changes = 0;
      list.lastLeaver = undefined;
      object?.set(list.property, list.shown);
      if (!object && list.members.size === 0) this.#lists.delete(`${moRefKey(list.owner)} ${list.property}`);
    }
    this.#dirty.clear();
  }

  #list(owner: MoRef, property: string): List {
    const key = `${moRefKey(owner)} ${property}`;
    const known = this.#lists.get(key);
    if (known) return known;
    const list: List = { owner, property, members: new Map(), shown: [], changes: 0, lastLeaver: undefined };
    this.#lists.set(key, list);
    return list;
  }

  #touch(list: List): void {
    this.#dirty.add(list);
    list.changes += 1;
    for (const listener of this.#listeners.get(list.property) ?? []) listener(list.owner);
    if (this.#isFlushDue || this.#holders > 0) return;
    this.#isFlushDue = true;
    queueMicrotask(() => this.flush());
  }
}

/** Of ten thousand members that leave one after the other, each is taken out without a look at what the others are. */
function shownNow({ members, shown, changes, lastLeaver }: List): readonly MoRef[] {
  const index = changes === 1 && lastLeaver ? shown.indexOf(lastLeaver) : -1;
  return index < 0 ? Array.from(members.values(), ({ ref }) => ref) : shown.toSpliced(index, 1);
}
