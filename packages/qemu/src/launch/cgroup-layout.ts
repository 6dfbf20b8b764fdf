// A tree of control groups as folders and files: where each group is, and what is written into it. Pure.
//
// Version 2 has one folder a group. Version 1 has one a controller, and only the processor's mirrors the tree: memory numbers
// are a machine's own in both versions (nothing is limited by a pool's group), and memory that was charged once does not
// follow a process into another group, so a machine keeps its memory group wherever it goes.
import { type CgroupHierarchy, isGroupName } from './cgroup-hierarchy.ts';

/** What is left out is not limited. */
export interface GroupLimits {
  /** Weight against the groups beside it when processors are short; 1024 is an ordinary process. 2 … 262144. */
  readonly cpuShares?: number;
  /** Processors that it may use at most, e.g. 1.5. Less than that of every group around it: version 1 refuses more. */
  readonly cpuLimit?: number;
  /** Memory that is taken from others first. */
  readonly guaranteedBytes?: number;
  /** Memory above which it has to give back (and is never killed for it). Version 2 only. */
  readonly ceilingBytes?: number;
  /** Threads and processes. */
  readonly tasks?: number;
}

export interface Group {
  /** Of its own in the whole tree. */
  readonly name: string;
  /** Name of the group around it; absent = it is at the top. */
  readonly parent?: string;
  readonly holds: 'groups' | 'processes';
  readonly limits: GroupLimits;
}

export interface GroupFolder {
  readonly path: string;
  /** The group that it belongs to. */
  readonly name: string;
  readonly holds: Group['holds'];
  /** What belongs into its files, by file name. */
  readonly values: Readonly<Record<string, string>>;
}

export const CPU_PERIOD_US = 100_000;
const MIN_QUOTA_US = 1000;

/** What the kernel has in the files of a new group. */
export const kernelDefaults: Readonly<Record<string, string>> = {
  'cpu.shares': '1024',
  'cpu.cfs_quota_us': '-1',
  'cpu.weight': '100',
  'cpu.max': `max ${CPU_PERIOD_US}`,
  'memory.min': '0',
  'memory.high': 'max',
  'pids.max': 'max',
};

/** Names of all files that are written. */
export const groupFiles: readonly string[] = [...Object.keys(kernelDefaults), 'memory.soft_limit_in_bytes'];

/** What differs between two trees. */
export interface LayoutChange {
  /** Folders of groups that are new, or elsewhere, or limited otherwise; parents first. */
  readonly changed: readonly GroupFolder[];
  /** Paths of folders that belong to no group any more. */
  readonly left: readonly string[];
}

interface Placed {
  readonly group: Group;
  /** Below the root, with a `/` in front. */
  readonly path: string;
  readonly folders: readonly GroupFolder[];
}

/** A tree as folders, from one change to the next: what has not changed is not worked out again. */
export class Layout {
  readonly #hierarchy: CgroupHierarchy;
  #placed: ReadonlyMap<string, Placed> = new Map();

  constructor(hierarchy: CgroupHierarchy) {
    this.#hierarchy = hierarchy;
  }

  foldersOf(name: string): readonly GroupFolder[] {
    return this.#placed.get(name)?.folders ?? [];
  }

  /**
   * The tree is `groups` now, parents first. Those in `again` count as changed. Throws RangeError for a name that is none, or
   * whose parent does not come before it.
   */
  update(groups: readonly Group[], again: ReadonlySet<string> = new Set()): LayoutChange {
    const before = this.#placed;
    const placed = new Map<string, Placed>();
    const changed: GroupFolder[] = [];
    const left: string[] = [];
    for (const group of groups) {
      const { name, parent } = group;
      const above = parent === undefined ? '' : placed.get(parent)?.path;
      if (above === undefined || placed.has(name)) throw misplaced(group);
      const former = before.get(name);
      const path = `${above}/${name}`;
      const isPlaced = former?.path === path && former.group.holds === group.holds;
      if (isPlaced && sameLimits(former.group.limits, group.limits) && !again.has(name)) {
        placed.set(name, former);
        continue;
      }
      if (!isGroupName(name)) throw misplaced(group);
      const folders = layOutGroup(this.#hierarchy, path, group);
      placed.set(name, { group, path, folders });
      changed.push(...folders);
      left.push(...leftBehind(former?.folders ?? [], folders));
    }
    for (const [name, { folders }] of before) if (!placed.has(name)) left.push(...folders.map(({ path }) => path));
    this.#placed = placed;
    return { changed, left };
  }
}

function leftBehind(before: readonly GroupFolder[], now: readonly GroupFolder[]): string[] {
  return before.map(({ path }) => path).filter((path) => !now.some((folder) => folder.path === path));
}

function misplaced({ name, parent }: Group): RangeError {
  return new RangeError(`not a place for a control group: ${JSON.stringify({ name, parent })}`);
}

function sameLimits(a: GroupLimits, b: GroupLimits): boolean {
  return (
    a === b ||
    (a.cpuShares === b.cpuShares &&
      a.cpuLimit === b.cpuLimit &&
      a.guaranteedBytes === b.guaranteedBytes &&
      a.ceilingBytes === b.ceilingBytes &&
      a.tasks === b.tasks)
  );
}

function layOutGroup(hierarchy: CgroupHierarchy, path: string, { name, holds, limits }: Group): GroupFolder[] {
  return foldersOf(hierarchy, path, name, holds).map(({ folder, controllers }) => ({
    path: folder,
    name,
    holds,
    values: valuesOf(hierarchy.version, controllers, limits),
  }));
}

function foldersOf(
  hierarchy: CgroupHierarchy,
  path: string,
  name: string,
  holds: Group['holds'],
): { readonly folder: string; readonly controllers: readonly string[] }[] {
  if (hierarchy.version === 2) return [{ folder: `${hierarchy.folder}${path}`, controllers: hierarchy.enabled }];
  const { cpu, memory, pids } = hierarchy.folders;
  const flat = (controller: string, root: string | undefined) =>
    root === undefined || holds === 'groups' ? [] : [{ folder: `${root}/${name}`, controllers: [controller] }];
  return [
    ...(cpu === undefined ? [] : [{ folder: `${cpu}${path}`, controllers: ['cpu'] }]),
    ...flat('memory', memory),
    ...flat('pids', pids),
  ];
}

function valuesOf(version: 1 | 2, controllers: readonly string[], limits: GroupLimits): Record<string, string> {
  const has = (controller: string) => controllers.includes(controller);
  const shares = Math.round(Math.min(262_144, Math.max(2, limits.cpuShares ?? 1024)));
  const quotaUs =
    limits.cpuLimit === undefined ? undefined : Math.max(MIN_QUOTA_US, Math.round(limits.cpuLimit * CPU_PERIOD_US));
  const bytes = (value: number) => String(Math.ceil(value / 4096) * 4096);
  const guaranteed = bytes(limits.guaranteedBytes ?? 0);
  const tasks = limits.tasks === undefined ? 'max' : String(limits.tasks);
  return {
    ...(has('cpu') && version === 1 ? { 'cpu.shares': String(shares), 'cpu.cfs_quota_us': String(quotaUs ?? -1) } : {}),
    // The kernel's own conversion of shares (2 … 262144) to weights (1 … 10000).
    ...(has('cpu') && version === 2
      ? {
          'cpu.weight': String(1 + Math.floor(((shares - 2) * 9999) / 262_142)),
          'cpu.max': `${quotaUs ?? 'max'} ${CPU_PERIOD_US}`,
        }
      : {}),
    ...(has('memory') && version === 1 ? { 'memory.soft_limit_in_bytes': guaranteed } : {}),
    ...(has('memory') && version === 2
      ? {
          'memory.min': guaranteed,
          'memory.high': limits.ceilingBytes === undefined ? 'max' : bytes(limits.ceilingBytes),
        }
      : {}),
    ...(has('pids') ? { 'pids.max': tasks } : {}),
  };
}
