// The EnvironmentBrowser of a compute resource: what VMs may be made of here, as one of its hosts says.
import { type Handlers, MethodFault, type MoRef, moRef } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { environmentBrowserOf } from '../host-sync/host-mirror.ts';
import type { Companion } from '../publish/publisher.ts';

const METHODS = [
  'QueryConfigOption',
  'QueryConfigOptionDescriptor',
  'QueryConfigOptionEx',
  'QueryConfigTarget',
  'QueryTargetCapabilities',
] as const;

export function environmentBrowser(center: Center, owner: MoRef<'ComputeResource'>): Companion {
  const { hosts, forwarder } = center;
  const ref = environmentBrowserOf(owner);
  const target = moRef('EnvironmentBrowser', 'ha-env-browser');
  const hostFor = (named: MoRef<'HostSystem'> | undefined) => {
    const host = named ?? hosts.hostsOf(owner).find((one) => hosts.isConnected(one));
    if (!host) throw new MethodFault('HostNotConnected');
    return host;
  };
  const handlers = METHODS.map((method) => [
    method,
    (args: { host?: MoRef<'HostSystem'>; spec?: { host?: MoRef<'HostSystem'> } }, call: Call) =>
      forwarder.call(ref, { host: hostFor(args.host ?? args.spec?.host), target, method, args }, call.signal),
  ]);
  return {
    ref,
    properties: {},
    handlers: Object.fromEntries(handlers) as Handlers<'EnvironmentBrowser', Call>,
  };
}
