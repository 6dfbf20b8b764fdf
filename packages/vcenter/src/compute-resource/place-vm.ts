// PlaceVm and RecommendHostsForVm of a cluster: where a VM that is to be made, or that is there, would best run. Decides by
// @vivarium/drs; changes nothing. Source: vSphere Web Services API, ClusterComputeResource.
import {
  type ClusterSnapshot,
  chooseDatastore,
  type DatastoreSnapshot,
  hostRecommendations,
  type RankedHost,
  rankHosts,
} from '@vivarium/drs';
import {
  type ClusterHostRecommendation,
  type ClusterRecommendation,
  MethodFault,
  type MoRef,
  make,
  moRef,
  type PlacementResult,
  type PlacementSpec,
  toLocalizedMethodFault,
} from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { NEWEST_VERSION } from '../virtual-machine/choose-host.ts';
import { clusterSnapshot } from '../virtual-machine/cluster-snapshot.ts';
import { needsOfVm } from '../virtual-machine/needs-of-vm.ts';
import { refusedByHosts } from '../virtual-machine/refused-by-hosts.ts';
import { needsOfSpec, storageOfSpec } from '../virtual-machine/vm-needs.ts';

type Cluster = MoRef<'ClusterComputeResource'>;

/** More than anybody looks at. */
const MOST_RECOMMENDATIONS = 10;
/** Stands for the datastore that is chosen together with the host. */
const TO_BE_CHOSEN = { datastore: moRef('Datastore', 'to-be-chosen'), name: '' };

/**
 * For a VM that is to be made (`placementType` create). What cannot be placed is told in `drsFault`. Faults: NotSupported for the
 * other types, InvalidArgument, InvalidState for a cluster without hosts.
 */
export function placeVm(center: Center, cluster: Cluster, spec: PlacementSpec, call: Call): PlacementResult {
  if (spec.placementType !== 'create' || spec.vm) {
    throw new MethodFault('NotSupported', {}, 'only VMs that are to be made are placed: migration is not built yet');
  }
  if (spec.storagePods?.length || spec.rules?.length) {
    throw new MethodFault('NotSupported', {}, 'storage pods and rules of one placement are not built yet');
  }
  const config = spec.configSpec;
  if (!config) throw new MethodFault('InvalidArgument', { invalidProperty: 'placementSpec.configSpec' });
  if (center.hosts.hostsOf(cluster).length === 0) throw new MethodFault('InvalidState');
  const pool = poolOf(center, cluster, spec.relocateSpec?.pool);
  const version = config.version ?? NEWEST_VERSION;
  const needs = needsOfSpec(center, pool, config, version, TO_BE_CHOSEN);
  const wantedHosts = spec.relocateSpec?.host ? [spec.relocateSpec.host] : spec.hosts;
  const snapshot = narrowed(clusterSnapshot(center, cluster, version), wantedHosts);
  const isOpen = needs.home === TO_BE_CHOSEN;
  const wanted = spec.relocateSpec?.datastore ? [spec.relocateSpec.datastore] : spec.datastores;
  const stores = isOpen ? datastoresFor(center, cluster, wanted, call) : [];
  const storage = storageOfSpec(config);
  const cause = isOpen ? faultOf(() => chooseDatastore(stores, storage)) : undefined;
  if (cause) return unplaced(cause);
  const reachable = isOpen
    ? reaching(snapshot, (host) => !faultOf(() => chooseDatastore(stores, storage, [host])))
    : snapshot;
  const ranked = rankHosts(needs, reachable);
  if (ranked.length === 0) return unplaced(refusedByHosts(needs, reachable));
  const time = new Date(center.clock.now()).toISOString();
  const recommendations = ranked.slice(0, MOST_RECOMMENDATIONS).map((host, index) => {
    const datastore = isOpen ? chooseDatastore(stores, storage, [host.host]) : needs.home.datastore;
    return recommendation(host, { key: String(index + 1), time, cluster, pool, datastore });
  });
  return make('PlacementResult', { recommendations });
}

/** Best first; empty when no host can take it. `pool` is needed for a VM of another cluster. Fault: InvalidArgument. */
export function recommendHosts(
  center: Center,
  cluster: Cluster,
  vm: MoRef<'VirtualMachine'>,
  pool: MoRef<'ResourcePool'> | undefined,
): ClusterHostRecommendation[] {
  const { inventory } = center;
  const record = inventory.get(vm);
  const isHere = inventory.get(record.resourcePool).owner.value === cluster.value;
  if (!pool && !isHere) throw new MethodFault('InvalidArgument', { invalidProperty: 'pool' });
  const needs = needsOfVm(center, vm, poolOf(center, cluster, pool ?? record.resourcePool));
  return hostRecommendations(rankHosts(needs, clusterSnapshot(center, cluster, needs.hardwareVersion)));
}

interface Recommended {
  readonly key: string;
  readonly time: string;
  readonly cluster: Cluster;
  readonly pool: MoRef<'ResourcePool'>;
  readonly datastore: MoRef<'Datastore'>;
}

function recommendation(
  { host, rating }: RankedHost,
  { key, time, cluster, pool, datastore }: Recommended,
): ClusterRecommendation {
  return make('ClusterRecommendation', {
    key,
    type: 'V1',
    time,
    rating,
    reason: 'xvmotionPlacement',
    reasonText: 'xvmotionPlacement',
    target: cluster as MoRef,
    action: [
      make('PlacementAction', {
        type: 'PlacementV1',
        targetHost: host,
        relocateSpec: make('VirtualMachineRelocateSpec', { host, pool, datastore }),
      }),
    ],
  });
}

function unplaced(fault: MethodFault): PlacementResult {
  const faultsByVm = [make('ClusterDrsFaultsFaultsByVm', { fault: [toLocalizedMethodFault(fault)] })];
  return make('PlacementResult', { drsFault: make('ClusterDrsFaults', { reason: 'xvmotionPlacement', faultsByVm }) });
}

/** Those that the user may put files on, as they are now. */
function datastoresFor(
  { service, shared, hosts, inventory }: Center,
  cluster: Cluster,
  wanted: readonly MoRef<'Datastore'>[] | undefined,
  { session }: Call,
): DatastoreSnapshot[] {
  const members = new Set(hosts.hostsOf(cluster).map(({ value }) => value));
  const all = wanted?.length ? wanted : (service.graph.get<'ClusterComputeResource'>(cluster).get('datastore') ?? []);
  return all.flatMap((datastore) => {
    const object = service.graph.find(datastore);
    const summary = object?.get('summary');
    if (!object || !summary || !service.authorization.holds(session, object, 'Datastore.AllocateSpace')) return [];
    const reached = shared.hostsOf(datastore).filter((host) => members.has(host.value) && hosts.isConnected(host));
    return {
      datastore,
      name: inventory.get(datastore).name,
      isAccessible: summary.accessible && (summary.maintenanceMode ?? 'normal') === 'normal',
      freeBytes: summary.freeSpace,
      hosts: new Set(reached.map(({ value }) => value)),
    };
  });
}

/** Fault: InvalidArgument for a pool of another compute resource. */
function poolOf(
  { inventory }: Center,
  cluster: Cluster,
  pool: MoRef<'ResourcePool'> | undefined,
): MoRef<'ResourcePool'> {
  if (!pool) return inventory.get<'ClusterComputeResource'>(cluster).resourcePool;
  if (inventory.get(pool).owner.value !== cluster.value) {
    throw new MethodFault('InvalidArgument', { invalidProperty: 'pool' });
  }
  return pool;
}

function narrowed(snapshot: ClusterSnapshot, wanted: readonly MoRef<'HostSystem'>[] | undefined): ClusterSnapshot {
  if (!wanted?.length) return snapshot;
  const names = new Set(wanted.map(({ value }) => value));
  return { ...snapshot, hosts: snapshot.hosts.filter(({ host }) => names.has(host.value)) };
}

/** With the datastore that is still to be chosen on each host that has one to choose. */
function reaching(snapshot: ClusterSnapshot, hasOne: (host: MoRef<'HostSystem'>) => boolean): ClusterSnapshot {
  const hosts = snapshot.hosts.map((host) =>
    hasOne(host.host) ? { ...host, datastores: new Set([...host.datastores, TO_BE_CHOSEN.datastore.value]) } : host,
  );
  return { ...snapshot, hosts };
}

function faultOf(work: () => unknown): MethodFault | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof MethodFault) return error;
    throw error;
  }
}
