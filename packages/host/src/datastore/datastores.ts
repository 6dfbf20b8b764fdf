// The datastores of this host: which there are, kept durably, and every way a client may name a place on one of them.
// No two share a name or a directory. The API's objects are made by others, from what this tells them.
import { realpath, stat } from 'node:fs/promises';
import { type Clock, type Logger, Mutex, type Random } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import { MethodFault, type MoRef } from '@vivarium/vim';
import { filePlace } from '@vivarium/vmomi';
import { Datastore, type Location } from './datastore.ts';
import { invalidPath, normalizeRelative } from './datastore-path.ts';
import { isMissing } from './file-faults.ts';

const DOCUMENT = 'host/datastores';

interface Entry {
  readonly name: string;
  readonly root: string;
}

export interface DatastoresOptions {
  readonly store: Pick<Store, 'get' | 'batch'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Made, and remembered, when this host has never had a datastore. */
  readonly first: Entry;
}

export interface DatastoresListener {
  added?(datastore: Datastore): void;
  removed?(datastore: Datastore): void;
  /** The datastore has its new name already. Whoever keeps datastore paths writes them anew. */
  renamed?(datastore: Datastore, formerName: string): void;
}

export class Datastores {
  readonly #options: DatastoresOptions;
  readonly #open = new Map<string, Datastore>();
  /** Also those that could not be opened: they are remembered until they are removed. */
  #entries: readonly Entry[];
  readonly #listeners = new Set<DatastoresListener>();
  readonly #changes = new Mutex();

  private constructor(options: DatastoresOptions, entries: readonly Entry[]) {
    this.#options = options;
    this.#entries = entries;
  }

  /** Opens every remembered datastore. One whose directory is gone is reported and left out; it comes back with the next start. */
  static async open(options: DatastoresOptions): Promise<Datastores> {
    const known = options.store.get<{ datastores: readonly Entry[] }>(DOCUMENT)?.value.datastores;
    const datastores = new Datastores(options, known ?? []);
    if (!known) await datastores.#add(options.first);
    for (const entry of known ?? []) await datastores.#reopen(entry);
    return datastores;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  list(): readonly Datastore[] {
    return [...this.#open.values()];
  }

  find(name: string): Datastore | undefined {
    return this.#open.get(name);
  }

  /** Throws ManagedObjectNotFound when there is none. */
  ofRef(ref: MoRef): Datastore {
    const datastore = this.list().find((candidate) => candidate.ref.value === ref.value);
    if (!datastore) throw new MethodFault('ManagedObjectNotFound', { obj: ref });
    return datastore;
  }

  listen(listener: DatastoresListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The place that a client names: `[name] path`, `ds:///vmfs/volumes/<uuid>/path`, `/vmfs/volumes/<uuid or name>/path` or
   * the URL of the file under `/folder`. Throws InvalidDatastorePath when it is malformed, a symbolic link is on the way,
   * or no such datastore is here.
   */
  locate(text: string): Location {
    const { datastore: name, path } = parsePlace(text);
    const datastore = this.#open.get(name) ?? this.list().find(({ uuid }) => uuid === name);
    if (!datastore) throw invalidPath(text);
    datastore.absolute(path, text);
    return { datastore, path };
  }

  /** `[name] path` -> absolute path; see Datastore.resolve. */
  resolve(text: string): string {
    const { datastore, path } = this.locate(text);
    return datastore.absolute(path, text);
  }

  /** Calls `listener` whenever a datastore has more room than it had. Returns the way to stop hearing. */
  onSpace(listener: (datastore: Datastore) => void): () => void {
    const stops = new Map<Datastore, () => void>();
    const hear = (datastore: Datastore) => {
      const stop = datastore.space.onSpace(({ freeBytes }, before) => {
        if (before && freeBytes > before.freeBytes) listener(datastore);
      });
      stops.set(datastore, stop);
    };
    for (const datastore of this.list()) hear(datastore);
    const stopListening = this.listen({ added: hear, removed: (datastore) => stops.delete(datastore) });
    return () => {
      stopListening();
      for (const stop of stops.values()) stop();
    };
  }

  /** A writer met a full datastore: from now on its room is looked at every second, until there is some. */
  ranFull(absolute: string): Promise<unknown> {
    return this.#holding(absolute).space.refresh();
  }

  /** Makes an existing directory a datastore. Faults: InvalidName, DuplicateName, FileNotFound, NotADirectory. */
  add(entry: Entry): Promise<Datastore> {
    return this.#changes.run(async () => {
      this.#checkName(entry.name);
      const what = await stat(entry.root).catch((error: unknown) => {
        throw isMissing(error) ? new MethodFault('FileNotFound', { file: entry.root }) : error;
      });
      if (!what.isDirectory()) throw new MethodFault('NotADirectory', { file: entry.root });
      await this.#checkApart(entry.root);
      return this.#add(entry);
    });
  }

  /** Forgets the datastore; its files stay where they are. */
  remove(datastore: Datastore): Promise<void> {
    return this.#changes.run(async () => {
      if (this.#open.get(datastore.name) !== datastore) return;
      await this.#remember(this.#entries.filter(({ name }) => name !== datastore.name));
      this.#open.delete(datastore.name);
      datastore.space.close();
      for (const listener of this.#listeners) listener.removed?.(datastore);
    });
  }

  /** Faults: InvalidName, DuplicateName. */
  rename(datastore: Datastore, name: string): Promise<void> {
    return this.#changes.run(async () => {
      const former = datastore.name;
      if (name === former) return;
      this.#checkName(name);
      await this.#remember(this.#entries.map((entry) => (entry.name === former ? { ...entry, name } : entry)));
      this.#open.delete(former);
      datastore.rename(name);
      this.#open.set(name, datastore);
      for (const listener of this.#listeners) listener.renamed?.(datastore, former);
    });
  }

  close(): void {
    for (const datastore of this.list()) datastore.space.close();
    this.#listeners.clear();
  }

  #holding(absolute: string): Datastore {
    const found = this.list().find(({ root }) => absolute === root || absolute.startsWith(`${root}/`));
    if (!found) throw new RangeError(`on no datastore: ${absolute}`);
    return found;
  }

  async #add(entry: Entry): Promise<Datastore> {
    const { clock, random, log } = this.#options;
    const datastore = await Datastore.open({ ...entry, clock, random, log });
    const twin = this.list().find(({ root, uuid }) => uuid === datastore.uuid || root === datastore.root);
    if (twin) {
      datastore.space.close();
      throw new MethodFault('DuplicateName', { name: entry.name, object: twin.ref });
    }
    await this.#remember([...this.#entries, { name: entry.name, root: datastore.root }]);
    this.#open.set(entry.name, datastore);
    for (const listener of this.#listeners) listener.added?.(datastore);
    return datastore;
  }

  async #reopen(entry: Entry): Promise<void> {
    const { clock, random, log } = this.#options;
    try {
      await stat(entry.root); // never made anew: an empty mount point is not the datastore
      this.#open.set(entry.name, await Datastore.open({ ...entry, clock, random, log }));
    } catch (error) {
      log.error({ err: error, datastore: entry.name, root: entry.root }, 'datastore is not accessible');
    }
  }

  async #remember(entries: readonly Entry[]): Promise<void> {
    await this.#options.store.batch([{ put: DOCUMENT, value: { datastores: entries } }]);
    this.#entries = entries;
  }

  // Two names for one file would make nonsense of every lock.
  async #checkApart(root: string): Promise<void> {
    const place = await realpath(root);
    const isBelow = (inner: string, outer: string) => inner.startsWith(outer === '/' ? outer : `${outer}/`);
    const other = this.list().find((datastore) => isBelow(place, datastore.root) || isBelow(datastore.root, place));
    if (!other) return;
    const text = `${root} and datastore ${other.name} lie in each other.`;
    throw new MethodFault('PlatformConfigFault', { text }, text);
  }

  #checkName(name: string): void {
    if (!isDatastoreName(name)) throw new MethodFault('InvalidName', { name });
    const holder = this.#entries.find((entry) => entry.name === name);
    if (!holder) return;
    const object = this.#open.get(name)?.ref ?? { type: 'Datastore', value: name };
    throw new MethodFault('DuplicateName', { name, object });
  }
}

/** Names that can stand between `[` and `]`, in a URL and in a VMX: at most 42 characters, as VMFS labels. */
function isDatastoreName(name: string): boolean {
  return name.trim() === name && /^[^\p{Cc}[\]/\\"]{1,42}$/u.test(name) && name !== '.' && name !== '..';
}

function parsePlace(text: string): { readonly datastore: string; readonly path: string } {
  const place = filePlace(text);
  if (!place) throw invalidPath(text);
  return { datastore: place.datastore, path: normalizeRelative(place.path, text) };
}
