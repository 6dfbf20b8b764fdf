// ComputeResource and ClusterComputeResource: one host, or several under one roof.
// Source: vSphere Web Services API, ComputeResource, ClusterComputeResource.
import { type ClusterConfigSpec, type Handlers, MethodFault, type MoRef, make, type Properties } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { destroyTree } from '../folder/destroy-tree.ts';
import { renameEntity } from '../folder/rename-entity.ts';
import { environmentBrowserOf } from '../host-sync/host-mirror.ts';
import { addHost } from '../host-system/add-host.ts';
import { clusterReconfigured } from '../inventory/inventory-events.ts';
import type { EntityFace } from '../publish/publisher.ts';
import { asReference } from '../routing/as-reference.ts';
import { oldForm, reconfigureCluster } from './cluster-configuration.ts';
import { clusterSummary, computeSummary } from './compute-summary.ts';
import { environmentBrowser } from './environment-browser.ts';
import { moveHosts, requirePoolOf } from './move-hosts.ts';
import { placeVm, recommendHosts } from './place-vm.ts';
import { resourceUsage } from './resource-usage.ts';

export function computeResourceFace(center: Center): EntityFace<'ComputeResource'> {
  return {
    handlers: (ref) => commonMethods(center, ref),
    properties: (ref, { resourcePool }) => ({
      ...common(ref, resourcePool),
      summary: computeSummary([]),
      configurationEx: make('ComputeResourceConfigInfo', { vmSwapPlacement: 'vmDirectory' }),
    }),
    listings: ({ parent }) => [{ owner: parent, property: 'childEntity' }],
    companions: (ref) => [environmentBrowser(center, ref)],
  };
}

export function clusterFace(center: Center): EntityFace<'ClusterComputeResource'> {
  return {
    handlers: (ref) => clusterMethods(center, ref),
    properties: (ref, { resourcePool, configuration }) => ({
      ...common(ref, resourcePool),
      summary: clusterSummary([]),
      configurationEx: configuration,
      configuration: oldForm(configuration),
      recommendation: [],
      drsRecommendation: [],
      migrationHistory: [],
      actionHistory: [],
      drsFault: [],
    }),
    changes: (_ref, { configuration }, before) =>
      configuration === before.configuration
        ? {}
        : { configurationEx: configuration, configuration: oldForm(configuration) },
    listings: ({ parent }) => [{ owner: parent, property: 'childEntity' }],
    companions: (ref) => [environmentBrowser(center, ref)],
  };
}

function common(ref: MoRef<'ComputeResource'>, resourcePool: MoRef<'ResourcePool'>): Properties<'ComputeResource'> {
  return {
    resourcePool,
    host: [],
    datastore: [],
    network: [],
    environmentBrowser: environmentBrowserOf(ref),
  } as Properties<'ComputeResource'>;
}

function commonMethods(center: Center, ref: MoRef<'ComputeResource'>): Handlers<'ComputeResource', Call> {
  const { service } = center;
  const kind = ref.type;
  const task = (method: string, call: Call, work: () => Promise<unknown>) =>
    service.tasks.start({ entity: ref, descriptionId: `${kind}.${method}`, call }, work);
  return {
    Rename_Task: ({ newName }, call) => {
      // A standalone host's compute resource is called as the host is.
      if (kind !== 'ClusterComputeResource')
        throw new MethodFault('NotSupported', {}, 'a standalone host keeps its name');
      return task('rename', call, () => renameEntity(center, ref as MoRef<'ClusterComputeResource'>, newName, call));
    },
    Destroy_Task: (_args, call) =>
      task('destroy', call, () => destroyTree(center, ref as MoRef<'ClusterComputeResource'>, call)),
  };
}

function clusterMethods(
  center: Center,
  cluster: MoRef<'ClusterComputeResource'>,
): Handlers<'ClusterComputeResource', Call> {
  const { service } = center;
  const task = (method: string, call: Call, work: () => Promise<unknown>) =>
    service.tasks.start({ entity: cluster, descriptionId: `ClusterComputeResource.${method}`, call }, work);
  const reconfigure = (spec: ClusterConfigSpec, modify: boolean, call: Call) =>
    task('reconfigure', call, async () => {
      await reconfigureCluster(center, cluster, spec, modify);
      clusterReconfigured(center, cluster, call);
    });
  return {
    ...commonMethods(center, cluster),
    ReconfigureComputeResource_Task: ({ spec, modify }, call) => reconfigure(spec as ClusterConfigSpec, modify, call),
    ReconfigureCluster_Task: ({ spec, modify }, call) => reconfigure(spec, modify, call),
    AddHost_Task: ({ spec, asConnected, resourcePool, license }, call) =>
      task('addHost', call, async () => {
        if (resourcePool) requirePoolOf(center, cluster, resourcePool);
        const { host } = await addHost(center, spec, {
          call,
          datacenterOf: cluster,
          isConnected: asConnected,
          license,
          pool: resourcePool,
          place: () => ({ ref: cluster, ops: [] }),
        });
        return asReference(host);
      }),
    MoveInto_Task: ({ host }, call) => task('moveInto', call, () => moveHosts(center, cluster, host)),
    MoveHostInto_Task: ({ host, resourcePool }, call) =>
      task('moveHostInto', call, () => moveHosts(center, cluster, [host], resourcePool)),
    RefreshRecommendation: () => undefined,
    EvcManager: () => undefined,
    GetResourceUsage: () => {
      const { graph } = service;
      const hosts = (graph.get(cluster).get('host') ?? []).map((host) => {
        const object = graph.find(host);
        return { summary: object?.get('summary'), runtime: object?.get('runtime') };
      });
      const datastores = (graph.get(cluster).get('datastore') ?? []).map((ref) => graph.find(ref)?.get('summary'));
      return resourceUsage(hosts, datastores);
    },
    PlaceVm: ({ placementSpec }, call) => placeVm(center, cluster, placementSpec, call),
    RecommendHostsForVm: ({ vm, pool }) => recommendHosts(center, cluster, vm, pool),
  };
}
