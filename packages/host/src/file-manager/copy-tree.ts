// Copies a file or a folder with all below it, through descriptors. Links, pipes and hidden names stay behind.
import { constants } from 'node:fs';
import { isHiddenName } from '../datastore/datastore-path.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import { type CopyRun, copyBytes } from './copy-bytes.ts';

/** Deeper than any sane datastore. */
const MAX_DEPTH = 32;

/** Bytes of all files below (or of the file itself): what a copy has to move. */
export async function treeBytes(folder: FolderHandle, name: string, depth = 0): Promise<number> {
  const stats = await folder.stat(name);
  if (!stats.isDirectory()) return stats.isFile() ? stats.size : 0;
  if (depth > MAX_DEPTH) return 0;
  await using inner = await folder.folder(name);
  let bytes = 0;
  for (const entry of await inner.list()) bytes += await treeBytes(inner, entry.name, depth + 1);
  return bytes;
}

/** Makes `targetName` in `target` a copy of `name` in `source`; it must not exist. Durable when this returns. */
export async function copyTree(
  source: FolderHandle,
  name: string,
  target: FolderHandle,
  targetName: string,
  run: CopyRun = {},
  depth = 0,
): Promise<void> {
  run.signal?.throwIfAborted();
  if (!(await source.stat(name)).isDirectory()) {
    await copyOne(source, name, target, targetName, run);
    return;
  }
  if (depth > MAX_DEPTH) throw Object.assign(new Error('folders too deep'), { code: 'ENAMETOOLONG' });
  await target.mkdir(targetName);
  await using from = await source.folder(name);
  await using to = await target.folder(targetName);
  for (const entry of await from.list()) {
    if (isHiddenName(entry.name) || !(entry.isFile() || entry.isDirectory())) continue;
    await copyTree(from, entry.name, to, entry.name, run, depth + 1);
  }
  await to.sync();
}

async function copyOne(
  source: FolderHandle,
  name: string,
  target: FolderHandle,
  targetName: string,
  run: CopyRun,
): Promise<void> {
  const from = await source.file(name, constants.O_RDONLY);
  try {
    const to = await target.file(targetName, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o644);
    try {
      await copyBytes(from, to, run);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}
