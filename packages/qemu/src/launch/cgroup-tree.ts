// The control groups of one host on this machine, kept as they are wanted: makes, changes and removes groups, and moves
// processes that are in the wrong one. It looks at what is there, so it also mends what an earlier daemon left.
// Knows nothing of what the groups stand for.
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { type Clock, type Logger, Mutex, type Timer } from '@vivarium/base';
import { type CgroupHierarchy, enableControllers } from './cgroup-hierarchy.ts';
import { type Group, type GroupFolder, groupFiles, Layout } from './cgroup-layout.ts';
import { readThrottledNs } from './cgroup-stat.ts';
import { freshValues, planWrites } from './cgroup-steps.ts';

/** A folder that is in use is tried again after 1, 2, 4 … ms up to this; after that with the next change. */
const MAX_RETRY_MS = 512;

export class CgroupTree {
  readonly #hierarchy: CgroupHierarchy;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #mutex = new Mutex();
  readonly #layout: Layout;
  /** Folders that are there, and wanted. */
  readonly #present = new Set<string>();
  /** Folders that are there and belong to no group: they go when nothing is in them any more. */
  readonly #stale = new Set<string>();
  /** What is in the files. */
  readonly #known = new Map<string, string>();
  /** Groups of which something could not be done: tried again with the next change. */
  readonly #failed = new Set<string>();
  #wanted: readonly Group[] = [];
  #next: Promise<void> | undefined;
  #retry: Timer | undefined;

  private constructor(hierarchy: CgroupHierarchy, options: { readonly clock: Clock; readonly log: Logger }) {
    this.#hierarchy = hierarchy;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#layout = new Layout(hierarchy);
  }

  /** Looks at what is there already; changes nothing. */
  static async open(
    hierarchy: CgroupHierarchy,
    options: { readonly clock: Clock; readonly log: Logger },
  ): Promise<CgroupTree> {
    const tree = new CgroupTree(hierarchy, options);
    for (const root of tree.#roots) await tree.#look(root);
    return tree;
  }

  /**
   * Makes the tree be `groups`, parents before children; resolves when it is, but for emptied groups that the kernel still
   * holds. A later call overtakes one that has not begun. What fails is logged, and tried again with the next change.
   */
  apply(groups: readonly Group[]): Promise<void> {
    this.#wanted = groups;
    this.#next ??= this.#mutex.run(async () => {
      this.#next = undefined;
      await this.#make(this.#wanted);
    });
    return this.#next;
  }

  /** Moves a process with all its threads into a group that was applied. */
  enter(name: string, pid: number): Promise<void> {
    return this.#mutex.run(async () => {
      const homes = this.#layout.foldersOf(name).filter(({ holds }) => holds === 'processes');
      if (homes.length === 0) throw new RangeError(`no control group ${name}`);
      for (const { path } of homes) await writeFile(`${path}/cgroup.procs`, String(pid));
    });
  }

  /** Nanoseconds so far that a group was held back by its own limit of processors; `undefined` where nobody counts it. */
  throttledNs(name: string): number | undefined {
    const home = this.#layout.foldersOf(name).find(hasProcessors);
    return home && readThrottledNs(home.path);
  }

  /** Removes all of it, if nothing is in it. */
  async close(): Promise<void> {
    await this.apply([]);
    for (let waitMs = 1; this.#stale.size > 0 && waitMs <= MAX_RETRY_MS; waitMs *= 2) {
      await new Promise<void>((resolve) => this.#clock.setTimer(waitMs, resolve));
      await this.#mutex.run(() => this.#sweep());
    }
    this.#retry?.cancel();
    for (const root of this.#roots) await rmdir(root).catch(() => undefined);
  }

  get #roots(): readonly string[] {
    return this.#hierarchy.version === 2 ? [this.#hierarchy.folder] : Object.values(this.#hierarchy.folders);
  }

  async #look(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const path = `${folder}/${entry.name}`;
      this.#stale.add(path); // until somebody wants it
      const quota = await readFile(`${path}/cpu.cfs_quota_us`, 'utf8').catch(() => undefined);
      if (quota !== undefined) this.#known.set(`${path}/cpu.cfs_quota_us`, quota.trim());
      await this.#look(path);
    }
  }

  async #make(groups: readonly Group[]): Promise<void> {
    const { changed, left } = this.#layout.update(groups, this.#failed);
    this.#failed.clear();
    for (const folder of changed) await this.#attempt(folder, () => this.#ensure(folder));
    for (const path of left) {
      this.#present.delete(path);
      this.#stale.add(path);
    }
    // A folder that goes must not stand in the way of a smaller quota around it.
    for (const path of this.#stale) {
      const file = `${path}/cpu.cfs_quota_us`;
      if ((this.#known.get(file) ?? '-1') !== '-1') await this.#write({ path }, file, '-1');
    }
    for (const write of planWrites(changed, this.#known)) await this.#write(write.folder, write.file, write.value);
    for (const from of this.#stale) await this.#moveHome(from);
    await this.#sweep();
  }

  async #ensure({ path, holds }: GroupFolder): Promise<void> {
    this.#stale.delete(path);
    if (this.#present.has(path)) return;
    const isNew = await mkdir(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        return false;
      },
    );
    this.#present.add(path);
    if (isNew) for (const [file, value] of freshValues(path)) this.#known.set(file, value);
    if (this.#hierarchy.version === 2 && holds === 'groups') await enableControllers(path, this.#hierarchy.enabled);
  }

  async #write(folder: { readonly path: string; readonly name?: string }, file: string, value: string): Promise<void> {
    await this.#attempt({ ...folder, path: file }, async () => {
      this.#known.delete(file);
      await writeFile(file, value);
      this.#known.set(file, value);
    });
  }

  /** Processes of a group that is elsewhere now. */
  async #moveHome(from: string): Promise<void> {
    const root = this.#roots.find((candidate) => from.startsWith(`${candidate}/`)) ?? '';
    const homes = this.#layout.foldersOf(from.slice(from.lastIndexOf('/') + 1));
    const home = homes.find(({ path, holds }) => holds === 'processes' && path.startsWith(`${root}/`));
    if (home) await this.#attempt(home, () => moveProcesses(from, home.path));
  }

  async #attempt(subject: { readonly path: string; readonly name?: string }, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (subject.name !== undefined) this.#failed.add(subject.name);
      this.#log.error({ path: subject.path, err: error }, 'a control group is not as it should be');
    }
  }

  // A process that has ended leaves its group a moment later.
  async #sweep(waitMs = 1): Promise<void> {
    this.#retry?.cancel();
    this.#retry = undefined;
    const deepestFirst = [...this.#stale].sort((a, b) => b.length - a.length);
    for (const path of deepestFirst) {
      const isGone = await rmdir(path).then(
        () => true,
        (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
      );
      if (!isGone) continue;
      this.#stale.delete(path);
      for (const file of groupFiles) this.#known.delete(`${path}/${file}`);
    }
    if (this.#stale.size === 0 || waitMs > MAX_RETRY_MS) return;
    this.#retry = this.#clock.setTimer(waitMs, () => void this.#mutex.run(() => this.#sweep(waitMs * 2)));
  }
}

function hasProcessors({ values }: GroupFolder): boolean {
  return 'cpu.shares' in values || 'cpu.weight' in values;
}

async function moveProcesses(from: string, to: string): Promise<void> {
  const pids = (await readFile(`${from}/cgroup.procs`, 'utf8')).split('\n').filter(Boolean);
  for (const pid of pids) {
    await writeFile(`${to}/cgroup.procs`, pid).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ESRCH') throw error; // it has ended
    });
  }
}
