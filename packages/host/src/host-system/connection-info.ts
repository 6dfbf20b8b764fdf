// What a vCenter is shown of a host before it adds it: HostSystem.QueryHostConnectionInfo. Reads the graph, changes nothing.
import { type HostConnectInfo, type HostListSummary, type MoRef, make } from '@vivarium/vim';
import type { ObjectGraph, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';

export function connectionInfo({ graph, content }: Pick<Service, 'graph' | 'content'>): HostConnectInfo {
  const host = graph.get(refs.host);
  const summary = host.get('summary') as HostListSummary; // set when the object was made
  const { managementServerIp: serverIp } = summary;
  return make('HostConnectInfo', {
    ...(serverIp === undefined ? {} : { serverIp }),
    inDasCluster: false,
    host: summary,
    vm: summaries(graph, host.get('vm') ?? []),
    vimAccountNameRequired: false,
    clusterSupported: true,
    network: summaries(graph, host.get('network') ?? []).map((network) =>
      make('HostConnectInfoNetworkInfo', { summary: network }),
    ),
    datastore: summaries(graph, host.get('datastore') ?? []).map((datastore) =>
      make('HostDatastoreConnectInfo', { summary: datastore }),
    ),
    license: license(graph, content.licenseManager),
    capability: host.get('capability'),
  });
}

function summaries<T extends 'VirtualMachine' | 'Network' | 'Datastore'>(
  graph: ObjectGraph,
  list: readonly MoRef<T>[],
) {
  return list.flatMap((ref) => graph.find(ref)?.get('summary') ?? []);
}

function license(graph: ObjectGraph, manager: MoRef<'LicenseManager'> | undefined): HostConnectInfo['license'] {
  const found = manager && graph.find(manager);
  const [own] = found?.get('licenses') ?? [];
  const evaluation = found?.get('evaluation');
  return own && evaluation ? make('HostLicenseConnectInfo', { license: own, evaluation }) : undefined;
}
