// Copies a virtual disk, whatever form it has: our own with all that is below it, or a foreign VMDK that was uploaded.
// The copy stands alone and is ours.

import type { DiskAdapter, DiskProvisioning } from '@vivarium/vmx';
import { type Location, locationText } from '../datastore/datastore.ts';
import { splitPath } from '../datastore/datastore-path.ts';
import { checkNotInUse } from '../datastore/file-use.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import { checkDiskName, checkRoom, ownDisk } from './create-disk.ts';
import type { ImageRun, ImageSource } from './disk-images.ts';
import { makeDescriptor, preallocationOf } from './make-descriptor.ts';
import { type DiskContext, type DiskPlacement, placeDisk, programFolder } from './place-disk.ts';
import { planUpload } from './uploaded-files.ts';
import { diskChain, readDiskHead, readVirtualDisk } from './virtual-disk.ts';

export interface CopyRequest {
  readonly provisioning: DiskProvisioning;
  /** The source's when absent. */
  readonly adapter?: DiskAdapter | undefined;
  /** A new one when absent. */
  readonly uuid?: string | undefined;
}

/** An image source whose folders are open and whose disks are held for reading. */
export interface OpenSource extends AsyncDisposable {
  readonly source: ImageSource;
  readonly capacityBytes: number;
  readonly adapter: DiskAdapter;
}

export async function copyDisk(
  context: DiskContext,
  from: Location,
  to: Location,
  request: CopyRequest,
  run: ImageRun = {},
): Promise<void> {
  const fileName = checkDiskName(to);
  using _lock = ownDisk(context, to);
  await using origin = await openSource(context, from);
  await placeCopy(context, origin, to, { ...request, fileName, replace: 'nothing' }, run);
}

/** Converts an open source into a disk at `to`. */
export async function placeCopy(
  context: DiskContext,
  origin: OpenSource,
  to: Location,
  request: CopyRequest & Pick<DiskPlacement, 'replace'> & { readonly fileName: string },
  run: ImageRun,
): Promise<void> {
  const { fileName, provisioning, uuid, replace } = request;
  const { capacityBytes } = origin;
  if (provisioning !== 'thin') await checkRoom(to, capacityBytes);
  const adapter = request.adapter ?? origin.adapter;
  await placeDisk(context, {
    location: to,
    descriptor: makeDescriptor(context.random, { fileName, capacityBytes, provisioning, adapter, uuid }),
    replace,
    fill: (target) => context.images.convert(origin.source, target, preallocationOf(provisioning), run),
  });
}

/**
 * Opens a disk for reading. Faults: FileNotFound, InvalidDiskFormat, FileLocked (a running VM writes to it).
 * `held`: the caller owns the disk already.
 */
export async function openSource(context: DiskContext, from: Location, held = false): Promise<OpenSource> {
  await using undo = new AsyncDisposableStack();
  const share = (location: Location) => {
    if (held && location.path === from.path && location.datastore === from.datastore) return;
    undo.use(context.locks.share(location.datastore.absolute(location.path), locationText(location)));
  };
  const openFolder = async (location: Location): Promise<{ folder: FolderHandle; path: string }> => {
    const place = splitPath(location.path).folder;
    const folder = undo.use(await location.datastore.openFolder(place));
    return { folder, path: programFolder(folder, location.datastore.absolute(place)) };
  };
  const head = await readDiskHead(from);
  if (head.kind === 'foreign') {
    share(from);
    const { folder, path } = await openFolder(from);
    const plan = await planUpload(folder, head.file, locationText(from));
    const adapter = plan.adapterType.toLowerCase();
    const opened = undo.move();
    return {
      source: { kind: 'upload', folder: path, name: head.file.name, plan },
      capacityBytes: plan.capacityBytes,
      adapter: adapter === 'ide' || adapter === 'buslogic' ? adapter : 'lsilogic',
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  }
  const disk = await readVirtualDisk(context.datastores, from);
  const chain = [];
  for (const { location, data } of diskChain(disk)) {
    const absolute = data.location.datastore.absolute(data.location.path);
    checkNotInUse(context.use, absolute, locationText(location));
    share(location);
    chain.push({ folder: (await openFolder(location)).path, name: data.fileName, format: data.format });
  }
  const opened = undo.move();
  return {
    source: { kind: 'chain', chain },
    capacityBytes: disk.facts.capacityBytes,
    adapter: disk.facts.adapter,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
