// com.vmware.vcenter.folder. vCenter's API has no more of folders than their list.
import type { ManagedObject } from '@vivarium/vmomi';
import type { Operation } from '../operation.ts';
import { id, oneOf, setOf, struct, text } from '../shape.ts';
import type { InventoryReader } from './inventory-reader.ts';
import { listOperation } from './list-operation.ts';

const service = 'com.vmware.vcenter.folder';
const folderId = id('Folder');
const folderType = oneOf(`${service}.type`, ['DATACENTER', 'DATASTORE', 'HOST', 'NETWORK', 'VIRTUAL_MACHINE']);

/** By what a folder may hold besides folders. */
const TYPES = [
  ['Datacenter', 'DATACENTER'],
  ['Datastore', 'DATASTORE'],
  ['ComputeResource', 'HOST'],
  ['Network', 'NETWORK'],
  ['VirtualMachine', 'VIRTUAL_MACHINE'],
] as const;

export function folderOperations(reader: InventoryReader): Operation[] {
  return [
    listOperation(reader, {
      service,
      path: '/vcenter/folder',
      plural: 'folders',
      types: ['Folder'],
      filter: {
        folders: setOf(folderId),
        names: setOf(text),
        type: folderType,
        parent_folders: setOf(folderId),
        datacenters: setOf(id('Datacenter')),
      },
      keys: {
        folders: ({ ref }) => ref.value,
        names: (object) => object.getPath('name') as string,
        type: typeOf,
        parent_folders: (object) => (object.parent?.type === 'Folder' ? object.parent.value : undefined),
        datacenters: (object) => reader.above(object, 'Datacenter')?.value,
      },
      idField: 'folders',
      summary: struct(`${service}.summary`, { folder: folderId, name: text, type: folderType }),
      most: 1000,
      summarize: (object) => ({
        folder: object.ref.value,
        name: object.getPath('name') as string,
        type: typeOf(object),
      }),
    }),
  ];
}

function typeOf(object: ManagedObject): (typeof TYPES)[number][1] {
  const children = (object.getPath('childType') ?? []) as readonly string[];
  return TYPES.find(([child]) => children.includes(child))?.[1] ?? 'DATACENTER';
}
