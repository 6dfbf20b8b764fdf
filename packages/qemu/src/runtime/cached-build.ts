// Things that are built once and kept in a cache folder: each is a tree that gets its name when it is whole. Any number of
// processes may ask for one at the same time, and any of them may be killed at any moment.
import { chmod, mkdir, mkdtemp, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireCacheLock } from './cache-lock.ts';
import type { Progress } from './package-archive.ts';
import { ProgramError, runProgram } from './run-program.ts';

export interface CachedBuild<T> {
  /** Holds the finished trees, the lock, and the work folders of running builds. */
  readonly folder: string;
  /** What is built, for progress texts: `the runtime`. */
  readonly subject: string;
  /** Looks for a finished one. */
  readonly find: () => Promise<T | undefined>;
  /** Fills `<work>/tree`, using `work` as it likes, and returns the name that the tree is to have. */
  readonly build: (work: string, tree: string) => Promise<string>;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

const WORK_PREFIX = '.building-';

/** Finds it, or waits for whoever is building it, or builds it. Errors are the build's own; nothing half-made stays. */
export async function ensureBuilt<T>(cached: CachedBuild<T>): Promise<T> {
  const found = await cached.find();
  if (found !== undefined) return found;
  await mkdir(cached.folder, { recursive: true, mode: 0o755 });
  await using _lock = await acquireCacheLock(join(cached.folder, '.lock'), {
    onWait: () => cached.progress?.(`waiting for another process that builds ${cached.subject}`),
    ...(cached.signal === undefined ? {} : { signal: cached.signal }),
  });
  const builtMeanwhile = await cached.find();
  if (builtMeanwhile !== undefined) return builtMeanwhile;
  await removeUnfinished(cached.folder);
  await buildAndName(cached);
  const built = await cached.find();
  if (built === undefined) throw new Error(`${cached.subject} was built but cannot be found in ${cached.folder}`);
  return built;
}

async function buildAndName(cached: CachedBuild<unknown>): Promise<void> {
  await using undo = new AsyncDisposableStack();
  const work = await mkdtemp(join(cached.folder, WORK_PREFIX));
  undo.defer(() => removeTree(work));
  const tree = join(work, 'tree');
  await mkdir(tree);
  const name = await cached.build(work, tree);
  // Jailed programs run under other uids and have to be able to read the tree.
  await runProgram('chmod', ['-R', 'a+rX,go-w', tree]);
  await runProgram('sync', ['--file-system', tree]);
  await rename(tree, join(cached.folder, name));
  await chmod(join(cached.folder, name), 0o755);
}

/** Work folders of builders that died: nobody else builds while we hold the lock. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(WORK_PREFIX)) await removeTree(join(folder, name));
  }
}

/** Never crosses into a mount, whatever somebody may have mounted there. */
async function removeTree(path: string): Promise<void> {
  try {
    await runProgram('rm', ['-rf', '--one-file-system', '--', path]);
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error; // what cannot be removed is tried again by the next build
  }
}
