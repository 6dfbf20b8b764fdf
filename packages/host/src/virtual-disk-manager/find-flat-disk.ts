import { isFault } from '@vivarium/vim';
import type { Location } from '../datastore/datastore.ts';
import type { Datastores } from '../datastore/datastores.ts';
import { readDiskHead, readVirtualDisk, type VirtualDisk } from './virtual-disk.ts';

/** The thin disk whose descriptor names `place` as its extent although the data lies elsewhere; undefined when there is none. */
export async function findFlatDisk(datastores: Datastores, place: Location): Promise<VirtualDisk | undefined> {
  const stem = /^(.+)-(?:flat|delta)\.vmdk$/i.exec(place.path)?.[1];
  if (stem === undefined) return undefined;
  const location = { datastore: place.datastore, path: `${stem}.vmdk` };
  try {
    const head = await readDiskHead(location);
    if (head.kind !== 'ours' || head.data.format !== 'qcow2') return undefined;
    const [extent] = head.descriptor.extents;
    if (extent?.fileName !== place.path.slice(place.path.lastIndexOf('/') + 1)) return undefined;
    return await readVirtualDisk(datastores, location);
  } catch (error) {
    if (isFault(error, 'FileFault')) return undefined;
    throw error;
  }
}
