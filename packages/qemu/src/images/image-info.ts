// What an image says about itself, and what it takes up.
import { stat } from 'node:fs/promises';
import { ToolError } from '../launch/tool.ts';
import { type ImageSource, jailImage, sourceFiles } from './image.ts';
import { ImageError, ImageRefusedError, imageError } from './image-error.ts';
import { lendFile } from './lend-file.ts';
import { type ImageTools, NOBODY, qemuImg, SHORT_MS } from './qemu-img.ts';

export interface ImageInfo {
  /** Size that a guest sees. */
  readonly virtualSizeBytes: number;
  /** Names of other files in the image's header, which were not opened: a backing file or an external data file. */
  readonly references: readonly string[];
  readonly isEncrypted: boolean;
  /** qcow2: metadata are known to be damaged. */
  readonly isCorrupt: boolean;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** The image may be in use by a running VMM: its locks are passed over, and what is read may be half of a change. */
  readonly isInUse?: boolean;
}

/** Errors: `ImageError` with QEMU's words when it is no image of that driver. */
export async function imageInfo(tools: ImageTools, source: ImageSource, options: ReadOptions = {}): Promise<ImageInfo> {
  const image = jailImage(source, { name: 'source', jail: tools.jail });
  const args = ['info', '--output=json', ...(options.isInUse === true ? ['-U'] : []), image.fileName];
  try {
    await using lent = new AsyncDisposableStack();
    for (const path of sourceFiles(source)) lent.use(await lendFile(path, tools.uid ?? NOBODY, 'read'));
    const run = { args, binds: image.binds, timeoutMs: SHORT_MS };
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    return parseImageInfo(JSON.parse(await qemuImg(tools, { ...run, ...signal })));
  } catch (cause) {
    throw imageError(`look at ${source.file}`, cause);
  }
}

/** The JSON of `qemu-img info`. */
export function parseImageInfo(json: unknown): ImageInfo {
  const info = record(json);
  const virtualSizeBytes = info['virtual-size'];
  if (typeof virtualSizeBytes !== 'number') throw new ImageError('qemu-img info has no virtual size');
  const specific = record(record(info['format-specific'])['data']);
  const references = [info['backing-filename'], specific['data-file']].filter((name) => typeof name === 'string');
  const isEncrypted = info['encrypted'] === true || specific['encrypt'] !== undefined;
  return { virtualSizeBytes, references, isEncrypted, isCorrupt: specific['corrupt'] === true };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Throws {@link ImageRefusedError} when a qcow2 or raw file is not a whole image of its own. */
export function requireSelfContained(path: string, info: ImageInfo): void {
  const [reference] = info.references;
  if (reference !== undefined) throw new ImageRefusedError(`${path} refers to another file: ${reference}`);
  if (info.isEncrypted) throw new ImageRefusedError(`${path} is encrypted`);
  if (info.isCorrupt) throw new ImageRefusedError(`${path} is damaged`);
}

/** Whether a guest would read the same from both. Errors: `ImageError`. */
export async function compareImages(
  tools: ImageTools,
  sources: readonly [ImageSource, ImageSource],
  options: { readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  const { jail } = tools;
  const [a, b] = [jailImage(sources[0], { name: 'a', jail }), jailImage(sources[1], { name: 'b', jail })];
  const args = ['compare', '-q', a.fileName, b.fileName];
  try {
    await using lent = new AsyncDisposableStack();
    for (const path of sources.flatMap(sourceFiles)) lent.use(await lendFile(path, tools.uid ?? NOBODY, 'read'));
    await qemuImg(tools, { args, binds: [...a.binds, ...b.binds], timeoutMs: SHORT_MS * 60, ...options });
    return true;
  } catch (cause) {
    if (cause instanceof ToolError && cause.exitCode === 1) return false; // qemu-img: 1 = they differ, 2 and up = failed
    throw imageError(`compare ${sources[0].file} and ${sources[1].file}`, cause);
  }
}

/** Bytes that a file takes from its file system: what a thin disk has used. */
export async function allocatedBytes(path: string): Promise<number> {
  return (await stat(path)).blocks * 512; // st_blocks counts 512-byte units whatever the file system's block is
}
