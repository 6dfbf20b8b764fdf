// Makes sure that the demo guest stands in the cache.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, dateTime, type Logger } from '@vivarium/base';
import {
  ensureBuilt,
  extractPackages,
  findDebianMirror,
  makeMergedUsr,
  makeRuntimeRoot,
  openPackageArchive,
  type ProbePayload,
  type Progress,
  unpackProgramRoot,
} from '@vivarium/qemu';
import { makeDiskImage } from './disk-image.ts';
import { makeInitramfs, makeProbeInitramfs } from './initramfs.ts';
import { collectModules, findKernel } from './kernel.ts';
import { DEMO_RECIPE, PROBE_LINE } from './recipe.ts';

export interface DemoGuest {
  /** Bootable raw image (BIOS and UEFI, also Secure Boot), sparse. Never write to it: copy it. */
  readonly disk: string;
  /** For booting without the disk; then add {@link DemoGuest.kernelArguments}. */
  readonly kernel: string;
  readonly initrd: string;
  readonly kernelArguments: string;
  /** Boots in a second and prints a line: what `qualifyAccelerator` needs. */
  readonly probe: ProbePayload;
  /** Name of the build, e.g. `demo-0123456789ab`. */
  readonly version: string;
}

export interface EnsureDemoGuestOptions {
  /** The same as for `ensureRuntime`; the guest comes to lie at `<cacheDir>/guests/<version>`. */
  readonly cacheDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

const OVERLAY = join(import.meta.dirname, '../demo/root');
const STAMP_FILE = 'guest.json';

/**
 * The demo guest of this recipe in the cache; builds it when it is not there (about 130 MB of packages from the machine's
 * own Debian mirror, as root or as an ordinary user). Errors: as of `ensureRuntime`.
 */
export async function ensureDemoGuest(options: EnsureDemoGuestOptions): Promise<DemoGuest> {
  const started = options.clock.monotonic();
  const version = `demo-${await recipeHash()}`;
  const folder = join(options.cacheDir, 'guests');
  return ensureBuilt({
    folder,
    subject: 'the demo guest',
    find: () => findDemoGuest(options.cacheDir),
    build: async (work, tree) => {
      await buildDemoGuest(work, tree, options);
      options.log.info({ version, seconds: (options.clock.monotonic() - started) / 1000 }, 'built the demo guest');
      return version;
    },
    ...(options.progress === undefined ? {} : { progress: options.progress }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** The demo guest of this recipe in the cache, without building it. */
export async function findDemoGuest(cacheDir: string): Promise<DemoGuest | undefined> {
  const version = `demo-${await recipeHash()}`;
  return openDemoGuest(join(cacheDir, 'guests', version), version);
}

async function openDemoGuest(path: string, version: string): Promise<DemoGuest | undefined> {
  const stamp = await readFile(join(path, STAMP_FILE)).catch(() => undefined);
  if (stamp === undefined) return undefined;
  const file = (name: string) => join(path, name);
  const kernelArguments = DEMO_RECIPE.kernelArguments;
  const kernel = file('vmlinuz');
  const probe = { kernel, initrd: file('probe.img'), line: PROBE_LINE };
  return { disk: file('disk.raw'), kernel, initrd: file('initrd.img'), kernelArguments, probe, version };
}

async function buildDemoGuest(work: string, tree: string, options: EnsureDemoGuestOptions): Promise<void> {
  const part = (from: number, share: number) => ({
    progress: (text: string, fraction = 0) => options.progress?.(text, from + fraction * share),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const mirror = await findDebianMirror();
  await using archive = await openPackageArchive({ folder: work, mirror, ...part(0, 0.1) });
  const stable = { prefer: 'stable' } as const;
  const plan = await archive.planClosure([DEMO_RECIPE.kernel], stable);
  const kernels = plan.filter(({ name }) => /^linux-image-\d/.test(name)).map(({ name }) => name);
  const kernelPackages = await archive.fetchOnly(kernels, { ...stable, ...part(0.1, 0.4) });
  const loaderPackages = await archive.fetchOnly(DEMO_RECIPE.loaders, { ...stable, ...part(0.5, 0.05) });
  const userlandPackages = await archive.fetchClosure(DEMO_RECIPE.userland, { ...stable, ...part(0.55, 0.05) });

  const toolPackages = await archive.fetchClosure(DEMO_RECIPE.tools, stable);

  const folder = (name: string) => join(work, name);
  const roots = {
    kernel: folder('kernel'),
    loaders: folder('loaders'),
    userland: folder('userland'),
    tools: folder('tools'),
  };
  for (const root of [roots.kernel, roots.loaders, roots.userland]) {
    await mkdir(root);
    await makeMergedUsr(root);
  }
  await extractPackages(kernelPackages, roots.kernel, { exclude: UNUSED_DRIVERS, ...part(0.6, 0.1) });
  await extractPackages(loaderPackages, roots.loaders, part(0.7, 0.02));
  await extractPackages(userlandPackages, roots.userland, part(0.72, 0.03));
  await unpackProgramRoot(toolPackages, roots.tools, part(0.75, 0.03));
  const tools = makeRuntimeRoot(roots.tools, '');

  options.progress?.('putting the demo guest together', 0.8);
  const kernel = await findKernel(roots.kernel);
  const { modules, missing } = await collectModules(roots.kernel, kernel.version, DEMO_RECIPE.modules, tools);
  if (missing.length > 0) options.log.debug({ missing }, 'kernel modules that are built in or not there');
  const initramfs = await makeInitramfs({
    userland: roots.userland,
    programs: DEMO_RECIPE.programs,
    kernelVersion: kernel.version,
    modules,
    overlay: OVERLAY,
  });
  const files = { kernel: join(tree, 'vmlinuz'), initrd: join(tree, 'initrd.img') };
  await copyFile(kernel.image, files.kernel);
  await writeFile(files.initrd, initramfs);
  await writeFile(
    join(tree, 'probe.img'),
    await makeProbeInitramfs(join(roots.userland, 'usr/bin/busybox'), PROBE_LINE),
  );
  options.progress?.('writing the demo guest to its disk', 0.9);
  const { kernelArguments, bootPartitionMiB, dataPartitionMiB } = DEMO_RECIPE;
  const content = { ...files, kernelArguments, loaders: roots.loaders, bootPartitionMiB, dataPartitionMiB };
  await makeDiskImage(join(tree, 'disk.raw'), work, content, tools);
  const packages = [...kernelPackages, ...loaderPackages, ...userlandPackages].map((item) => [item.name, item.version]);
  const stamp = { kernel: kernel.version, built: dateTime(options.clock), packages: Object.fromEntries(packages) };
  await writeFile(join(tree, STAMP_FILE), `${JSON.stringify(stamp, null, 2)}\n`);
}

/** Large folders of modules that no virtual machine needs. */
const UNUSED_DRIVERS = ['gpu', 'media', 'net/wireless', 'net/ethernet/mellanox', 'infiniband', 'staging', 'iio', 'isdn']
  .map((name) => `./usr/lib/modules/*/kernel/drivers/${name}/*`)
  .concat('./usr/lib/modules/*/kernel/sound/*', './usr/share/doc/*', './boot/System.map-*');

/** Over everything of ours that decides what comes out. Newer packages alone do not make a new guest. */
async function recipeHash(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(DEMO_RECIPE));
  const paths = (await readdir(OVERLAY, { recursive: true, withFileTypes: true }))
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name))
    .sort((a, b) => (a < b ? -1 : 1));
  for (const path of paths)
    hash
      .update(path.slice(OVERLAY.length))
      .update('\0')
      .update(await readFile(path))
      .update('\0');
  return hash.digest('hex').slice(0, 12);
}
