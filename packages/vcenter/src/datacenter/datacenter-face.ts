// The Datacenter object. Source: vSphere Web Services API, Datacenter.
import { type Handlers, MethodFault, type MoRef, make } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { destroyTree } from '../folder/destroy-tree.ts';
import { renameEntity } from '../folder/rename-entity.ts';
import type { EntityFace } from '../publish/publisher.ts';
import { powerOnMany } from './power-on-many.ts';

export function datacenterFace(center: Center): EntityFace<'Datacenter'> {
  return {
    handlers: (ref) => datacenterMethods(center, ref),
    properties: (_ref, { vmFolder, hostFolder, datastoreFolder, networkFolder }) => ({
      vmFolder,
      hostFolder,
      datastoreFolder,
      networkFolder,
      datastore: [],
      network: [],
      configuration: make('DatacenterConfigInfo', {}),
    }),
    listings: ({ parent }) => [{ owner: parent, property: 'childEntity' }],
  };
}

function datacenterMethods(center: Center, datacenter: MoRef<'Datacenter'>): Handlers<'Datacenter', Call> {
  const { service } = center;
  const task = (method: string, call: Call, work: () => Promise<unknown>) =>
    service.tasks.start({ entity: datacenter, descriptionId: `Datacenter.${method}`, call }, work);
  return {
    Rename_Task: ({ newName }, call) => task('rename', call, () => renameEntity(center, datacenter, newName, call)),
    Destroy_Task: (_args, call) => task('destroy', call, () => destroyTree(center, datacenter, call)),
    PowerOnMultiVM_Task: ({ vm, option }, call) => {
      if (option?.some(({ key }) => key !== 'OverrideAutomationLevel')) {
        throw new MethodFault('InvalidArgument', { invalidProperty: 'option' });
      }
      return task('powerOnVm', call, () => powerOnMany(center, vm, call));
    },
  };
}
