// HostDatastoreBrowser: searching datastores for files.
import {
  type FileInfo,
  type Handlers,
  type HostDatastoreBrowserSearchResults,
  type HostDatastoreBrowserSearchSpec,
  isFault,
  MethodFault,
  make,
} from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import { type Location, locationText, subjectOf } from '../datastore/datastore.ts';
import { isHiddenName, joinPath } from '../datastore/datastore-path.ts';
import { withFileFaults } from '../datastore/file-faults.ts';
import { checkNotInUse } from '../datastore/file-use.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import { removeTree } from '../datastore/remove-tree.ts';
import { checkPrivilege, type StorageApi } from '../datastore/storage-api.ts';
import { listFolder } from './list-folder.ts';
import { searchAll, searchFolder } from './search.ts';

/** Deeper than any sane datastore. */
const MAX_DEPTH = 32;

/** One set of handlers serves every browser of the host: paths name their datastore. */
export function datastoreBrowserHandlers(api: StorageApi): Handlers<'HostDatastoreBrowser', Call> {
  return {
    SearchDatastore_Task({ datastorePath, searchSpec }, call) {
      const place = api.datastores.locate(datastorePath);
      checkPrivilege(api, call.session, place.datastore, 'Datastore.Browse');
      return api.tasks.start(
        { entity: place.datastore.ref, descriptionId: 'host.DatastoreBrowser.search', call, cancelable: true },
        async () => searchOne(place, searchSpec ?? searchAll),
      );
    },

    SearchDatastoreSubFolders_Task({ datastorePath, searchSpec }, call) {
      const place = api.datastores.locate(datastorePath);
      checkPrivilege(api, call.session, place.datastore, 'Datastore.Browse');
      return api.tasks.start(
        {
          entity: place.datastore.ref,
          descriptionId: 'host.DatastoreBrowser.searchSubFolders',
          call,
          cancelable: true,
        },
        async ({ signal }) => ({
          _typeName: 'ArrayOfHostDatastoreBrowserSearchResults',
          _value: await searchBelow(place, searchSpec ?? searchAll, signal),
        }),
      );
    },

    async DeleteFile({ datastorePath }, call) {
      const place = api.datastores.locate(datastorePath);
      checkPrivilege(api, call.session, place.datastore, 'Datastore.DeleteFile');
      const { datastore, path } = place;
      checkNotInUse(api.use, datastore.absolute(path), locationText(place));
      const { folder, name } = await datastore.openParent(path);
      await using _ = folder;
      await withFileFaults(subjectOf(place), async () => {
        await removeTree(folder, name);
        await folder.sync();
      });
      api.touched(datastore);
    },
  };
}

async function searchOne(
  place: Location,
  spec: HostDatastoreBrowserSearchSpec,
): Promise<HostDatastoreBrowserSearchResults> {
  await using folder = await openSearched(place);
  return results(place, searchFolder(await listFolder(folder), spec, extentText(place)));
}

// A file is not found as a folder: govc takes that as its sign to look for the name in the folder above.
async function openSearched({ datastore, path }: Location): Promise<FolderHandle> {
  try {
    return await datastore.openFolder(path);
  } catch (error) {
    throw isFault(error, 'NotADirectory') ? new MethodFault('FileNotFound', { file: error.fault.file }) : error;
  }
}

/** Folders with something in them that was asked for, the starting one first; a folder that cannot be read is passed over. */
async function searchBelow(
  start: Location,
  spec: HostDatastoreBrowserSearchSpec,
  signal: AbortSignal,
): Promise<HostDatastoreBrowserSearchResults[]> {
  const found: HostDatastoreBrowserSearchResults[] = [];
  const visit = async (place: Location, depth: number): Promise<void> => {
    signal.throwIfAborted();
    await using folder = await openSearched(place);
    const entries = await listFolder(folder);
    const files = searchFolder(entries, spec, extentText(place));
    if (files.length > 0) found.push(results(place, files));
    if (depth === MAX_DEPTH) return;
    const folders = entries.filter(({ name, isFolder }) => isFolder && !isHiddenName(name));
    for (const { name } of folders.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const inner = { datastore: place.datastore, path: joinPath(place.path, name) };
      await visit(inner, depth + 1).catch((error: unknown) => {
        if (signal.aborted) throw error;
      });
    }
  };
  await visit(start, 0);
  return found;
}

/** Of a folder, with `/` at its end, so that a file's name can be put behind it. */
function results(place: Location, file: FileInfo[]): HostDatastoreBrowserSearchResults {
  const folderPath = place.path === '' ? `${locationText(place)} ` : `${locationText(place)}/`;
  return make('HostDatastoreBrowserSearchResults', {
    datastore: place.datastore.ref,
    folderPath,
    file: file.length > 0 ? file : undefined,
  });
}

function extentText({ datastore, path }: Location): (name: string) => string {
  return (name) => datastore.text(joinPath(path, name));
}
