// FileManager: plain files and folders of datastores. Virtual disks are the VirtualDiskManager's; here a descriptor and its
// data file are two files like any others, as the API says.
import type { Handlers } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Location } from '../datastore/datastore.ts';
import { checkPrivilege, type StorageApi, type StorageTask } from '../datastore/storage-api.ts';
import { copyFile, deleteFile, type FileContext, makeFolder, moveFile } from './file-operations.ts';

const PRIVILEGE = 'Datastore.FileManagement';

export function fileManagerHandlers(
  api: StorageApi,
  { random }: Pick<FileContext, 'random'>,
): Handlers<'FileManager', Call> {
  const context: FileContext = { random, use: api.use };
  const locate = (name: string, call: Call): Location => {
    const place = api.datastores.locate(name);
    checkPrivilege(api, call.session, place.datastore, PRIVILEGE);
    return place;
  };
  const start = (
    operation: string,
    call: Call,
    places: readonly Location[],
    work: (task: StorageTask) => Promise<void>,
  ) => {
    const entity = places[0]?.datastore.ref;
    const spec = { descriptionId: `FileManager.${operation}`, call, cancelable: true, ...(entity ? { entity } : {}) };
    return api.tasks.start(spec, async (task) => {
      try {
        await work(task);
      } finally {
        for (const datastore of new Set(places.map((place) => place.datastore))) api.touched(datastore);
      }
    });
  };
  return {
    async MakeDirectory({ name, createParentDirectories }, call) {
      const place = locate(name, call);
      await makeFolder(place, createParentDirectories ?? false);
      api.touched(place.datastore);
    },

    DeleteDatastoreFile_Task({ name }, call) {
      const place = locate(name, call);
      return start('deleteFile', call, [place], () => deleteFile(context, place));
    },

    MoveDatastoreFile_Task({ sourceName, destinationName, force }, call) {
      const places = [locate(sourceName, call), locate(destinationName, call)] as const;
      return start('moveFile', call, places, (task) => moveFile(context, ...places, force ?? false, runOf(task)));
    },

    CopyDatastoreFile_Task({ sourceName, destinationName, force }, call) {
      const places = [locate(sourceName, call), locate(destinationName, call)] as const;
      return start('copyFile', call, places, (task) => copyFile(context, ...places, force ?? false, runOf(task)));
    },
  };
}

function runOf({ signal, progress }: StorageTask) {
  return { signal, onProgress: (percent: number) => progress(percent) };
}
