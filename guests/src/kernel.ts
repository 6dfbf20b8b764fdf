// Takes the kernel and the wanted modules out of an unpacked kernel package.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RuntimeRoot, runProgram } from '@vivarium/qemu';
import { type KernelModule, moduleName, parseKernelModule } from './kernel-module.ts';

export interface UnpackedKernel {
  readonly version: string;
  /** The bootable image (bzImage, also an EFI program). */
  readonly image: string;
}

/** `root` has the one kernel that was unpacked into it. */
export async function findKernel(root: string): Promise<UnpackedKernel> {
  const names = (await readdir(join(root, 'boot'))).filter((name) => name.startsWith('vmlinuz-'));
  const [name] = names;
  if (name === undefined || names.length > 1) throw new Error(`expected one kernel, found ${names.length}`);
  return { version: name.slice('vmlinuz-'.length), image: join(root, 'boot', name) };
}

/**
 * The named modules with everything they depend on, uncompressed (their signatures stay valid). A name that the kernel has
 * built in, or has not got, is left out; `missing` tells those.
 */
export async function collectModules(
  root: string,
  kernelVersion: string,
  names: readonly string[],
  tools: RuntimeRoot,
): Promise<{ modules: KernelModule[]; missing: string[] }> {
  const folder = join(root, 'usr/lib/modules', kernelVersion);
  const all = await readdir(folder, { recursive: true });
  const files = new Map(
    all.filter((path) => /\.ko(\.xz)?$/.test(path)).map((path) => [moduleName(path), join(folder, path)]),
  );
  const found = new Map<string, KernelModule>();
  const missing: string[] = [];
  let wanted = new Set(names.map(moduleName));
  while (wanted.size > 0) {
    const present = [...wanted].filter((name) => files.has(name));
    missing.push(...[...wanted].filter((name) => !files.has(name)));
    const paths = present.map((name) => files.get(name) ?? '');
    await decompress(
      paths.filter((path) => path.endsWith('.xz')),
      root,
      tools,
    );
    for (const path of paths) {
      const plain = path.replace(/\.xz$/, '');
      found.set(moduleName(plain), parseKernelModule(plain, await readFile(plain)));
    }
    const below = present.flatMap((name) => found.get(name)?.dependsOn ?? []);
    wanted = new Set(below.filter((name) => !found.has(name)));
  }
  const modules = [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { modules, missing };
}

async function decompress(paths: readonly string[], root: string, tools: RuntimeRoot): Promise<void> {
  if (paths.length === 0) return;
  const { file, args } = tools.command('xz', ['--decompress', '--keep', '--', ...paths], { binds: [root] });
  await runProgram(file, args);
}
