// DiskImages by QEMU's image program in its jail; see the qemu package's images.
import { chown } from 'node:fs/promises';
import {
  convertUpload,
  copyImage,
  createDisk,
  ImageExistsError,
  ImageRefusedError,
  type ImageTools,
  NoSpaceError,
  type ImageSource as QemuSource,
  resizeDisk,
  runJailed,
} from '@vivarium/qemu';
import { MethodFault } from '@vivarium/vim';
import type { DiskImages, ImageFile, ImageRun, ImageSource, Preallocation } from './disk-images.ts';

const NOBODY = 65_534;
/** A download of the largest disk takes less. */
const SERVE_LIMIT_MS = 7 * 24 * 3600 * 1000;

export class QemuDiskImages implements DiskImages {
  readonly #tools: ImageTools;

  constructor(tools: ImageTools) {
    this.#tools = tools;
  }

  create(target: ImageFile, capacityBytes: number, preallocation: Preallocation, run: ImageRun = {}): Promise<void> {
    const wanted = { path: pathOf(target), format: target.format, preallocation, sizeBytes: capacityBytes };
    return inOwnWords(() => createDisk(this.#tools, wanted, optionsOf(run)));
  }

  convert(source: ImageSource, target: ImageFile, preallocation: Preallocation, run: ImageRun = {}): Promise<void> {
    const wanted = { path: pathOf(target), format: target.format, preallocation };
    const options = optionsOf(run);
    return inOwnWords(() => {
      if (source.kind === 'chain') return copyImage(this.#tools, chainSource(source.chain), wanted, options);
      const upload = { source: uploadSource(source), capacityBytes: source.plan.capacityBytes };
      return convertUpload(this.#tools, upload, wanted, options);
    });
  }

  grow(file: ImageFile, capacityBytes: number, preallocation: Preallocation, run: ImageRun = {}): Promise<void> {
    const wanted = { path: pathOf(file), format: file.format, preallocation, sizeBytes: capacityBytes };
    return inOwnWords(() => resizeDisk(this.#tools, wanted, optionsOf(run)));
  }

  async serve(chain: readonly ImageFile[], socket: Omit<ImageFile, 'format'>, signal: AbortSignal): Promise<void> {
    const { runtime, uid = NOBODY, jail } = this.#tools;
    if (process.getuid?.() === 0) await chown(socket.folder, uid, uid);
    const inside = (name: string, host: string) => (jail === 'none' ? host : `/${name}`);
    // Files, not folders: the root of a datastore is closed to everybody but its owner.
    const files = chain.map((file, index) => ({
      host: pathOf(file),
      inside: inside(`source${index}`, pathOf(file)),
      writable: false,
    }));
    const node = chain.reduceRight<object | null>((backing, { format }, index) => {
      const file = { driver: 'file', filename: files[index]?.inside };
      return { driver: format, file, ...(format === 'qcow2' ? { backing } : {}) };
    }, null);
    const place = inside('socket', socket.folder);
    // Without force-share its locks would still be there for a moment when a VM is started; it only reads.
    const image = `json:${JSON.stringify({ ...node, 'force-share': true })}`;
    const args = ['--read-only', '--persistent', '--shared=4', `--socket=${place}/${socket.name}`, image];
    const binds = [...files, { host: socket.folder, inside: place, writable: true }];
    try {
      const program = '/usr/bin/qemu-nbd';
      const timeoutMs = SERVE_LIMIT_MS;
      await runJailed({ runtime, program, args, binds, uid, timeoutMs, signal, ...(jail ? { jail } : {}) });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** The chain in the image program's words, nearest first. Pure. */
export function chainSource(chain: readonly ImageFile[]): QemuSource {
  const source = chain.reduceRight<QemuSource | undefined>((backing, file) => {
    if (file.format === 'raw') return { driver: 'raw', file: pathOf(file) };
    return { driver: 'qcow2', file: pathOf(file), ...(backing ? { backing } : {}) };
  }, undefined);
  if (!source) throw new Error('a chain has at least one file');
  return source;
}

function uploadSource({ folder, name, plan }: Extract<ImageSource, { kind: 'upload' }>): QemuSource {
  const others = new Set(plan.extents.map(({ fileName }) => fileName).filter((fileName) => fileName !== name));
  return { driver: 'vmdk', file: `${folder}/${name}`, extents: Array.from(others, (other) => `${folder}/${other}`) };
}

function pathOf({ folder, name }: ImageFile): string {
  return `${folder}/${name}`;
}

function optionsOf({ signal, onProgress }: ImageRun) {
  return {
    ...(signal ? { signal } : {}),
    ...(onProgress ? { progress: (fraction: number) => onProgress(Math.min(99, Math.floor(fraction * 100))) } : {}),
  };
}

// What went wrong, as the caller of DiskImages expects it: an operating-system code, or a fault.
async function inOwnWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NoSpaceError) throw withCode(error, 'ENOSPC');
    if (error instanceof ImageExistsError) throw withCode(error, 'EEXIST');
    if (error instanceof ImageRefusedError) {
      throw new MethodFault('InvalidDiskFormat', {}, 'The image was refused.', { cause: error });
    }
    throw error;
  }
}

function withCode(cause: Error, code: string): Error {
  return Object.assign(new Error(cause.message, { cause }), { code });
}
