// A control group for each VMM: how much processor, memory and how many threads it may take. Version 2 where the machine has it,
// else version 1; a machine (or a user) without either gets `undefined` and the VM runs unlimited, which the caller should say.
import { constants, readFileSync } from 'node:fs';
import { access, mkdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { type Clock, delay } from '@vivarium/base';

/** What is left out is not limited. */
export interface CgroupLimits {
  /** Weight against the others when processors are short; 1024 is an ordinary process. 2 … 262144. */
  readonly cpuShares?: number;
  /** Processors that it may use at most, e.g. 1.5. */
  readonly cpuLimit?: number;
  readonly memoryBytes?: number;
  /** Threads and processes. */
  readonly tasks?: number;
}

/** Where this machine's control groups are. `folders`: the parents of our groups, a controller each in version 1. */
export type CgroupHierarchy =
  | { readonly version: 2; readonly folder: string }
  | { readonly version: 1; readonly folders: Readonly<Partial<Record<Controller, string>>> };

export interface Cgroup {
  readonly hierarchy: CgroupHierarchy;
  readonly name: string;
}

type Controller = (typeof controllers)[number];
const controllers = ['cpu', 'memory', 'pids'] as const;

const CGROUP_ROOT = '/sys/fs/cgroup';
/** Parent of all our groups. */
const PARENT = 'vivarium';
const CPU_PERIOD_US = 100_000;
const REMOVE_MS = 1_024;

/** Finds the hierarchy and makes our parent group in it; `undefined` when there is none that this process may use. */
export async function prepareCgroups(root = CGROUP_ROOT): Promise<CgroupHierarchy | undefined> {
  try {
    return (await exists(`${root}/cgroup.controllers`)) ? await prepareUnified(root) : await prepareSeparate(root);
  } catch {
    return undefined; // read-only, or not ours to change
  }
}

async function prepareUnified(root: string): Promise<CgroupHierarchy | undefined> {
  const available = (await readFile(`${root}/cgroup.controllers`, 'utf8')).trim().split(' ');
  const enable = controllers
    .filter((controller) => available.includes(controller))
    .map((controller) => `+${controller}`);
  if (enable.length === 0) return undefined;
  const folder = `${root}/${PARENT}`;
  await writeFile(`${root}/cgroup.subtree_control`, enable.join(' '));
  await ensureFolder(folder);
  await writeFile(`${folder}/cgroup.subtree_control`, enable.join(' '));
  return { version: 2, folder };
}

async function prepareSeparate(root: string): Promise<CgroupHierarchy | undefined> {
  const folders: Partial<Record<Controller, string>> = {};
  for (const controller of controllers) {
    const folder = `${root}/${controller}/${PARENT}`;
    if (!(await exists(`${root}/${controller}/cgroup.procs`))) continue;
    await ensureFolder(folder);
    await access(folder, constants.W_OK); // it may be another user's
    folders[controller] = folder;
  }
  return Object.keys(folders).length === 0 ? undefined : { version: 1, folders };
}

/** Makes the group `name` with its limits, or takes over an empty one of that name. Nothing is left of it when it fails. */
export async function createCgroup(hierarchy: CgroupHierarchy, name: string, limits: CgroupLimits): Promise<Cgroup> {
  if (!/^[A-Za-z0-9][\w.-]{0,100}$/.test(name))
    throw new RangeError(`not a name of a control group: ${JSON.stringify(name)}`);
  await using undo = new AsyncDisposableStack();
  for (const folder of groupFolders({ hierarchy, name })) {
    await ensureFolder(folder);
    undo.defer(() => rmdir(folder));
  }
  const cgroup = { hierarchy, name };
  await setCgroupLimits(cgroup, limits);
  undo.move();
  return cgroup;
}

/** The group that an earlier daemon made. */
export function findCgroup(hierarchy: CgroupHierarchy, name: string): Cgroup {
  return { hierarchy, name };
}

/** Changes limits of a group; those that are left out are lifted. */
export async function setCgroupLimits(cgroup: Cgroup, limits: CgroupLimits): Promise<void> {
  for (const { file, value } of limitFiles(cgroup, limits)) await writeFile(file, value);
}

/** The files that hold the limits, and what belongs into them. */
export function limitFiles({ hierarchy, name }: Cgroup, limits: CgroupLimits): { file: string; value: string }[] {
  const shares = Math.round(Math.min(262_144, Math.max(2, limits.cpuShares ?? 1024)));
  const quotaUs =
    limits.cpuLimit === undefined ? undefined : Math.max(1000, Math.round(limits.cpuLimit * CPU_PERIOD_US));
  const tasks = limits.tasks === undefined ? 'max' : String(limits.tasks);
  if (hierarchy.version === 2) {
    const folder = `${hierarchy.folder}/${name}`;
    return [
      // The kernel's own conversion of shares (2 … 262144) to weights (1 … 10000).
      { file: `${folder}/cpu.weight`, value: String(1 + Math.floor(((shares - 2) * 9999) / 262_142)) },
      { file: `${folder}/cpu.max`, value: `${quotaUs ?? 'max'} ${CPU_PERIOD_US}` },
      { file: `${folder}/memory.max`, value: String(limits.memoryBytes ?? 'max') },
      { file: `${folder}/pids.max`, value: tasks },
    ];
  }
  const { cpu, memory, pids } = hierarchy.folders;
  return [
    ...(cpu === undefined
      ? []
      : [
          { file: `${cpu}/${name}/cpu.shares`, value: String(shares) },
          { file: `${cpu}/${name}/cpu.cfs_period_us`, value: String(CPU_PERIOD_US) },
          { file: `${cpu}/${name}/cpu.cfs_quota_us`, value: String(quotaUs ?? -1) },
        ]),
    ...(memory === undefined
      ? []
      : [{ file: `${memory}/${name}/memory.limit_in_bytes`, value: String(limits.memoryBytes ?? -1) }]),
    ...(pids === undefined ? [] : [{ file: `${pids}/${name}/pids.max`, value: tasks }]),
  ];
}

/** Time so far that the group's threads were held back by their CPU limit, in nanoseconds; undefined where nobody counts it. */
export function readThrottledNs({ hierarchy, name }: Cgroup): number | undefined {
  const folder = hierarchy.version === 2 ? hierarchy.folder : hierarchy.folders.cpu;
  if (folder === undefined) return undefined;
  try {
    return parseThrottled(readFileSync(`${folder}/${name}/cpu.stat`, 'latin1'));
  } catch {
    return undefined; // the group is gone with its VM
  }
}

/** cpu.stat of either version: nanoseconds in version 1, microseconds in version 2. */
export function parseThrottled(stat: string): number | undefined {
  const [, unit, time] = /^throttled_(time|usec) (\d+)$/m.exec(stat) ?? [];
  return time === undefined ? undefined : Number(time) * (unit === 'usec' ? 1000 : 1);
}

/** Moves a process with all its threads into the group. */
export async function addToCgroup(cgroup: Cgroup, pid: number): Promise<void> {
  for (const folder of groupFolders(cgroup)) await writeFile(`${folder}/cgroup.procs`, String(pid));
}

/** Removes the group once its last process is gone; waits up to a second for that. No error when there is no such group. */
export async function removeCgroup(cgroup: Cgroup, clock: Clock): Promise<void> {
  for (const folder of groupFolders(cgroup)) {
    // A process that has ended leaves its group a moment later.
    for (let waitMs = 1; ; waitMs *= 2) {
      try {
        await rmdir(folder);
        break;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') break;
        if (code !== 'EBUSY' || waitMs > REMOVE_MS / 2) throw error;
        await delay(clock, waitMs);
      }
    }
  }
}

function groupFolders({ hierarchy, name }: Cgroup): string[] {
  if (hierarchy.version === 2) return [`${hierarchy.folder}/${name}`];
  return Object.values(hierarchy.folders).map((folder) => `${folder}/${name}`);
}

// Not `recursive`: that loops for ever where a file system answers ENOENT to every mkdir, as /proc does.
async function ensureFolder(path: string): Promise<void> {
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
