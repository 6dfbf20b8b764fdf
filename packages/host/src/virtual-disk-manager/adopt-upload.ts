// Makes an uploaded foreign VMDK one of ours, in its place: the moment is the rename that puts our descriptor over the
// uploaded file. Until then the upload is untouched; afterwards its other extents are removed.

import { type Location, subjectOf } from '../datastore/datastore.ts';
import { splitPath } from '../datastore/datastore-path.ts';
import { withFileFaults } from '../datastore/file-faults.ts';
import { openSource, placeCopy } from './copy-disk.ts';
import { ownDisk } from './create-disk.ts';
import type { ImageRun } from './disk-images.ts';
import type { DiskContext } from './place-disk.ts';

/** Converts the upload at `location` into a thin disk. Faults: InvalidDiskFormat, FileNotFound (an extent), NoDiskSpace, FileLocked. */
export async function adoptUpload(context: DiskContext, location: Location, run: ImageRun = {}): Promise<void> {
  using _lock = ownDisk(context, location);
  const { folder: place, name } = splitPath(location.path);
  const fileName = name.toLowerCase().endsWith('.vmdk') ? name : `${name}.vmdk`;
  await using origin = await openSource(context, location, true);
  if (origin.source.kind !== 'upload') return; // somebody was quicker
  const { plan } = origin.source;
  await placeCopy(context, origin, location, { fileName, provisioning: 'thin', replace: 'both' }, run);
  const extents = plan.extents.map((extent) => extent.fileName).filter((extent) => extent !== name);
  await using folder = await location.datastore.openFolder(place);
  await withFileFaults(subjectOf(location), async () => {
    for (const extent of new Set(extents)) await folder.unlink(extent);
    if (extents.length > 0) await folder.sync();
  });
}
