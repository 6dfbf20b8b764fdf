// com.vmware.vcenter.cluster.
import type { MoRef } from '@vivarium/vim';
import { type Operation, operation } from '../operation.ts';
import { flag, id, setOf, struct, text } from '../shape.ts';
import type { InventoryReader } from './inventory-reader.ts';
import { listOperation } from './list-operation.ts';

const service = 'com.vmware.vcenter.cluster';
const PATH = '/vcenter/cluster';
const ONE = `${PATH}/{cluster}`;
const clusterId = id('ClusterComputeResource');

export function clusterOperations(reader: InventoryReader): Operation[] {
  return [
    listOperation(reader, {
      service,
      path: PATH,
      plural: 'clusters',
      types: ['ClusterComputeResource'],
      filter: {
        clusters: setOf(clusterId),
        names: setOf(text),
        folders: setOf(id('Folder')),
        datacenters: setOf(id('Datacenter')),
      },
      keys: {
        clusters: ({ ref }) => ref.value,
        names: (object) => object.getPath('name') as string,
        folders: (object) => object.parent?.value,
        datacenters: (object) => reader.above(object, 'Datacenter')?.value,
      },
      idField: 'clusters',
      summary: struct(`${service}.summary`, {
        cluster: clusterId,
        name: text,
        ha_enabled: flag,
        drs_enabled: flag,
      }),
      most: 1000,
      summarize: (object) => ({
        cluster: object.ref.value,
        name: object.getPath('name') as string,
        ha_enabled: object.getPath('configurationEx.dasConfig.enabled') === true,
        drs_enabled: object.getPath('configurationEx.drsConfig.enabled') === true,
      }),
    }),
    operation({
      service,
      name: 'get',
      summary: 'Tells about a cluster.',
      params: { cluster: clusterId },
      result: struct(`${service}.info`, { name: text, resource_pool: id('ResourcePool') }),
      errors: ['not_found', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'GET', path: ONE }, api: { method: 'GET', path: ONE } },
      run({ cluster }, { call }) {
        const object = reader.get(['ClusterComputeResource'], cluster, call);
        const pool = object.getPath('resourcePool') as MoRef<'ResourcePool'>;
        return { name: object.getPath('name') as string, resource_pool: pool.value };
      },
    }),
  ];
}
