// vpxd, put together: what the daemon is made of and in which order it comes and goes.
import { type Clock, type Logger, type Random, uuid } from '@vivarium/base';
import { type BlockStore, openSqliteBlocks, type Store } from '@vivarium/store';
import type { MoRef } from '@vivarium/vim';
import { Archive, type CertificateLogin, Service, StatisticsSettings, type UserDirectory } from '@vivarium/vmomi';
import { aboutCenter } from './about.ts';
import { Imports } from './appliance-import/imports.ts';
import { addOvfManager } from './appliance-import/ovf-manager.ts';
import type { Center } from './center.ts';
import { connectionEvent, hostTakenEvent, mirrorEvents } from './center-events.ts';
import { forgetLeavers } from './compute-resource/forget-leavers.ts';
import { keepSummaries } from './compute-resource/keep-summaries.ts';
import { addFileManagers } from './datastore-files/file-managers.ts';
import { hostTicket } from './datastore-files/host-ticket.ts';
import { addDiagnosticManager } from './diagnostics.ts';
import { HostSwitches } from './distributed-switch/host-switches.ts';
import { keepSwitches, type SwitchKeeper } from './distributed-switch/keep-switches.ts';
import { addSwitchManager } from './distributed-switch/switch-manager.ts';
import { ensureRootFolder, ROOT_FOLDER } from './folder/create-entity.ts';
import type { HostDialer } from './host-link/host-link.ts';
import { ExpectedVms } from './host-sync/expected-vms.ts';
import { SharedIndex } from './host-sync/shared-index.ts';
import { SharedObjects } from './host-sync/shared-objects.ts';
import { VmIndex } from './host-sync/vm-index.ts';
import { rememberHost } from './host-system/remember-host.ts';
import { Hosts } from './hosts/hosts.ts';
import { Inventory } from './inventory/inventory.ts';
import { MemberLists } from './inventory/member-lists.ts';
import { entityFaces } from './publish/faces.ts';
import { publishInventory } from './publish/publisher.ts';
import { ComputePools } from './resource-pool/compute-pools.ts';
import { PushDivision } from './resource-pool/push-division.ts';
import { EventRelay } from './routing/event-relay.ts';
import { Forwarder } from './routing/forwarder.ts';
import { INSTANCE_UUID } from './schema.ts';
import { centerTopology } from './statistics/center-topology.ts';
import { OperationCounts } from './statistics/operation-counts.ts';
import { StatisticsFeed } from './statistics/statistics-feed.ts';
import { keepPodSummaries } from './storage-pod/keep-pod-summaries.ts';
import { AppOperations } from './virtual-app/app-operations.ts';
import { type AppKeeper, keepApps } from './virtual-app/keep-apps.ts';
import { keepMembers } from './virtual-app/keep-members.ts';

export interface VpxdOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Of Vivarium. */
  readonly version: string;
  readonly store: Store;
  readonly dialer: HostDialer;
  /** Where the statistics are kept; default: in memory. */
  readonly blocks?: BlockStore;
  /** Who may log in; default: the accounts kept in the store. */
  readonly users?: UserDirectory;
  /** Groups whose rights extensions have that log in; default: none. */
  readonly extensionGroups?: readonly string[];
  /** Who may log in by certificate besides registered extensions; default: nobody. */
  readonly certificateLogin?: CertificateLogin;
  /** How clients reach it; default: https. */
  readonly scheme?: 'https' | 'http';
  /** Its own log, for DiagnosticManager; default: none is kept. */
  readonly logFile?: string;
}

/** A vCenter without its doors: the service serves nobody until its routes are registered. */
export interface Vpxd {
  readonly service: Service;
  readonly center: Center;
  readonly statistics: StatisticsFeed;
  /** Connects to the hosts. */
  start(): void;
  /** Ends the connections, the sessions, the tasks. The store stays open. */
  close(): Promise<void>;
}

const KIB = 2 ** 10;
const MIB = 2 ** 20;
export async function openVpxd(options: VpxdOptions): Promise<Vpxd> {
  const { clock, random, log, store, dialer } = options;
  const newUuid = () => uuid(random);
  const about = aboutCenter(options.version, await instanceUuid(store, newUuid));
  const inventory = new Inventory(store);
  inventory.completeBy((ops) => keepMembers(inventory, forgetLeavers(inventory, ops)));
  await ensureRootFolder(inventory);
  const ownBlocks = options.blocks ? undefined : openSqliteBlocks(':memory:');
  const settings = new StatisticsSettings(store);
  const operations = new OperationCounts();
  const statistics = new StatisticsFeed({
    clock,
    log,
    settings,
    operations,
    archive: new Archive({
      blocks: options.blocks ?? (ownBlocks as BlockStore),
      levels: () => settings.archiveLevels(),
      now: () => clock.now(),
    }),
    topology: centerTopology({ inventory, graph: () => service.graph, hosts: () => hosts, vms: () => vms }),
  });
  const service: Service = new Service({
    clock,
    random,
    log,
    store,
    about,
    instance: 'VirtualCenter',
    rootFolder: ROOT_FOLDER,
    statistics,
    collectorLimits: { encodedBytes: () => encodedBytes(service.graph.size) },
    // As vCenter: whoever may change settings may add some of their own.
    isOpenOption: (key) => key.toLowerCase().startsWith('config.'),
    ...(options.users ? { users: options.users } : {}),
    ...(options.extensionGroups ? { extensionGroups: options.extensionGroups } : {}),
    ...(options.certificateLogin ? { certificateLogin: options.certificateLogin } : {}),
  });
  const { graph } = service;
  const lists = new MemberLists(graph);
  const shared = new SharedObjects(graph, lists);
  const index = new SharedIndex(inventory);
  const vms: VmIndex = new VmIndex(inventory);
  const expected = new ExpectedVms(store);
  const pools = new ComputePools(inventory, graph);
  const division: PushDivision = new PushDivision({
    inventory,
    graph,
    store,
    clock,
    log,
    linkOf: (host) => (hosts.isConnected(host) ? hosts.connected(host).link : undefined),
  });
  const apps = new AppOperations(inventory);
  const relay = new EventRelay(service);
  const hosts: Hosts = new Hosts({
    inventory,
    graph,
    lists,
    shared,
    index,
    vms,
    expected,
    dialer,
    clock,
    random,
    log,
    vmShown: (vm) => {
      pools.vmShown(vm);
      division.vmShown(vm);
      appKeeper.vmShown(vm);
    },
    events: mirrorEvents(service),
    newInstanceUuid: newUuid,
    instanceUuid: about.instanceUuid ?? '',
    taken: (host, { fault: { ipAddress } }) => {
      hostTakenEvent(service, host, ipAddress);
      return rememberHost({ inventory }, host, { isDisconnected: true });
    },
    stateChanged: (host, state, former) => {
      connectionEvent(service, host, { state, former, isAsked: inventory.find(host)?.isDisconnected ?? false });
      keeper.hostChanged(host);
    },
    begun: (host, { mirror }, link, signal) => {
      void switches.connected(host).then(() => keeper.hostChanged(host));
      division.hostConnected(host);
      relay.follow(host, mirror.refs, link, signal).catch((error: unknown) => {
        if (!signal.aborted) log.warn({ host: host.value, err: error }, 'the events of a host are not followed');
      });
    },
  });
  const forwarder = new Forwarder({ service, hosts, relay, inventory, clock });
  const switches: HostSwitches = new HostSwitches({
    ...{ inventory, hosts, forwarder, clock, log },
    syncChanged: (host) => keeper.hostChanged(host),
  });
  const center: Center = {
    clock,
    log,
    service,
    inventory,
    lists,
    hosts,
    index,
    vms,
    shared,
    expected,
    pools,
    apps,
    imports: new Imports(options.scheme ?? 'https'),
    switches,
    dialer,
    forwarder,
    newUuid,
  };
  const published = publishInventory({ graph, inventory, lists, faces: entityFaces(center) });
  const appKeeper: AppKeeper = keepApps(center);
  addSwitchManager(center);
  addFileManagers(center);
  addOvfManager(center);
  addDiagnosticManager(center, options.logFile);
  service.ticketsOfOthers = (purpose, call) => hostTicket(center, purpose, call);
  const keeper: SwitchKeeper = keepSwitches(center);
  const summaries = keepSummaries({ graph, inventory, pools });
  const podSummaries = keepPodSummaries({ graph, inventory });
  service.events.onPost((event) => operations.note(event));
  inventory.onChange(({ ref, before, after }) => {
    if (!after) operations.forget(ref as MoRef);
    if (!after && (ref as MoRef).type === 'HostSystem') {
      relay.forget(ref as MoRef as MoRef<'HostSystem'>);
      statistics.forget(ref as MoRef as MoRef<'HostSystem'>);
    }
    if ((ref as MoRef).type !== 'Datastore' || !before || !after || before.name === after.name) return;
    hosts.datastoreRenamed(ref as MoRef as MoRef<'Datastore'>, after.name);
  });
  lists.flush();
  await service.sweep();
  return {
    service,
    center,
    statistics,
    start() {
      hosts.start();
      statistics.start();
    },
    async close() {
      await statistics.stop();
      await hosts.close();
      await division.close();
      switches.close();
      summaries.stop();
      podSummaries.stop();
      keeper.stop();
      published.stop();
      await service.close();
      await ownBlocks?.close();
    },
  };
}

/** Room for what clients read again and again of every VM (some 25 kB), and no more: what has changed meanwhile lies there too. */
function encodedBytes(objects: number): number {
  return Math.min(Math.max(objects * 32 * KIB, 64 * MIB), 1024 * MIB);
}

async function instanceUuid(store: Store, newUuid: () => string): Promise<string> {
  const known = store.get<string>(INSTANCE_UUID)?.value;
  if (known) return known;
  const made = newUuid();
  await store.batch([{ put: INSTANCE_UUID, value: made }]);
  return made;
}
