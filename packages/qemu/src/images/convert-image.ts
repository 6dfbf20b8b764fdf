// Copies between formats: clones, uploads, exports.

import { type DiskTarget, formatOptions, newFile, requireSize, requireSpace } from './create-disk.ts';
import { bindFile, type ImageSource, jailImage, sourceFiles } from './image.ts';
import { ImageRefusedError, imageError } from './image-error.ts';
import { imageInfo, requireSelfContained } from './image-info.ts';
import { lendFile } from './lend-file.ts';
import { writeNewFile } from './new-file.ts';
import { COPY_MS, type ImageTools, NOBODY, qemuImg } from './qemu-img.ts';

export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** 0..1. */
  readonly progress?: (fraction: number) => void;
}

/**
 * Copies an image, with its backing chain, into one new data file. Zeros are left out unless the target is preallocated.
 * Errors: `ImageExistsError`, `NoSpaceError`, `ImageError`; nothing half-made stays.
 */
export async function copyImage(
  tools: ImageTools,
  source: ImageSource,
  target: DiskTarget,
  options: CopyOptions = {},
): Promise<void> {
  if (target.preallocation === 'falloc' || target.preallocation === 'full') {
    await requireSpace(target.path, (await imageInfo(tools, source, options)).virtualSizeBytes);
  }
  const format = [target.format, ...formatOptions(target)];
  await convert(tools, source, newFile(tools, target), format, options);
}

export interface UploadedImage {
  /** As the caller's parser found it: see the vmx package. The parser has to have refused what is hostile; the jail holds what it missed. */
  readonly source: ImageSource;
  /** Size of the disk that the parser read; an image that turns out to have another is refused. */
  readonly capacityBytes: number;
}

/**
 * Makes a data file out of an uploaded disk. Errors: `ImageRefusedError` when it is not what was planned, refers to other
 * files, is encrypted or damaged; else as {@link copyImage}. The uploaded files stay.
 */
export async function convertUpload(
  tools: ImageTools,
  upload: UploadedImage,
  target: DiskTarget,
  options: CopyOptions = {},
): Promise<void> {
  requireSize(upload.capacityBytes);
  const info = await imageInfo(tools, upload.source, options);
  if (upload.source.driver !== 'vmdk') requireSelfContained(upload.source.file, info);
  if (info.virtualSizeBytes !== upload.capacityBytes) {
    throw new ImageRefusedError(
      `${upload.source.file} holds ${info.virtualSizeBytes} bytes, its description says ${upload.capacityBytes}`,
    );
  }
  await copyImage(tools, upload.source, target, options);
}

/** Writes a streamOptimized VMDK, the form in which disks travel (OVF, `/nfc`). Errors: as {@link copyImage}. */
export async function exportStreamOptimized(
  tools: ImageTools,
  source: ImageSource,
  target: { readonly path: string; readonly ownerUid?: number },
  options: CopyOptions = {},
): Promise<void> {
  const format = ['vmdk', '-o', 'subformat=streamOptimized,adapter_type=lsilogic,hwversion=13'];
  await convert(tools, source, newFile(tools, { ...target, format: 'raw' }), format, options);
}

async function convert(
  tools: ImageTools,
  source: ImageSource,
  file: { readonly path: string; readonly ownerUid?: number; readonly writerUid: number },
  format: readonly string[],
  options: CopyOptions,
): Promise<void> {
  const image = jailImage(source, { name: 'source', jail: tools.jail });
  try {
    await using lent = new AsyncDisposableStack();
    for (const path of sourceFiles(source)) lent.use(await lendFile(path, tools.uid ?? NOBODY, 'read'));
    await writeNewFile(file, async (temporary) => {
      const target = bindFile(temporary, '/image/target/data', { writable: true, jail: tools.jail });
      const args = ['convert', '-p', '-O', ...format, image.fileName, target.inside];
      const binds = [...image.binds, target];
      await qemuImg(tools, { args, binds, timeoutMs: COPY_MS, ...options });
    });
  } catch (cause) {
    throw imageError(`copy ${source.file} to ${file.path}`, cause);
  }
}
