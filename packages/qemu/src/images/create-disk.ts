// New and larger data files.
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bindFile, type DataFormat } from './image.ts';
import { imageError, NoSpaceError } from './image-error.ts';
import { imageInfo } from './image-info.ts';
import { lendFile } from './lend-file.ts';
import { writeNewFile } from './new-file.ts';
import { COPY_MS, type ImageTools, NOBODY, qemuImg } from './qemu-img.ts';

/** off = thin; falloc = space is reserved; full = space is reserved and zeros are written (eager zeroed). */
export type Preallocation = 'off' | 'falloc' | 'full';

export interface DiskTarget {
  readonly path: string;
  readonly format: DataFormat;
  readonly preallocation?: Preallocation;
  /** As root: who gets the file; absent = root. */
  readonly ownerUid?: number;
}

/**
 * Makes an empty data file of `sizeBytes` (a multiple of 512). Errors: `ImageExistsError`; `NoSpaceError`, for preallocated
 * disks before anything is written; `ImageError`.
 */
export async function createDisk(
  tools: ImageTools,
  target: DiskTarget & { readonly sizeBytes: number },
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  requireSize(target.sizeBytes);
  try {
    if (isReserved(target.preallocation)) await requireSpace(target.path, target.sizeBytes);
    await writeNewFile(newFile(tools, target), async (temporary) => {
      const bind = bindFile(temporary, '/image/target/data', { writable: true, jail: tools.jail });
      const args = [
        'create',
        '-q',
        '-f',
        target.format,
        ...formatOptions(target),
        bind.inside,
        String(target.sizeBytes),
      ];
      await qemuImg(tools, { args, binds: [bind], timeoutMs: COPY_MS, ...options });
    });
  } catch (cause) {
    throw imageError(`create ${target.path}`, cause);
  }
}

/**
 * Makes a data file larger while no VMM uses it. What is added reads as zeros. Errors: `RangeError` when it would get
 * smaller; `NoSpaceError`; `ImageError`.
 */
export async function resizeDisk(
  tools: ImageTools,
  target: DiskTarget & { readonly sizeBytes: number },
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  requireSize(target.sizeBytes);
  const source = { driver: target.format, file: target.path };
  const { virtualSizeBytes } = await imageInfo(tools, source, options);
  if (target.sizeBytes < virtualSizeBytes)
    throw new RangeError(`${target.path} cannot shrink below ${virtualSizeBytes}`);
  if (target.sizeBytes === virtualSizeBytes) return;
  try {
    if (isReserved(target.preallocation)) await requireSpace(target.path, target.sizeBytes - virtualSizeBytes);
    await using _lent = await lendFile(target.path, tools.uid ?? NOBODY, 'write');
    const bind = bindFile(target.path, '/image/target/data', { writable: true, jail: tools.jail });
    const preallocation = `--preallocation=${target.preallocation ?? 'off'}`;
    const args = [
      'resize',
      '-q',
      preallocation,
      '--image-opts',
      imageOptions(target.format, bind.inside),
      String(target.sizeBytes),
    ];
    await qemuImg(tools, { args, binds: [bind], timeoutMs: COPY_MS, ...options });
  } catch (cause) {
    throw imageError(`resize ${target.path}`, cause);
  }
}

/** Refuses absurd sizes before a tool sees them: vSphere's largest disk has 62 TB. */
export function requireSize(sizeBytes: number): void {
  const isFit =
    Number.isSafeInteger(sizeBytes) && sizeBytes > 0 && sizeBytes % 512 === 0 && sizeBytes <= 62 * 1024 ** 4;
  if (!isFit) throw new RangeError(`not a disk size: ${sizeBytes}`);
}

/** Throws {@link NoSpaceError} when the file system of `path` has not got `bytes` free. */
export async function requireSpace(path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  if (bavail * bsize < bytes) throw new NoSpaceError(`${path}: needs ${bytes} bytes, ${bavail * bsize} are free`);
}

export function newFile(tools: ImageTools, target: DiskTarget) {
  const owner = target.ownerUid === undefined ? {} : { ownerUid: target.ownerUid };
  return { path: target.path, writerUid: tools.uid ?? NOBODY, ...owner };
}

/** `-o` of a new image. Lazy reference counts stay off: they would cost a check after every crash. */
export function formatOptions(target: DiskTarget): string[] {
  return ['-o', `preallocation=${target.preallocation ?? 'off'}`];
}

const isReserved = (preallocation: Preallocation | undefined) => preallocation === 'falloc' || preallocation === 'full';

// qemu-img resize takes no json: name together with --preallocation; in an option string a comma is written twice.
function imageOptions(format: DataFormat, path: string): string {
  const backing = format === 'qcow2' ? ',backing=' : '';
  return `driver=${format},file.driver=file,file.filename=${path.replaceAll(',', ',,')}${backing}`;
}
