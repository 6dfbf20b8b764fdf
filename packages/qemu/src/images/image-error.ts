// What can go wrong with images, told apart by what the caller can do about it.
import { ToolError } from '../launch/tool.ts';

/** The operation on an image failed; the message has QEMU's words. */
export class ImageError extends Error {
  override readonly name: string = 'ImageError';
}

/** The file system has not got the room (or the quota); nothing half-made stays. */
export class NoSpaceError extends ImageError {
  override readonly name = 'NoSpaceError';
}

/** There is already a file of the new image's name; it was not touched. */
export class ImageExistsError extends ImageError {
  override readonly name = 'ImageExistsError';
}

/** The image is not what it has to be (another size, encrypted, refers to other files, damaged). */
export class ImageRefusedError extends ImageError {
  override readonly name = 'ImageRefusedError';
}

const NO_SPACE = /No space left on device|Disk quota exceeded/;

/** `subject` says what was tried, on which file. */
export function imageError(subject: string, cause: unknown): Error {
  if (cause instanceof ImageError) return cause;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const said = cause instanceof ToolError ? cause.stderr : '';
  if (code === 'ENOSPC' || code === 'EDQUOT' || NO_SPACE.test(said)) {
    return new NoSpaceError(`${subject}: no space left`, { cause });
  }
  if (code === 'EEXIST') return new ImageExistsError(`${subject}: it exists`, { cause });
  if (cause instanceof ToolError) return new ImageError(`${subject}: ${cause.message}`, { cause });
  return cause instanceof Error ? cause : new ImageError(subject, { cause });
}
