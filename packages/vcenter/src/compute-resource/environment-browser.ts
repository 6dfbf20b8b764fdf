// The EnvironmentBrowser of a compute resource: what VMs may be made of here, as one of its hosts says.
import {
  type ConfigTarget,
  type Handlers,
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  moRef,
} from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { environmentBrowserOf } from '../host-sync/host-mirror.ts';
import type { Companion } from '../publish/publisher.ts';
import { visibleTarget } from './visible-target.ts';

const METHODS = [
  'QueryConfigOption',
  'QueryConfigOptionDescriptor',
  'QueryConfigOptionEx',
  'QueryConfigTarget',
  'QueryTargetCapabilities',
] as const;

export function environmentBrowser(center: Center, owner: MoRef<'ComputeResource'>): Companion {
  const { service, inventory, hosts, forwarder } = center;
  const ref = environmentBrowserOf(owner);
  const target = moRef('EnvironmentBrowser', 'ha-env-browser');
  const hostFor = (named: MoRef<'HostSystem'> | undefined) => {
    if (named && inventory.get(named).parent.value !== owner.value) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'host' });
    }
    const host = named ?? hosts.hostsOf(owner).find((one) => hosts.isConnected(one));
    if (!host) throw new MethodFault('HostNotConnected');
    return host;
  };
  const seesOf =
    ({ session }: Call) =>
    (entity: ManagedObjectReference) =>
      service.authorization.privilegesOf(session, entity as MoRef).has('System.View');
  const handlers = METHODS.map((method) => [
    method,
    async (args: { host?: MoRef<'HostSystem'>; spec?: { host?: MoRef<'HostSystem'> } }, call: Call) => {
      const host = hostFor(args.host ?? args.spec?.host);
      const answer = await forwarder.call(ref, { host, target, method, args }, call.signal);
      return method === 'QueryConfigTarget' ? visibleTarget(answer as ConfigTarget, seesOf(call)) : answer;
    },
  ]);
  return {
    ref,
    properties: {},
    handlers: Object.fromEntries(handlers) as Handlers<'EnvironmentBrowser', Call>,
  };
}
