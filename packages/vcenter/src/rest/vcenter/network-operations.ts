// com.vmware.vcenter.network.
import type { ManagedObject } from '@vivarium/vmomi';
import type { Operation } from '../operation.ts';
import { id, oneOf, setOf, struct, text } from '../shape.ts';
import type { InventoryReader } from './inventory-reader.ts';
import { listOperation } from './list-operation.ts';

const service = 'com.vmware.vcenter.network';
const networkId = id('Network');
const networkType = oneOf(`${service}.type`, ['STANDARD_PORTGROUP', 'DISTRIBUTED_PORTGROUP', 'OPAQUE_NETWORK']);

export function networkOperations(reader: InventoryReader): Operation[] {
  return [
    listOperation(reader, {
      service,
      path: '/vcenter/network',
      plural: 'networks',
      types: ['Network', 'DistributedVirtualPortgroup', 'OpaqueNetwork'],
      filter: {
        networks: setOf(networkId),
        names: setOf(text),
        types: setOf(networkType),
        folders: setOf(id('Folder')),
        datacenters: setOf(id('Datacenter')),
      },
      keys: {
        networks: ({ ref }) => ref.value,
        names: (object) => object.getPath('name') as string,
        types: typeOf,
        folders: (object) => object.parent?.value,
        datacenters: (object) => reader.above(object, 'Datacenter')?.value,
      },
      idField: 'networks',
      summary: struct(`${service}.summary`, { network: networkId, name: text, type: networkType }),
      most: 1000,
      summarize: (object) => ({
        network: object.ref.value,
        name: object.getPath('name') as string,
        type: typeOf(object),
      }),
    }),
  ];
}

function typeOf({ ref }: ManagedObject): 'STANDARD_PORTGROUP' | 'DISTRIBUTED_PORTGROUP' | 'OPAQUE_NETWORK' {
  if (ref.type === 'DistributedVirtualPortgroup') return 'DISTRIBUTED_PORTGROUP';
  return ref.type === 'OpaqueNetwork' ? 'OPAQUE_NETWORK' : 'STANDARD_PORTGROUP';
}
