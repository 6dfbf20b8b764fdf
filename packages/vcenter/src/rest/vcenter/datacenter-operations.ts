// com.vmware.vcenter.datacenter.
import { MethodFault, type MoRef, moRef } from '@vivarium/vim';
import type { ManagedObject, Service } from '@vivarium/vmomi';
import { type Operation, operation } from '../operation.ts';
import { flag, id, optional, setOf, struct, text } from '../shape.ts';
import type { InventoryReader } from './inventory-reader.ts';
import { listOperation } from './list-operation.ts';
import { runMethod, runTask } from './run-method.ts';

const service = 'com.vmware.vcenter.datacenter';
const PATH = '/vcenter/datacenter';
const ONE = `${PATH}/{datacenter}`;
const datacenterId = id('Datacenter');
const folderId = id('Folder');

const FOLDERS = ['vmFolder', 'hostFolder', 'datastoreFolder', 'networkFolder'] as const;

export function datacenterOperations(vmomi: Service, reader: InventoryReader): Operation[] {
  const folderOf = (object: ManagedObject, property: (typeof FOLDERS)[number]) =>
    (object.getPath(property) as MoRef<'Folder'> | undefined)?.value ?? '';
  const isEmpty = (object: ManagedObject) =>
    FOLDERS.every((property) => {
      const folder = reader.objectOf(object.getPath(property) as MoRef | undefined);
      return ((folder?.getPath('childEntity') ?? []) as readonly unknown[]).length === 0;
    });

  return [
    listOperation(reader, {
      service,
      path: PATH,
      plural: 'datacenters',
      types: ['Datacenter'],
      filter: { datacenters: setOf(datacenterId), names: setOf(text), folders: setOf(folderId) },
      keys: {
        datacenters: ({ ref }) => ref.value,
        names: (object) => object.getPath('name') as string,
        folders: (object) => object.parent?.value,
      },
      idField: 'datacenters',
      summary: struct(`${service}.summary`, { datacenter: datacenterId, name: text }),
      most: 1000,
      summarize: (object) => ({ datacenter: object.ref.value, name: object.getPath('name') as string }),
    }),
    operation({
      service,
      name: 'get',
      summary: 'Tells about a datacenter.',
      params: { datacenter: datacenterId },
      result: struct(`${service}.info`, {
        name: text,
        datastore_folder: folderId,
        host_folder: folderId,
        network_folder: folderId,
        vm_folder: folderId,
      }),
      errors: ['not_found', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'GET', path: ONE }, api: { method: 'GET', path: ONE } },
      run({ datacenter }, { call }) {
        const object = reader.get(['Datacenter'], datacenter, call);
        return {
          name: object.getPath('name') as string,
          datastore_folder: folderOf(object, 'datastoreFolder'),
          host_folder: folderOf(object, 'hostFolder'),
          network_folder: folderOf(object, 'networkFolder'),
          vm_folder: folderOf(object, 'vmFolder'),
        };
      },
    }),
    operation({
      service,
      name: 'create',
      summary: 'Creates a datacenter, in the root folder when none is named.',
      params: { spec: struct(`${service}.create_spec`, { name: text, folder: optional(folderId) }) },
      result: datacenterId,
      errors: ['already_exists', 'invalid_argument', 'not_found', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'POST', path: PATH }, api: { method: 'POST', path: PATH, body: 'spec' } },
      creates: true,
      async run({ spec: { name, folder } }, { call }) {
        const target = folder === undefined ? vmomi.rootFolder : moRef('Folder', folder);
        const made = await runMethod<MoRef<'Datacenter'>>(call, target as MoRef, 'CreateDatacenter', { name });
        return made.value;
      },
    }),
    operation({
      service,
      name: 'delete',
      summary: 'Deletes a datacenter; one with anything in it only by force.',
      params: { datacenter: datacenterId, force: optional(flag) },
      errors: ['error', 'not_found', 'resource_in_use', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'DELETE', path: ONE }, api: { method: 'DELETE', path: ONE } },
      async run({ datacenter, force = false }, { call }) {
        const object = reader.get(['Datacenter'], datacenter, call);
        if (!force && !isEmpty(object))
          throw new MethodFault('ResourceInUse', { type: 'Datacenter', name: object.getPath('name') as string });
        await runTask(call, object.ref, 'Destroy_Task');
      },
    }),
  ];
}
