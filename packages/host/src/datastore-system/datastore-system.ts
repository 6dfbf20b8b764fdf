// HostDatastoreSystem: which datastores the host has. A host here has directories; VMFS and NFS volumes are not made by it.
import { readdir } from 'node:fs/promises';
import { isAbsolute, normalize } from 'node:path';
import {
  type Handlers,
  type HostDatastoreSystemCapabilities,
  type HostDatastoreSystemDatastoreResult,
  MethodFault,
  make,
  toLocalizedMethodFault,
} from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import { checkUnused } from '../datastore/check-unused.ts';
import type { Datastore } from '../datastore/datastore.ts';
import { isMissing } from '../datastore/file-faults.ts';
import type { StorageApi } from '../datastore/storage-api.ts';
import { IDENTITY_FILE } from '../datastore/volume-identity.ts';

export const datastoreSystemCapabilities: HostDatastoreSystemCapabilities = make('HostDatastoreSystemCapabilities', {
  nfsMountCreationRequired: false,
  nfsMountCreationSupported: false,
  localDatastoreSupported: true,
  vmfsExtentExpansionSupported: false,
});

export function datastoreSystemHandlers(api: StorageApi): Handlers<'HostDatastoreSystem', Call> {
  const remove = async (datastore: Datastore) => {
    checkUnused(api.graph, datastore);
    await api.datastores.remove(datastore);
  };
  return {
    async CreateLocalDatastore({ name, path }) {
      if (!isAbsolute(path)) throw new MethodFault('FileNotFound', { file: path });
      const root = normalize(path).replace(/(.)\/+$/, '$1');
      await checkMayBecomeDatastore(root);
      return (await api.datastores.add({ name, root })).ref;
    },

    RemoveDatastore: ({ datastore }) => remove(api.datastores.ofRef(datastore)),

    RemoveDatastoreEx_Task({ datastore }, call) {
      return api.tasks.start({ descriptionId: 'host.DatastoreSystem.removeDatastoreEx', call }, async () => {
        const results: HostDatastoreSystemDatastoreResult[] = [];
        for (const key of datastore) {
          const failure = await remove(api.datastores.ofRef(key)).catch(toLocalizedMethodFault);
          results.push(make('HostDatastoreSystemDatastoreResult', { key, fault: failure ?? undefined }));
        }
        return { _typeName: 'ArrayOfHostDatastoreSystemDatastoreResult', _value: results };
      });
    },

    // This host manages no disks, so none can become a VMFS volume and none holds a foreign one.
    QueryAvailableDisksForVmfs: () => [],
    QueryUnresolvedVmfsVolumes: () => [],
  };
}

// Whoever may make datastores reads and writes what is in them through hostd, as root. A folder of the machine that holds
// something else (/etc, a home) is not handed over that way.
async function checkMayBecomeDatastore(root: string): Promise<void> {
  const names = await readdir(root).catch((error: unknown) => {
    if (isMissing(error)) throw new MethodFault('FileNotFound', { file: root });
    throw new MethodFault('PlatformConfigFault', { text: `${root} is not a folder that can be read.` });
  });
  if (names.includes(IDENTITY_FILE) || names.every((name) => name === 'lost+found')) return;
  const text = `${root} is neither empty nor a datastore of before.`;
  throw new MethodFault('PlatformConfigFault', { text }, text);
}
