// Reads what checkUpload has to see of a foreign VMDK: the first bytes and the last ones of the file and of the extents
// that it names. Nothing else looks at such a file before checkUpload has let it pass.
import { constants } from 'node:fs';
import { MethodFault } from '@vivarium/vim';
import {
  checkUpload,
  inspectVmdkHeader,
  isPlainFileName,
  parseVmdkDescriptor,
  type UploadedFile,
  type UploadPlan,
  type UploadRefusal,
  VmdkSyntaxError,
} from '@vivarium/vmx';
import type { FolderHandle } from '../datastore/folder-handle.ts';

/** Enough for a sparse file's embedded descriptor. */
const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 1536;
/** A text descriptor is read whole up to this size (parseVmdkDescriptor takes no more). */
const MAX_DESCRIPTOR_BYTES = 4 * 1024 * 1024;
/** As many files as 62 TB in extents of 2 GB need. */
const MAX_FILES = 32_768;

/** Head, tail and size of a regular file. */
export async function readUploadedFile(folder: FolderHandle, name: string): Promise<UploadedFile> {
  const handle = await folder.file(name, constants.O_RDONLY);
  try {
    const sizeBytes = (await handle.stat()).size;
    const read = async (position: number, length: number): Promise<Uint8Array> => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    };
    const head = await read(0, Math.min(HEAD_BYTES, sizeBytes));
    const isText = inspectVmdkHeader(head).kind === 'descriptor' && sizeBytes <= MAX_DESCRIPTOR_BYTES;
    return {
      name,
      sizeBytes,
      head: isText && sizeBytes > HEAD_BYTES ? await read(0, sizeBytes) : head,
      tail: await read(Math.max(0, sizeBytes - TAIL_BYTES), Math.min(TAIL_BYTES, sizeBytes)),
    };
  } finally {
    await handle.close();
  }
}

/** Judges the foreign disk `file` by it and its extents. Throws InvalidDiskFormat or FileNotFound about `text`. */
export async function planUpload(folder: FolderHandle, file: UploadedFile, text: string): Promise<UploadPlan> {
  const extents = new Map<string, UploadedFile>();
  for (const name of namedExtents(file)) {
    const found = await readUploadedFile(folder, name).catch(() => undefined);
    if (found) extents.set(name, found);
  }
  const verdict = checkUpload(file, (name) => extents.get(name));
  if (verdict.kind === 'refused') throw refusalFault(verdict, text);
  return verdict;
}

/** Plain names of other files that a text descriptor names; none when it cannot be read. */
export function namedExtents(file: UploadedFile): string[] {
  if (inspectVmdkHeader(file.head).kind !== 'descriptor') return [];
  try {
    const names = parseVmdkDescriptor(file.head).extents.map((extent) => extent.fileName ?? '');
    return [...new Set(names.filter((name) => isPlainFileName(name) && name !== file.name))].slice(0, MAX_FILES);
  } catch (error) {
    if (error instanceof VmdkSyntaxError) return [];
    throw error;
  }
}

export function refusalFault(refusal: UploadRefusal, text: string): MethodFault {
  if (refusal.reason === 'missingExtent') return new MethodFault('FileNotFound', { file: text }, refusal.message);
  return new MethodFault('InvalidDiskFormat', {}, `${text}: ${refusal.message}`);
}
