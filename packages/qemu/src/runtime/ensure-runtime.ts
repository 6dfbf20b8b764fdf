// Makes sure that a runtime root stands in the cache.
import { readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, dateTime, type Logger } from '@vivarium/base';
import { ensureBuilt } from './cached-build.ts';
import { type DebianPackage, findDebianMirror, openPackageArchive, type Progress } from './package-archive.ts';
import { unpackProgramRoot } from './program-root.ts';
import { RUNTIME_RECIPE, recipeHash, runtimeName } from './recipe.ts';
import { runProgram } from './run-program.ts';
import { makeRuntimeRoot, openRuntimeRoot, type RuntimeRoot, type RuntimeStamp, STAMP_FILE } from './runtime-root.ts';

export interface EnsureRuntimeOptions {
  /** e.g. /var/cache/vivarium or ~/.cache/vivarium. The root comes to lie at `<cacheDir>/runtime/<name>`. */
  readonly cacheDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** The oldest QEMU that everything here is made for: COLO works from 11 on. */
const OLDEST_QEMU_MAJOR = 11;

/**
 * The newest root in the cache that this recipe made; builds one when there is none (about 65 MB of packages from the
 * machine's own Debian mirror, as root or as an ordinary user). Errors: `NoDebianMirrorError`; `ProgramError` with the
 * words of apt or tar, e.g. when the mirror cannot be reached or the disk is full; nothing half-made stays.
 */
export function ensureRuntime(options: EnsureRuntimeOptions): Promise<RuntimeRoot> {
  const started = options.clock.monotonic();
  return ensureBuilt({
    folder: join(options.cacheDir, 'runtime'),
    subject: 'the VMM runtime',
    find: () => findRuntime(options.cacheDir),
    build: async (work, tree) => {
      const name = await buildRuntime(work, tree, options);
      options.log.info({ name, seconds: (options.clock.monotonic() - started) / 1000 }, 'built a VMM runtime');
      return name;
    },
    ...(options.progress === undefined ? {} : { progress: options.progress }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** The newest whole root of this recipe in the cache, without building one. */
export async function findRuntime(cacheDir: string): Promise<RuntimeRoot | undefined> {
  const folder = join(cacheDir, 'runtime');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith('qemu-'));
  const roots = await Promise.all(names.map((name) => openRuntimeRoot(join(folder, name))));
  return roots
    .filter((root) => root?.stamp.recipe === recipeHash(RUNTIME_RECIPE))
    .sort((a, b) => (b?.stamp.built ?? '').localeCompare(a?.stamp.built ?? ''))[0];
}

async function buildRuntime(work: string, tree: string, options: EnsureRuntimeOptions): Promise<string> {
  const part = (from: number, share: number) => ({
    progress: (text: string, fraction = 0) => options.progress?.(text, from + fraction * share),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const mirror = await findDebianMirror();
  await using archive = await openPackageArchive({ folder: work, mirror, ...part(0, 0.15) });
  const packages = await archive.fetchClosure(RUNTIME_RECIPE.packages, part(0.15, 0.45));
  const kept = packages.filter(({ name }) => !RUNTIME_RECIPE.leftOut.includes(name));
  await unpackProgramRoot(kept, tree, { exclude: RUNTIME_RECIPE.exclude, ...part(0.6, 0.35) });
  await makeLinks(tree, RUNTIME_RECIPE.links);
  const version = await qemuVersion(tree);
  const name = runtimeName(RUNTIME_RECIPE, packages, version);
  await writeFile(join(tree, STAMP_FILE), formatStamp(name, version, packages, options.clock));
  options.progress?.('writing the runtime to disk', 0.97);
  return name;
}

async function makeLinks(tree: string, links: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, target] of Object.entries(links)) {
    await symlink(target, join(tree, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Runs the QEMU that was unpacked: proof that it starts, and the version that it says. */
async function qemuVersion(tree: string): Promise<string> {
  const { file, args } = makeRuntimeRoot(tree, '').direct('qemu-system-x86_64', ['--version']);
  const { stdout } = await runProgram(file, args);
  const version = /version (\d+)\.(\d+\.\d+)/.exec(stdout.toString());
  if (version === null || Number(version[1]) < OLDEST_QEMU_MAJOR) {
    throw new Error(`the mirror's QEMU is too old: ${stdout.toString().split('\n')[0] ?? ''}`);
  }
  return `${version[1]}.${version[2]}`;
}

function formatStamp(name: string, version: string, packages: readonly DebianPackage[], clock: Clock): string {
  const stamp: RuntimeStamp = {
    recipe: recipeHash(RUNTIME_RECIPE),
    name,
    qemuVersion: version,
    built: dateTime(clock),
    packages: Object.fromEntries(packages.map((item) => [item.name, item.version])),
  };
  return `${JSON.stringify(stamp, null, 2)}\n`;
}
