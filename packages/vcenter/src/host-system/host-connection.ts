// HostSystem.DisconnectHost_Task and ReconnectHost_Task. Source: vSphere Web Services API, HostSystem.
import { type HostConnectSpec, MethodFault, type MoRef } from '@vivarium/vim';
import type { Center } from '../center.ts';
import { type HostLink, HostUnreachable } from '../host-link/host-link.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import { rememberHost } from './remember-host.ts';

type Host = MoRef<'HostSystem'>;

/** Fault: InvalidState, when it is disconnected. */
export function disconnectHost(center: Center, host: Host): Promise<void> {
  const session = center.hosts.open(host);
  return session.alone(async () => {
    if (session.state === 'disconnected') throw new MethodFault('InvalidState');
    await rememberHost(center, host, { isDisconnected: true });
    await session.disconnect();
  });
}

/**
 * `spec`: what has changed since: address, certificate, or that it has to be taken from another vCenter, each by an
 * administrator's account of the host. A host that was disconnected and is not reached stays so. Faults: InvalidState when it is
 * connected, NoHost, InvalidLogin, SSLVerifyFault, AlreadyBeingManaged, InvalidArgument.
 */
export function reconnectHost(center: Center, host: Host, spec: HostConnectSpec | undefined): Promise<void> {
  const session = center.hosts.open(host);
  return session.alone(async () => {
    const former = session.state;
    if (former === 'connected') throw new MethodFault('InvalidState');
    const anew = spec && (await introducedAnew(center, host, spec));
    if (anew) {
      await session.disconnect();
      await rememberHost(center, host, anew.target);
    }
    session.connect(anew?.link);
    try {
      await session.whenConnected();
    } catch (error) {
      if (former === 'disconnected') await session.disconnect();
      throw error instanceof HostUnreachable ? new MethodFault('NoHost', {}, error.message) : error;
    }
    await rememberHost(center, host, { isDisconnected: false });
  });
}

interface Introduced {
  readonly link: HostLink;
  readonly target: Pick<EntityRecord<'HostSystem'>, 'address' | 'port' | 'thumbprint'>;
}

/** undefined: nothing is said that is not known. */
async function introducedAnew(
  { inventory, dialer, service }: Center,
  host: Host,
  { hostName, port, sslThumbprint, userName, password, force }: HostConnectSpec,
): Promise<Introduced | undefined> {
  const record = inventory.get<'HostSystem'>(host);
  const isSaid = [hostName, sslThumbprint, userName, password].some((text) => text !== undefined && text !== '');
  if (!isSaid && !force) return undefined;
  if (!userName) throw new MethodFault('InvalidArgument', { invalidProperty: 'cnxSpec.userName' });
  if (!password) throw new MethodFault('InvalidArgument', { invalidProperty: 'cnxSpec.password' });
  const target = {
    address: hostName || record.address,
    port: port !== undefined && port > 0 ? port : record.port,
    thumbprint: sslThumbprint || record.thumbprint,
  };
  const { instanceUuid = '' } = service.content.about;
  const link = await dialer.introduce(target, { userName, password }, { instanceUuid, force });
  try {
    if ((await link.hardwareUuid()) !== record.uuid) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'cnxSpec.hostName' }, 'this is another machine');
    }
    return { link, target };
  } catch (error) {
    link.close();
    throw error;
  }
}
