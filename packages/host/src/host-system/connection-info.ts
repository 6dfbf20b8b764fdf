// What a vCenter is shown of a host before it adds it: HostSystem.QueryHostConnectionInfo. Reads the graph, changes nothing. Whoever
// asks is told no more than by the properties of what is on the host.
import { type HostConnectInfo, type HostListSummary, type MoRef, make } from '@vivarium/vim';
import type { Call, ManagedObject, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';

type Told = Pick<Service, 'graph' | 'content' | 'authorization'>;

export function connectionInfo(service: Told, { session }: Call): HostConnectInfo {
  const { graph, authorization } = service;
  const mayRead = (object: object) => authorization.holds(session, object as ManagedObject, 'System.Read');
  const summaries = <T extends 'VirtualMachine' | 'Network' | 'Datastore'>(list: readonly MoRef<T>[]) =>
    list.flatMap((ref) => {
      const object = graph.find(ref);
      return object && mayRead(object) ? (object.get('summary') ?? []) : [];
    });
  const host = graph.get(refs.host);
  const summary = host.get('summary') as HostListSummary; // set when the object was made
  const { managementServerIp: serverIp } = summary;
  return make('HostConnectInfo', {
    ...(serverIp === undefined ? {} : { serverIp }),
    inDasCluster: false,
    host: summary,
    vm: summaries(host.get('vm') ?? []),
    vimAccountNameRequired: false,
    clusterSupported: true,
    network: summaries(host.get('network') ?? []).map((network) =>
      make('HostConnectInfoNetworkInfo', { summary: network }),
    ),
    datastore: summaries(host.get('datastore') ?? []).map((datastore) =>
      make('HostDatastoreConnectInfo', { summary: datastore }),
    ),
    license: license(service, session),
    capability: host.get('capability'),
  });
}

const LICENSES = 'Global.Licenses';

function license({ graph, content, authorization }: Told, session: Call['session']): HostConnectInfo['license'] {
  const found = content.licenseManager && graph.find(content.licenseManager);
  if (!found || !authorization.holds(session, found as unknown as ManagedObject, LICENSES)) return undefined;
  const [own] = found.get('licenses') ?? [];
  const evaluation = found.get('evaluation');
  return own && evaluation ? make('HostLicenseConnectInfo', { license: own, evaluation }) : undefined;
}
