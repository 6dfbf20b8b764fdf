// The text form of a place on a datastore, `[datastore1] vm/vm.vmx`: parsing and formatting. Pure; touches no disk.
import { MethodFault } from '@vivarium/vim';

/** A place on a datastore by name. */
export interface DatastorePath {
  readonly datastore: string;
  /** Relative to the datastore's root, `/` between the parts, no `.`, `..` or empty part; '' is the root itself. */
  readonly path: string;
}

/** Longest path below the root, in bytes: leaves room for the root within Linux's PATH_MAX of 4096. */
const MAX_PATH_BYTES = 2048;
/** Longest single name, in bytes (NAME_MAX of every file system that carries a datastore). */
const MAX_NAME_BYTES = 255;

/** Names that are this host's own: half-made files and the volume's identity. Clients neither see nor name them. */
export function isHiddenName(name: string): boolean {
  return name.startsWith('.viv-');
}

/**
 * Parses `[name] path`, with or without spaces around the path. A leading `/` in the path means the datastore's root, as
 * on ESXi. Nothing is percent-decoded. Throws InvalidDatastorePath.
 */
export function parseDatastorePath(text: string): DatastorePath {
  const match = /^\s*\[([^\]]*)\](.*)$/s.exec(text);
  const datastore = match?.[1];
  if (!datastore?.trim()) throw invalidPath(text);
  return { datastore: datastore.trim(), path: normalizeRelative((match?.[2] ?? '').trim(), text) };
}

/** The canonical text: `[datastore1] vm/vm.vmx`, `[datastore1] ` + nothing for the root is written `[datastore1]`. */
export function formatDatastorePath({ datastore, path }: DatastorePath): string {
  return path === '' ? `[${datastore}]` : `[${datastore}] ${path}`;
}

/** Throws InvalidDatastorePath about `text` unless every part of `path` is a name that may stand in a datastore. */
export function normalizeRelative(path: string, text: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    if (part === '..' || isHiddenName(part) || hasControlCharacter(part) || Buffer.byteLength(part) > MAX_NAME_BYTES) {
      throw invalidPath(text);
    }
  }
  const normalized = parts.join('/');
  if (!normalized.isWellFormed() || Buffer.byteLength(normalized) > MAX_PATH_BYTES) throw invalidPath(text);
  return normalized;
}

/** The folder that a relative path lies in, and its last name. The root has no name. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return { folder: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}

/** `path` with `name` added. */
export function joinPath(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

/** Whether `path` is `folder` or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

export function invalidPath(text: string): MethodFault {
  return new MethodFault('InvalidDatastorePath', { datastorePath: text.slice(0, MAX_PATH_BYTES) });
}

// Newlines and their kin cannot be written in a VMX or a descriptor, which are text files of one line an entry.
function hasControlCharacter(part: string): boolean {
  for (const character of part) {
    const code = character.charCodeAt(0);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
