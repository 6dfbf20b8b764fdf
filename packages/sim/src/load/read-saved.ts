// Reads the folder that `govc object.save -d FOLDER` has written: a file with an ObjectContent for each object, and folders with answers of
// methods, which are not looked at. It may be anybody's: sizes are bounded, and nothing but files is opened.
import { constants, type Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeXmlDocument, MethodFault, moRefKey } from '@vivarium/vim';
import { FlagError } from '../flags.ts';
import {
  isSavedType,
  OF_ENTITIES,
  readProperty,
  type SavedObject,
  type SavedType,
  WANTED,
  wrong,
} from './saved-object.ts';

/** vSphere's largest inventory, with all that is saved besides, is some 80,000 files. */
const MOST_FILES = 200_000;
const MIB = 2 ** 20;
const LIMITS = { maxSize: 64 * MIB, maxDepth: 256, maxElements: 5_000_000, maxAttributes: 64 };
const MOST_BYTES = 8 * 2 ** 30;

export interface Saved {
  /** By `Type:value`, in the order of the files. */
  readonly objects: ReadonlyMap<string, SavedObject>;
  /** How many objects there are of each type that is not looked at. */
  readonly skipped: ReadonlyMap<string, number>;
}

/** Throws FlagError, which names the file and says what is wrong with it. */
export async function readSaved(folder: string): Promise<Saved> {
  const objects = new Map<string, SavedObject>();
  const skipped = new Map<string, number>();
  const skip = (type: string) => void skipped.set(type, (skipped.get(type) ?? 0) + 1);
  let bytes = 0;
  for (const file of await filesIn(folder)) {
    // Files are called `0042-VirtualMachine-vm-7.xml`.
    const [, type = ''] = /^\d+-([A-Za-z]+)-/.exec(file) ?? [];
    if (type !== '' && !isSavedType(type)) {
      skip(type);
      continue;
    }
    const text = await readBounded(folder, file);
    bytes += text.length;
    if (bytes > MOST_BYTES) throw new FlagError(`-load: ${folder} has more than ${MOST_BYTES} bytes`);
    const object = parse(file, text);
    if (!object) skip(type || 'of another kind');
    else if (objects.has(moRefKey(object.ref)))
      throw wrong({ file }, `${moRefKey(object.ref)} is in another file, too`);
    else objects.set(moRefKey(object.ref), object);
  }
  return { objects, skipped };
}

async function filesIn(folder: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new FlagError(`-load: ${folder} cannot be read: ${(error as Error).message}`);
  }
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.xml')).map(({ name }) => name);
  if (files.length === 0)
    throw new FlagError(`-load: ${folder} has no objects in it; make it by govc object.save -d FOLDER`);
  if (files.length > MOST_FILES) throw new FlagError(`-load: ${folder} has more than ${MOST_FILES} files`);
  return files.sort();
}

async function readBounded(folder: string, file: string): Promise<Buffer> {
  try {
    // It may have become something else since it was listed.
    await using handle = await open(
      join(folder, file),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const stat = await handle.stat();
    if (!stat.isFile()) throw wrong({ file }, 'it is no file');
    if (stat.size > LIMITS.maxSize) throw wrong({ file }, `it is larger than ${LIMITS.maxSize} bytes`);
    return await handle.readFile();
  } catch (error) {
    throw error instanceof FlagError ? error : wrong({ file }, `it cannot be read: ${(error as Error).message}`);
  }
}

/** Undefined: an object of a type that is not looked at. */
function parse(file: string, text: Buffer): SavedObject | undefined {
  try {
    const { obj: ref, propSet = [] } = decodeXmlDocument('ObjectContent', text, LIMITS);
    if (!ref) throw wrong({ file }, 'it does not say which object it is of');
    const { type } = ref;
    if (!isSavedType(type)) return undefined;
    const wanted: ReadonlySet<string> = new Set([...OF_ENTITIES, ...WANTED[type]]);
    const properties = new Map<string, unknown>();
    for (const { name = '', val } of propSet) {
      if (wanted.has(name) && val !== undefined) properties.set(name, readProperty(file, type, name, val));
    }
    return { file, ref: { type, value: ref.value }, properties };
  } catch (error) {
    if (!(error instanceof MethodFault)) throw error;
    throw wrong({ file }, error.message);
  }
}

/** Objects of a type, of the many that there are. */
export function* ofType({ objects }: Pick<Saved, 'objects'>, ...types: readonly SavedType[]): Iterable<SavedObject> {
  for (const object of objects.values()) if ((types as readonly string[]).includes(object.ref.type)) yield object;
}
