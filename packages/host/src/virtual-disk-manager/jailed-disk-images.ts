// DiskImages by qemu-img in the image jail: explicit formats only, no backing file but the ones named here, no network.
// The progress of a copy is told from the room that the new file takes.
import { stat } from 'node:fs/promises';
import type { Clock } from '@vivarium/base';
import { type Bind, runJailed, ToolError } from '@vivarium/qemu';
import type { DiskImages, ImageFile, ImageRun, ImageSource, Preallocation } from './disk-images.ts';

/** A copy of 62 TB at 100 MB/s takes a week; a hang is noticed by people. */
const COPY_LIMIT_MS = 7 * 24 * 3600 * 1000;
const QUICK_LIMIT_MS = 60_000;
const PROGRESS_MS = 1_000;
/** Names of the folders in the jail. */
const TARGET = '/target';

export interface JailedImagesOptions {
  readonly runtime: { readonly path: string };
  readonly clock: Clock;
  /** The unprivileged user of the image jail; undefined when this daemon is not root. */
  readonly uid: number | undefined;
}

export class JailedDiskImages implements DiskImages {
  readonly uid: number | undefined;
  readonly #options: JailedImagesOptions;

  constructor(options: JailedImagesOptions) {
    this.uid = options.uid;
    this.#options = options;
  }

  async create(
    target: ImageFile,
    capacityBytes: number,
    preallocation: Preallocation,
    run: ImageRun = {},
  ): Promise<void> {
    const options = ['-o', `preallocation=${preallocation}`];
    const args = ['create', '-q', '-f', target.format, ...options, `${TARGET}/${target.name}`, `${capacityBytes}`];
    await this.#run(args, [targetBind(target)], run, preallocation === 'full' ? COPY_LIMIT_MS : QUICK_LIMIT_MS);
  }

  async convert(
    source: ImageSource,
    target: ImageFile,
    preallocation: Preallocation,
    run: ImageRun = {},
  ): Promise<void> {
    const { node, binds } = sourceNode(source);
    const [from, to] = [`json:${JSON.stringify(node)}`, `${TARGET}/${target.name}`];
    const args = ['convert', '-O', target.format, '-o', `preallocation=${preallocation}`, from, to];
    using _watch = await this.#watch(source, target, run);
    await this.#run(args, [...binds, targetBind(target)], run, COPY_LIMIT_MS);
  }

  async grow(file: ImageFile, capacityBytes: number, preallocation: Preallocation, run: ImageRun = {}): Promise<void> {
    const options = preallocation === 'off' ? [] : [`--preallocation=${preallocation}`];
    const args = ['resize', '-q', '-f', file.format, ...options, `${TARGET}/${file.name}`, `${capacityBytes}`];
    await this.#run(args, [targetBind(file)], run, preallocation === 'full' ? COPY_LIMIT_MS : QUICK_LIMIT_MS);
  }

  async #run(args: readonly string[], binds: readonly Bind[], run: ImageRun, timeoutMs: number): Promise<void> {
    const { runtime } = this.#options;
    const { signal } = run;
    const uid = this.uid === undefined ? {} : { uid: this.uid };
    try {
      const program = '/usr/bin/qemu-img';
      await runJailed({ runtime, program, args, binds, timeoutMs, ...uid, ...(signal ? { signal } : {}) });
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      const code = /No space left on device|Disk quota exceeded/.test(error.stderr) ? 'ENOSPC' : undefined;
      throw code ? Object.assign(new Error(error.message, { cause: error }), { code }) : error;
    }
  }

  async #watch(source: ImageSource, target: ImageFile, { onProgress }: ImageRun): Promise<Disposable> {
    const expected = onProgress ? await takenBytes(source) : 0;
    if (!onProgress || expected === 0) return { [Symbol.dispose]: () => undefined };
    const path = `${target.folder}/${target.name}`;
    const look = () =>
      this.#options.clock.setTimer(PROGRESS_MS, () => {
        stat(path)
          .then(({ blocks }) => onProgress(Math.min(99, Math.floor((blocks * 512 * 100) / expected))))
          .catch(() => undefined) // not made yet, or placed already
          .finally(() => {
            if (!isOver) timer = look();
          });
      });
    let isOver = false;
    let timer = look();
    return {
      [Symbol.dispose]: () => {
        isOver = true;
        timer.cancel();
      },
    };
  }
}

function targetBind({ folder }: ImageFile): Bind {
  return { host: folder, inside: TARGET, writable: true };
}

/** The block node that reads a source, as a `json:` file name, and the folders that it needs. Pure. */
export function sourceNode(source: ImageSource): { readonly node: object; readonly binds: readonly Bind[] } {
  if (source.kind === 'upload') {
    const file = { driver: 'file', filename: `/source0/${source.name}` };
    return { node: { driver: 'vmdk', file }, binds: [{ host: source.folder, inside: '/source0', writable: false }] };
  }
  const binds = source.chain.map(({ folder }, index) => ({ host: folder, inside: `/source${index}`, writable: false }));
  const node = source.chain.reduceRight<object | null>((below, { name, format }, index) => {
    const file = { driver: 'file', filename: `/source${index}/${name}` };
    // `backing: null` keeps qemu-img from following the name that the file itself carries.
    return { driver: format, file, ...(format === 'qcow2' ? { backing: below } : {}) };
  }, null);
  if (!node) throw new Error('a chain has at least one file');
  return { node, binds };
}

async function takenBytes(source: ImageSource): Promise<number> {
  const files =
    source.kind === 'chain'
      ? source.chain
      : source.plan.extents.map(({ fileName }) => ({ folder: source.folder, name: fileName }));
  const sizes = await Promise.all(
    files.map(async ({ folder, name }) => (await stat(`${folder}/${name}`)).blocks * 512),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
