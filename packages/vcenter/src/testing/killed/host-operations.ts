// For tests: operations on datacenters, clusters, datastore clusters and hosts. The hosts come and go for their own sake: they have no
// datastore, so that no VM is made on them.
import { type MoRef, make } from '@vivarium/vim';
import { ROOT_FOLDER } from '../../folder/create-entity.ts';
import { FakeHost } from '../fake-host.ts';
import { change, isAbout, type Kind, kind, type Operation, put, without } from './operation.ts';
import { named, ownFolder, type World } from './picture.ts';

export interface HostFacts {
  /** Of the cluster, '' of the test's own; null of a standalone host. */
  readonly cluster: string | null;
  readonly isConnected: boolean;
  readonly inMaintenance: boolean;
}

const MOST_HOSTS = 3;
const MOST_CONTAINERS = 4;

export const hostOperations: readonly Kind[] = [
  kind('Folder.CreateDatacenter', ({ count, all }) =>
    all('datacenter').length < MOST_CONTAINERS ? createDatacenter(`d${count}`) : undefined,
  ),
  kind('Datacenter.Destroy_Task', ({ one }) => destroyEmpty('Datacenter', one('datacenter'))),
  kind('Folder.CreateClusterEx', ({ count, all }) =>
    all('cluster').length < MOST_CONTAINERS ? createCluster(`l${count}`, 'CreateClusterEx') : undefined,
  ),
  kind('Folder.CreateCluster', ({ count, all }) =>
    all('cluster').length < MOST_CONTAINERS ? createCluster(`l${count}`, 'CreateCluster') : undefined,
  ),
  ...(['ReconfigureComputeResource_Task', 'ReconfigureCluster_Task'] as const).map((method) =>
    kind(`ClusterComputeResource.${method}`, ({ one, below }) => {
      const cluster = one('cluster');
      return cluster === undefined ? undefined : setDrs(cluster, below(2) === 0, method);
    }),
  ),
  kind('ClusterComputeResource.Destroy_Task', ({ one, all, fact }) => {
    const cluster = one('cluster');
    const isUsed = all('host').some((host) => fact<HostFacts>(`host ${host}`).cluster === cluster);
    return isUsed ? undefined : destroyEmpty('ClusterComputeResource', cluster);
  }),
  kind('Folder.CreateStoragePod', ({ count, all }) =>
    all('pod').length < MOST_CONTAINERS ? createPod(`o${count}`) : undefined,
  ),
  kind('StoragePod.Destroy_Task', ({ one, all, fact }) => {
    const pod = one('pod');
    const isUsed = all('datastore').some((name) => fact<{ pod: string }>(`datastore ${name}`).pod === pod);
    return isUsed ? undefined : destroyEmpty('StoragePod', pod);
  }),
  kind('ClusterComputeResource.AddHost_Task', ({ count, all, one }) =>
    all('host').length < MOST_HOSTS ? addHost(`h${count}`, one('cluster') ?? '') : undefined,
  ),
  kind('Folder.AddStandaloneHost_Task', ({ count, all }) =>
    all('host').length < MOST_HOSTS ? addHost(`h${count}`, null) : undefined,
  ),
  kind('HostSystem.DisconnectHost_Task HostSystem.ReconnectHost_Task', ({ one, fact }) => {
    const host = one('host');
    return host === undefined ? undefined : setConnected(host, !fact<HostFacts>(`host ${host}`).isConnected);
  }),
  kind('HostSystem.EnterMaintenanceMode_Task HostSystem.ExitMaintenanceMode_Task', ({ one, fact }) => {
    const host = one('host');
    if (host === undefined || !fact<HostFacts>(`host ${host}`).isConnected) return undefined;
    return setMaintenance(host, !fact<HostFacts>(`host ${host}`).inMaintenance);
  }),
  ...(['MoveInto_Task', 'MoveHostInto_Task'] as const).map((method) =>
    kind(`ClusterComputeResource.${method}`, ({ one, fact }) => {
      const host = one('host');
      if (host === undefined) return undefined;
      const { cluster, inMaintenance } = fact<HostFacts>(`host ${host}`);
      return cluster === null || inMaintenance ? moveHost(host, one('cluster') ?? '', method) : undefined;
    }),
  ),
  kind('HostSystem.Destroy_Task ComputeResource.Destroy_Task', ({ one, fact }) => {
    const host = one('host');
    if (host === undefined) return undefined;
    const { cluster, isConnected, inMaintenance } = fact<HostFacts>(`host ${host}`);
    return cluster === null || !isConnected || inMaintenance ? removeHost(host, cluster) : undefined;
  }),
];

function createDatacenter(name: string): Operation {
  return {
    text: `create datacenter ${name}`,
    run: ({ center }) => center.invoke(ROOT_FOLDER as MoRef, 'CreateDatacenter', { name }),
    after: (before) => put(before, { [`datacenter ${name}`]: true }),
  };
}

function createCluster(name: string, method: 'CreateClusterEx' | 'CreateCluster'): Operation {
  const spec = { _typeName: method === 'CreateCluster' ? 'ClusterConfigSpec' : 'ClusterConfigSpecEx' };
  return {
    text: `${method}: ${name}`,
    run: ({ center }) => center.invoke(ownFolder(center, 'hostFolder'), method, { name, spec }),
    after: (before) => put(before, { [`cluster ${name}`]: { drs: false } }),
  };
}

function createPod(name: string): Operation {
  return {
    text: `create datastore cluster ${name}`,
    run: ({ center }) => center.invoke(ownFolder(center, 'datastoreFolder'), 'CreateStoragePod', { name }),
    after: (before) => put(before, { [`pod ${name}`]: true }),
  };
}

function setDrs(
  cluster: string,
  enabled: boolean,
  method: 'ReconfigureComputeResource_Task' | 'ReconfigureCluster_Task',
): Operation {
  const drsConfig = make('ClusterDrsConfigInfo', { enabled });
  const spec =
    method === 'ReconfigureCluster_Task'
      ? make('ClusterConfigSpec', { drsConfig })
      : make('ClusterConfigSpecEx', { drsConfig });
  return {
    text: `${method}: DRS of ${cluster} ${enabled}`,
    run: ({ center }) => center.task(named(center, 'ClusterComputeResource', cluster), method, { spec, modify: true }),
    after: (before) => change(before, `cluster ${cluster}`, { drs: enabled }),
  };
}

function destroyEmpty(
  type: 'Datacenter' | 'ClusterComputeResource' | 'StoragePod',
  name: string | undefined,
): Operation | undefined {
  if (name === undefined) return undefined;
  return {
    text: `destroy ${type} ${name}`,
    run: ({ center }) => center.task(named(center, type, name), 'Destroy_Task'),
    after: (before) => without(before, isAbout(name)),
  };
}

/** `cluster`: null of a standalone host. */
function addHost(name: string, cluster: string | null): Operation {
  const spec = { hostName: name, userName: 'root', password: 'right', force: false };
  return {
    text: `add host ${name} to ${cluster}`,
    run({ center }) {
      center.dialer.add(new FakeHost(name, { datastores: {} }));
      if (cluster === null) {
        return center.task(ownFolder(center, 'hostFolder'), 'AddStandaloneHost_Task', { spec, addConnected: true });
      }
      return center.task(named(center, 'ClusterComputeResource', cluster), 'AddHost_Task', { spec, asConnected: true });
    },
    after: (before) => put(before, { [`host ${name}`]: { cluster, isConnected: true, inMaintenance: false } }),
  };
}

const hostRef = ({ center }: Pick<World, 'center'>, name: string) => named(center, 'HostSystem', name);

function setConnected(host: string, isConnected: boolean): Operation {
  const method = isConnected ? 'ReconnectHost_Task' : 'DisconnectHost_Task';
  return {
    text: `${method} of ${host}`,
    run: (world) => world.center.task(hostRef(world, host), method),
    after: (before) => change(before, `host ${host}`, { isConnected }),
  };
}

function setMaintenance(host: string, inMaintenance: boolean): Operation {
  const method = inMaintenance ? 'EnterMaintenanceMode_Task' : 'ExitMaintenanceMode_Task';
  return {
    text: `${method} of ${host}`,
    run: (world) => world.center.task(hostRef(world, host), method, { timeout: 0 }),
    after: (before) => change(before, `host ${host}`, { inMaintenance }),
  };
}

function moveHost(host: string, cluster: string, method: 'MoveInto_Task' | 'MoveHostInto_Task'): Operation {
  return {
    text: `${method}: ${host} into ${cluster}`,
    run(world) {
      const ref = hostRef(world, host);
      const target = named(world.center, 'ClusterComputeResource', cluster);
      return world.center.task(target, method, { host: method === 'MoveInto_Task' ? [ref] : ref });
    },
    after: (before) => change(before, `host ${host}`, { cluster }),
  };
}

function removeHost(host: string, cluster: string | null): Operation {
  return {
    text: `remove host ${host}`,
    run(world) {
      const ref = hostRef(world, host);
      return world.center.task(cluster === null ? world.center.read<MoRef>(ref, 'parent') : ref, 'Destroy_Task');
    },
    after: (before) => without(before, isAbout(host)),
  };
}
