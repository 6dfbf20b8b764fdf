// What the virtual disks need of an image program. Whoever fills this in runs the program jailed, with explicit formats,
// lets it follow no name that an image carries, and sees to its rights on the files. Failures carry the operating system's
// code (ENOSPC, EEXIST) or are MethodFaults.
import type { UploadPlan } from '@vivarium/vmx';

export interface ImageFile {
  /** Absolute. */
  readonly folder: string;
  /** Plain name in the folder. */
  readonly name: string;
  readonly format: 'qcow2' | 'raw';
}

/** `off`: blocks come as they are written; `falloc`: reserved; `full`: written with zeroes. */
export type Preallocation = 'off' | 'falloc' | 'full';

export type ImageSource =
  /** A data file and what is below it, nearest first. */
  | { readonly kind: 'chain'; readonly chain: readonly ImageFile[] }
  /** A foreign VMDK that checkUpload let pass. */
  | { readonly kind: 'upload'; readonly folder: string; readonly name: string; readonly plan: UploadPlan };

export interface ImageRun {
  readonly signal?: AbortSignal | undefined;
  /** 0 to 100. */
  readonly onProgress?: ((percent: number) => void) | undefined;
}

export interface DiskImages {
  /** Makes an empty image; the file must not exist. */
  create(target: ImageFile, capacityBytes: number, preallocation: Preallocation, run?: ImageRun): Promise<void>;
  /** Copies the guest's view of `source` into a new image of the same capacity. */
  convert(source: ImageSource, target: ImageFile, preallocation: Preallocation, run?: ImageRun): Promise<void>;
  /** Enlarges an image in place. */
  grow(file: ImageFile, capacityBytes: number, preallocation: Preallocation, run?: ImageRun): Promise<void>;
  /**
   * Serves a chain read-only over NBD on a Unix socket, until `signal` is aborted: then it resolves. Rejects when the
   * server ends by itself. The program gets the socket's folder.
   */
  serve(chain: readonly ImageFile[], socket: Omit<ImageFile, 'format'>, signal: AbortSignal): Promise<void>;
}
