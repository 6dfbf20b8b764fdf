// The pages below /folder: datacenters, datastores, folders.
import { isFault } from '@vivarium/vim';
import { type FolderNames, folderUrl, type Listing, type ListingEntry, listingPage } from '@vivarium/vmomi';
import { capacityOf } from '@vivarium/vmx';
import type { Datastore, Location } from '../datastore/datastore.ts';
import { formatDatastorePath, joinPath, splitPath } from '../datastore/datastore-path.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import type { StorageApi } from '../datastore/storage-api.ts';
import { type FolderEntry, listFolder } from '../datastore-browser/list-folder.ts';

export interface FolderPages {
  /** `mayBrowse`: which datastores the asker is told of. */
  top(kind: 'datacenters' | 'datastores', mayBrowse: (datastore: Datastore) => boolean): Listing;
  /**
   * The page of a folder; undefined when the place is a file. `check` is asked before anything is shown. `names`: what the asker
   * calls datacenter and datastore, where that differs from ours. Faults: FileNotFound.
   */
  folder(place: Location, check: () => void, names?: FolderNames): Promise<string | undefined>;
}

export function folderPages({
  api,
  datacenter,
}: {
  readonly api: StorageApi;
  readonly datacenter: string;
}): FolderPages {
  return {
    top(kind, mayBrowse) {
      if (kind === 'datacenters') {
        return { title: 'Datacenters', entries: [{ name: datacenter, href: folderUrl(datacenter) }] };
      }
      const names = api.datastores
        .list()
        .filter(mayBrowse)
        .map(({ name }) => name);
      const entries = names.toSorted().map((name) => ({ name, href: folderUrl(datacenter, name) }));
      return { title: `Datastores of ${datacenter}`, above: '/folder', entries };
    },

    async folder(place, check, names = { datacenter, datastore: place.datastore.name }) {
      const folder = await openIfFolder(place);
      if (!folder) return undefined;
      await using _ = folder;
      check();
      const title = formatDatastorePath({ datastore: names.datastore, path: place.path });
      return listingPage({ title, above: above(place, names), entries: await entries(place, folder, names) });
    },
  };

  function above({ path }: Location, names: FolderNames): string {
    return path === ''
      ? folderUrl(names.datacenter)
      : folderUrl(names.datacenter, names.datastore, splitPath(path).folder);
  }

  async function entries({ path }: Location, folder: FolderHandle, names: FolderNames): Promise<ListingEntry[]> {
    const files = await listFolder(folder, 'everyFile');
    const found = [...files, ...flatEntries(files)].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return found.map(({ name, isFolder, sizeBytes, modified }) => ({
      name: isFolder ? `${name}/` : name,
      href: folderUrl(names.datacenter, names.datastore, joinPath(path, name)),
      modified,
      ...(isFolder ? {} : { sizeBytes }),
    }));
  }
}

// The flat files that thin disks' descriptors name: they can be read, so they are shown.
function flatEntries(files: readonly FolderEntry[]): FolderEntry[] {
  return files.flatMap(({ disk, modified }) => {
    if (disk?.kind !== 'ours' || disk.data.format !== 'qcow2') return [];
    const name = disk.descriptor.extents[0]?.fileName;
    if (!name || files.some((file) => file.name === name)) return [];
    return [{ name, isFolder: false, modified, sizeBytes: capacityOf(disk.descriptor) }];
  });
}

async function openIfFolder({ datastore, path }: Location): Promise<FolderHandle | undefined> {
  try {
    return await datastore.openFolder(path);
  } catch (error) {
    if (isFault(error, 'NotADirectory') && error.fault.file === datastore.text(path)) return undefined;
    if (isFault(error, 'FileNotFound') && error.fault.file === datastore.text(path)) return undefined;
    throw error;
  }
}
