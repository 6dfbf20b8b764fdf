// The pages below /folder: datacenters, datastores, folders.
import { isFault } from '@vivarium/vim';
import { capacityOf } from '@vivarium/vmx';
import { type Location, locationText } from '../datastore/datastore.ts';
import { joinPath, splitPath } from '../datastore/datastore-path.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import type { StorageApi } from '../datastore/storage-api.ts';
import { type FolderEntry, listFolder } from '../datastore-browser/list-folder.ts';
import { folderUrl } from './folder-url.ts';
import { type ListingEntry, listingPage } from './listing-page.ts';

export interface FolderPages {
  top(kind: 'datacenters' | 'datastores'): string;
  /** The page of a folder; undefined when the place is a file. `check` is asked before anything is shown. Faults: FileNotFound. */
  folder(place: Location, check: () => void): Promise<string | undefined>;
}

export function folderPages({
  api,
  datacenter,
}: {
  readonly api: StorageApi;
  readonly datacenter: string;
}): FolderPages {
  return {
    top(kind) {
      if (kind === 'datacenters') {
        return listingPage({ title: 'Datacenters', entries: [{ name: datacenter, href: folderUrl(datacenter) }] });
      }
      const names = api.datastores.list().map(({ name }) => name);
      const entries = names.toSorted().map((name) => ({ name, href: folderUrl(datacenter, name) }));
      return listingPage({ title: `Datastores of ${datacenter}`, above: '/folder', entries });
    },

    async folder(place, check) {
      const folder = await openIfFolder(place);
      if (!folder) return undefined;
      await using _ = folder;
      check();
      return listingPage({ title: locationText(place), above: above(place), entries: await entries(place, folder) });
    },
  };

  function above({ datastore, path }: Location): string {
    return path === '' ? folderUrl(datacenter) : folderUrl(datacenter, datastore.name, splitPath(path).folder);
  }

  async function entries({ datastore, path }: Location, folder: FolderHandle): Promise<ListingEntry[]> {
    const files = await listFolder(folder, 'everyFile');
    const found = [...files, ...flatEntries(files)].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return found.map(({ name, isFolder, sizeBytes, modified }) => ({
      name: isFolder ? `${name}/` : name,
      href: folderUrl(datacenter, datastore.name, joinPath(path, name)),
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
