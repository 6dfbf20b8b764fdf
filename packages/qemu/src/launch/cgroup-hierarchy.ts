// Where this machine's control groups are, and our own folder in them. Version 2 where the machine has it, else version 1; a
// machine (or a user) without either gets `undefined` and VMMs run unlimited, which the caller should say.
import { constants } from 'node:fs';
import { access, mkdir, readFile, stat, writeFile } from 'node:fs/promises';

export const controllers = ['cpu', 'memory', 'pids'] as const;
export type Controller = (typeof controllers)[number];

/** `folders`: our own folder, one a controller in version 1. */
export type CgroupHierarchy =
  | { readonly version: 2; readonly folder: string; readonly enabled: readonly Controller[] }
  | { readonly version: 1; readonly folders: Readonly<Partial<Record<Controller, string>>> };

const CGROUP_ROOT = '/sys/fs/cgroup';
/** Parent of the groups of all hosts of this machine. */
const PARENT = 'vivarium';

/**
 * Finds the hierarchy and makes the folder of `instance` (one host of this machine) in it; `undefined` when there is none
 * that this process may use.
 */
export async function prepareCgroups(instance: string, root = CGROUP_ROOT): Promise<CgroupHierarchy | undefined> {
  if (!isGroupName(instance)) throw new RangeError(`not a name of a control group: ${JSON.stringify(instance)}`);
  try {
    return (await exists(`${root}/cgroup.controllers`))
      ? await prepareUnified(root, instance)
      : await prepareSeparate(root, instance);
  } catch {
    return undefined; // read-only, or not ours to change
  }
}

/** Names that stay where they are, and clash with none of the kernel's own files. */
export function isGroupName(name: string): boolean {
  return /^[A-Za-z0-9][\w-]{0,100}$/.test(name);
}

/** Lets the groups in `folder` have what it has. Version 2 only. */
export async function enableControllers(folder: string, enabled: readonly Controller[]): Promise<void> {
  await writeFile(`${folder}/cgroup.subtree_control`, enabled.map((controller) => `+${controller}`).join(' '));
}

// Not `recursive`: that loops for ever where a file system answers ENOENT to every mkdir, as /proc does.
export async function ensureFolder(path: string): Promise<void> {
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

async function prepareUnified(root: string, instance: string): Promise<CgroupHierarchy | undefined> {
  const available = (await readFile(`${root}/cgroup.controllers`, 'utf8')).trim().split(' ');
  const enabled = controllers.filter((controller) => available.includes(controller));
  if (enabled.length === 0) return undefined;
  await enableControllers(root, enabled);
  const folder = `${root}/${PARENT}/${instance}`;
  for (const path of [`${root}/${PARENT}`, folder]) {
    await ensureFolder(path);
    await enableControllers(path, enabled);
  }
  return { version: 2, folder, enabled };
}

async function prepareSeparate(root: string, instance: string): Promise<CgroupHierarchy | undefined> {
  const folders: Partial<Record<Controller, string>> = {};
  for (const controller of controllers) {
    if (!(await exists(`${root}/${controller}/cgroup.procs`))) continue;
    const parent = `${root}/${controller}/${PARENT}`;
    await ensureFolder(parent);
    await ensureFolder(`${parent}/${instance}`);
    await access(`${parent}/${instance}`, constants.W_OK); // it may be another user's
    folders[controller] = `${parent}/${instance}`;
  }
  return Object.keys(folders).length === 0 ? undefined : { version: 1, folders };
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
