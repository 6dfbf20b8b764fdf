// Puts the host's network into the managed-object graph: HostNetworkSystem, HostConfigInfo.network and a Network for each
// port group; and keeps them true.
import type { Store } from '@vivarium/store';
import { type MoRef, moRef } from '@vivarium/vim';
import type { Service } from '@vivarium/vmomi';
import { listMembers } from '../inventory/build-tree.ts';
import { refs } from '../inventory/refs.ts';
import { type MachineNetwork, readMachineNetwork } from '../network/machine/machine-network.ts';
import type { NetworkProvider } from '../network/provider.ts';
import { NetworkObjects } from '../network-object/network-objects.ts';
import type { NewEvent } from '../vm/vm-host.ts';
import { linkEvents, linksOf } from './link-events.ts';
import { netCapabilities, networkConfig, networkInfo } from './network-info.ts';
import { networkSystemHandlers } from './network-system.ts';

export interface PublishNetworkOptions {
  readonly service: Pick<Service, 'graph' | 'log'>;
  readonly store: Pick<Store, 'batch'>;
  readonly network: NetworkProvider;
  /** The host's, for events. */
  readonly name: string;
  readonly post: (event: NewEvent) => void;
  /** Default: that of the Linux machine that hostd runs on. */
  readonly readMachine?: () => MachineNetwork;
}

export const NETWORK_SYSTEM = moRef('HostNetworkSystem', 'ha-networksystem');

export interface PublishedNetwork {
  /** Which VMs have a NIC on which port group, by its name: Network.vm. */
  setUsers(users: ReadonlyMap<string, readonly MoRef<'VirtualMachine'>[]>): void;
  /** Reads the machine's addresses and cards again. */
  refresh(): void;
  stop(): void;
}

/** The inventory's fixed part, and the host's object with its `config`, have to be in the graph already. */
export function publishNetwork(options: PublishNetworkOptions): PublishedNetwork {
  const { network, store, readMachine = readMachineNetwork } = options;
  const { graph, log } = options.service;
  const { host } = refs;
  const listChanged = (networks: readonly MoRef<'Network'>[]) => listMembers(graph, 'Network', networks);
  const objects = new NetworkObjects({ graph, host, folder: refs.networkFolder, listChanged });
  const read = () => {
    const { mode, configuration } = network;
    const view = { mode, configuration, ports: network.ports(), adapters: network.adapters(), machine: readMachine() };
    const { dnsConfig, ipRouteConfig, ...info } = networkInfo(view);
    return {
      networkInfo: { ...info, dnsConfig, ipRouteConfig },
      networkConfig: networkConfig(view),
      capabilities: netCapabilities(view),
      dnsConfig,
      ipRouteConfig,
    };
  };
  let users: ReadonlyMap<string, readonly MoRef<'VirtualMachine'>[]> = new Map();
  const publish = () => {
    const properties = read();
    graph.get(NETWORK_SYSTEM).update(properties);
    graph.get(host).update({
      'config.network': properties.networkInfo,
      'config.capabilities': properties.capabilities,
    });
    list();
  };
  // As on ESXi, the port group of vmk0 is no network of the inventory, unless a VM is on it.
  const list = () => {
    const { portGroups, management } = network.configuration;
    const names = portGroups.map(({ name }) => name);
    objects.setPortGroups(names.filter((name) => name !== management || users.has(name)));
  };
  const handlers = networkSystemHandlers({ network, store, log, machine: readMachine, publish });
  graph.add(NETWORK_SYSTEM, {}, handlers, { entity: host });
  publish();
  let links = linksOf(network.configuration, network.adapters());
  const stop = network.onChanged(() => {
    publish();
    const before = links;
    links = linksOf(network.configuration, network.adapters());
    for (const event of linkEvents(options.name, network.configuration, before, links)) options.post(event);
  });
  return {
    setUsers(now) {
      users = now;
      objects.setUsers(now);
      list();
    },
    refresh: publish,
    stop,
  };
}
