// What the operating system says about a file, in vSphere's words. Pure.
import { MethodFault } from '@vivarium/vim';

/** The file that an operation was about. */
export interface FileSubject {
  /** Datastore path as the client knows it. */
  readonly file: string;
  /** Name of the datastore that it is on. */
  readonly datastore: string;
}

/** The MethodFault for a failed file operation; anything that is not an operating-system error comes back unchanged. */
export function fileFault(error: unknown, { file, datastore }: FileSubject): unknown {
  if (!(error instanceof Error) || error instanceof MethodFault || !('code' in error)) return error;
  switch (error.code) {
    case 'ENOENT':
      return new MethodFault('FileNotFound', { file });
    case 'EEXIST':
      return new MethodFault('FileAlreadyExists', { file });
    case 'ENOSPC':
    case 'EDQUOT':
      return new MethodFault('NoDiskSpace', { file, datastore });
    case 'ENOTDIR':
      return new MethodFault('NotADirectory', { file });
    case 'EISDIR':
    case 'ENOTREG':
      return new MethodFault('NotAFile', { file });
    case 'ENOTEMPTY':
      return new MethodFault('DirectoryNotEmpty', { file });
    case 'ENAMETOOLONG':
      return new MethodFault('FileNameTooLong', { file });
    case 'EFBIG':
      return new MethodFault('FileTooLarge', { file, datastore, fileSize: 0 });
    case 'EBUSY':
    case 'ETXTBSY':
      return new MethodFault('FileLocked', { file });
    case 'EROFS':
      return new MethodFault('FileNotWritable', { file });
    case 'ELOOP': // a symbolic link, which a datastore does not have
    case 'ENXIO': // a socket, or a pipe without a reader
    case 'EACCES':
    case 'EPERM':
    case 'EIO':
    case 'ESTALE':
      return new MethodFault('CannotAccessFile', { file });
    default:
      return error;
  }
}

/** Runs `operation`; what the operating system refuses is thrown as the MethodFault about `subject`. */
export async function withFileFaults<T>(subject: FileSubject, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw fileFault(error, subject);
  }
}

/** Whether an error says that a file or a folder on the way is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Whether an error says that there is no room. */
export function isOutOfSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
