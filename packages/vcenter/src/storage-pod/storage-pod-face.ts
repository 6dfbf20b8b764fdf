// The StoragePod object, a datastore cluster: datastores under one name. Storage DRS is not built, and off.
// Source: vSphere Web Services API, StoragePod.
import { type Handlers, MethodFault, type MoRef, make, type PodStorageDrsEntry } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { POD_CHILD_TYPES } from '../folder/create-entity.ts';
import { moveIntoFolder } from '../folder/move-into-folder.ts';
import { renameEntity } from '../folder/rename-entity.ts';
import type { EntityFace } from '../publish/publisher.ts';

export function storagePodFace(center: Center): EntityFace<'StoragePod'> {
  return {
    handlers: (ref) => podMethods(center, ref),
    properties: (_ref, { name }) => ({
      childType: [...POD_CHILD_TYPES],
      childEntity: [],
      summary: make('StoragePodSummary', { name, capacity: 0, freeSpace: 0 }),
      podStorageDrsEntry: storageDrsOff(),
    }),
    listings: ({ parent }) => [{ owner: parent, property: 'childEntity' }],
  };
}

function podMethods(center: Center, pod: MoRef<'StoragePod'>): Handlers<'StoragePod', Call> {
  const { inventory, service } = center;
  const task = (descriptionId: string, call: Call, work: () => Promise<unknown>) =>
    service.tasks.start({ entity: pod, descriptionId, call }, work);
  return {
    MoveIntoFolder_Task: ({ list }, call) =>
      task('Folder.moveInto', call, () => moveIntoFolder(center, pod, list as MoRef[])),
    Rename_Task: ({ newName }, call) => task('StoragePod.rename', call, () => renameEntity(center, pod, newName, call)),
    Destroy_Task: (_args, call) =>
      task('StoragePod.destroy', call, () =>
        inventory.exclusively(async () => {
          // Its datastores are its hosts': they are not removed with it.
          if (inventory.children(pod).length > 0) {
            const { name } = inventory.get(pod);
            throw new MethodFault('ResourceInUse', { type: 'StoragePod', name });
          }
          await inventory.apply([{ remove: pod }]);
        }),
      ),
  };
}

function storageDrsOff(): PodStorageDrsEntry {
  return make('PodStorageDrsEntry', {
    storageDrsConfig: make('StorageDrsConfigInfo', {
      podConfig: make('StorageDrsPodConfigInfo', {
        enabled: false,
        ioLoadBalanceEnabled: false,
        defaultVmBehavior: 'manual',
        loadBalanceInterval: 480,
        defaultIntraVmAffinity: true,
      }),
    }),
  });
}
