// The methods of Folder. Source: vSphere Web Services API, Folder.
import {
  type ClusterConfigSpec,
  type ClusterConfigSpecEx,
  type Handlers,
  MethodFault,
  type MoRef,
} from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { newConfiguration } from '../compute-resource/cluster-configuration.ts';
import { createSwitch } from '../distributed-switch/change-switch.ts';
import { addHost } from '../host-system/add-host.ts';
import { checkName } from '../inventory/entity-name.ts';
import type { InventoryOp } from '../inventory/inventory.ts';
import { createdEvent } from '../inventory/inventory-events.ts';
import { asReference } from '../routing/as-reference.ts';
import { createVm, registerVm } from '../virtual-machine/create-vm.ts';
import { newCluster, newDatacenter, newFolder, newStandalone, newStoragePod } from './create-entity.ts';
import { destroyTree } from './destroy-tree.ts';
import { moveIntoFolder } from './move-into-folder.ts';
import { renameEntity } from './rename-entity.ts';

export function folderMethods(center: Center, folder: MoRef<'Folder'>): Handlers<'Folder', Call> {
  const { inventory, service } = center;
  const task = (method: string, call: Call, work: (signal: AbortSignal) => Promise<unknown>) =>
    service.tasks.start({ entity: folder, descriptionId: `Folder.${method}`, call }, ({ signal }) => work(signal));
  const requireChildType = (type: string) => {
    if (!inventory.get(folder).childType.includes(type)) {
      throw new MethodFault('NotSupported', {}, `the folder does not hold entities of type ${type}`);
    }
  };
  const create = <R extends MoRef>(name: string, make: (name: string) => { ref: R; ops: InventoryOp[] }) =>
    inventory.exclusively(async () => {
      const checked = checkName(name);
      inventory.requireFreeName(folder, checked);
      const { ref, ops } = make(checked);
      await inventory.apply(ops);
      return ref;
    });
  const createCluster = async (name: string, spec: ClusterConfigSpec | ClusterConfigSpecEx, call: Call) => {
    requireChildType('ComputeResource');
    const cluster = await create(name, (checked) =>
      newCluster(inventory, folder, checked, (ref) => newConfiguration(center, ref, spec)),
    );
    createdEvent(center, cluster, call);
    return cluster;
  };
  return {
    CreateFolder: ({ name }) => create(name, (checked) => newFolder(inventory, folder, checked)),
    async CreateDatacenter({ name }, call) {
      requireChildType('Datacenter');
      const datacenter = await create(name, (checked) => newDatacenter(inventory, folder, checked));
      createdEvent(center, datacenter, call);
      return datacenter;
    },
    CreateClusterEx: ({ name, spec }, call) => createCluster(name, spec, call),
    CreateCluster: ({ name, spec }, call) => createCluster(name, spec, call),
    CreateStoragePod: ({ name }) => {
      requireChildType('StoragePod');
      return create(name, (checked) => newStoragePod(inventory, folder, checked));
    },
    AddStandaloneHost_Task: ({ spec, addConnected, license }, call) => {
      requireChildType('ComputeResource');
      return task('addStandaloneHost', call, async () => {
        const added = await addHost(center, spec, {
          call,
          datacenterOf: folder,
          isConnected: addConnected,
          license,
          place: (name) => {
            inventory.requireFreeName(folder, name);
            return newStandalone(inventory, folder, name);
          },
        });
        return asReference(added.owner);
      });
    },
    CreateDVS_Task: ({ spec }, call) =>
      task('createDistributedVirtualSwitch', call, () => createSwitch(center, folder, spec, call)),
    MoveIntoFolder_Task: ({ list }, call) =>
      task('moveInto', call, () => moveIntoFolder(center, folder, list as MoRef[])),
    Rename_Task: ({ newName }, call) => task('rename', call, () => renameEntity(center, folder, newName, call)),
    Destroy_Task: (_args, call) => task('destroy', call, () => destroyTree(center, folder, call)),
    CreateVM_Task: ({ config, pool, host }, call) => createVm(center, folder, { config, pool, host }, call),
    RegisterVM_Task: (args, call) => registerVm(center, folder, args, call),
  };
}
