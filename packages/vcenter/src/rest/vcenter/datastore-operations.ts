// com.vmware.vcenter.datastore.
import type { ManagedObject } from '@vivarium/vmomi';
import { type Operation, operation } from '../operation.ts';
import { flag, id, integer, oneOf, optional, setOf, struct, text } from '../shape.ts';
import type { InventoryReader } from './inventory-reader.ts';
import { listOperation } from './list-operation.ts';

const service = 'com.vmware.vcenter.datastore';
const PATH = '/vcenter/datastore';
const ONE = `${PATH}/{datastore}`;
const datastoreId = id('Datastore');
const TYPES = ['VMFS', 'NFS', 'NFS41', 'CIFS', 'VSAN', 'VFFS', 'VVOL'] as const;
const datastoreType = oneOf(`${service}.type`, TYPES);

export function datastoreOperations(reader: InventoryReader): Operation[] {
  return [
    listOperation(reader, {
      service,
      path: PATH,
      plural: 'datastores',
      types: ['Datastore'],
      filter: {
        datastores: setOf(datastoreId),
        names: setOf(text),
        types: setOf(datastoreType),
        folders: setOf(id('Folder')),
        datacenters: setOf(id('Datacenter')),
      },
      keys: {
        datastores: ({ ref }) => ref.value,
        names: (object) => object.getPath('name') as string,
        types: typeOf,
        folders: (object) => object.parent?.value,
        datacenters: (object) => reader.above(object, 'Datacenter')?.value,
      },
      idField: 'datastores',
      summary: struct(`${service}.summary`, {
        datastore: datastoreId,
        name: text,
        type: datastoreType,
        free_space: optional(integer),
        capacity: optional(integer),
      }),
      most: 2500,
      summarize: (object) => ({
        datastore: object.ref.value,
        name: object.getPath('name') as string,
        type: typeOf(object),
        free_space: sizeOf(object, 'freeSpace'),
        capacity: sizeOf(object, 'capacity'),
      }),
    }),
    operation({
      service,
      name: 'get',
      summary: 'Tells about a datastore.',
      params: { datastore: datastoreId },
      result: struct(`${service}.info`, {
        name: text,
        type: datastoreType,
        accessible: flag,
        free_space: optional(integer),
        multiple_host_access: flag,
        thin_provisioning_supported: flag,
      }),
      errors: ['not_found', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'GET', path: ONE }, api: { method: 'GET', path: ONE } },
      run({ datastore }, { call }) {
        const object = reader.get(['Datastore'], datastore, call);
        return {
          name: object.getPath('name') as string,
          type: typeOf(object),
          accessible: object.getPath('summary.accessible') === true,
          free_space: sizeOf(object, 'freeSpace'),
          multiple_host_access: object.getPath('summary.multipleHostAccess') === true,
          thin_provisioning_supported: object.getPath('capability.perFileThinProvisioningSupported') === true,
        };
      },
    }),
  ];
}

function typeOf(object: ManagedObject): (typeof TYPES)[number] {
  const type = String(object.getPath('summary.type')).toUpperCase();
  return TYPES.find((known) => known === type) ?? 'VMFS';
}

/** Bytes; unknown while the datastore cannot be reached. */
function sizeOf(object: ManagedObject, what: 'freeSpace' | 'capacity'): number | undefined {
  if (object.getPath('summary.accessible') !== true) return undefined;
  return object.getPath(`summary.${what}`) as number | undefined;
}
