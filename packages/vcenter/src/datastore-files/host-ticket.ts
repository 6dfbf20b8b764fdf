// Service tickets for a host's own /folder: a client that has asked vCenter may fetch a file from the host itself, once.
// Source: vSphere Web Services API, SessionManager.AcquireGenericServiceTicket.
import { MethodFault, type MoRef, make, moRef, type SessionManagerGenericServiceTicket } from '@vivarium/vim';
import type { Call, ServicePurpose } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { plainName } from '../inventory/entity-name.ts';

const ON_HOST = moRef('SessionManager', 'ha-sessionmgr');

/**
 * Undefined when the URL is not one of a connected host's. Faults: NoPermission, InvalidDatastore, NotSupported when the host
 * calls the datastore otherwise than the URL does.
 */
export async function hostTicket(
  center: Pick<Center, 'service' | 'inventory' | 'hosts' | 'shared'>,
  { method, url }: ServicePurpose,
  call: Call,
): Promise<SessionManagerGenericServiceTicket | undefined> {
  const { service, inventory, hosts } = center;
  const target = URL.canParse(url) ? new URL(url) : undefined;
  const host = target && hostAt(center, target.hostname);
  if (!target || !host) return undefined;
  const name = target.searchParams.get('dsName') ?? '';
  const { link, mirror } = hosts.connected(host);
  const datastore = datastoreOf(center, host, name);
  if (!datastore || !/^\/folder(\/|$)/.test(target.pathname)) throw new MethodFault('InvalidDatastore', { name });
  service.authorization.check(call.session, service.graph.get(datastore), 'Datastore.FileManagement');
  if (mirror.refs.hostDatastoreName(datastore) !== name) {
    throw new MethodFault('NotSupported', {}, `The host has another name for '${name}': its files go through vCenter.`);
  }
  const spec = make('SessionManagerHttpServiceRequestSpec', { method, url });
  const { id } = (await link.call(ON_HOST, 'AcquireGenericServiceTicket', { spec })) as { readonly id: string };
  const { address, thumbprint } = inventory.get(host);
  return make('SessionManagerGenericServiceTicket', {
    id,
    hostName: address,
    sslThumbprint: thumbprint,
    ticketType: 'HttpServiceTicket',
  });
}

/** The connected host of this name, or with this management address. */
function hostAt({ service, inventory, hosts }: Pick<Center, 'service' | 'inventory' | 'hosts'>, name: string) {
  const plain = name.replace(/^\[|\]$/g, '').toLowerCase();
  for (const [host, record] of inventory.ofType('HostSystem')) {
    if (!hosts.isConnected(host)) continue;
    const vnics = service.graph.find(host)?.getPath('config.network.vnic') as
      | readonly { readonly spec: { readonly ip?: { readonly ipAddress?: string } } }[]
      | undefined;
    const isIt = record.address.toLowerCase() === plain || vnics?.some(({ spec }) => spec.ip?.ipAddress === plain);
    if (isIt) return host;
  }
  return undefined;
}

function datastoreOf(
  { inventory, shared }: Pick<Center, 'inventory' | 'shared'>,
  host: MoRef<'HostSystem'>,
  name: string,
): MoRef<'Datastore'> | undefined {
  for (const [ref, record] of inventory.ofType('Datastore')) {
    if (plainName(record.name) === name && shared.hostsOf(ref).some(({ value }) => value === host.value)) return ref;
  }
  return undefined;
}
