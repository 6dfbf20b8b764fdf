// OvfManager of vCenter: a host that has the datastore reads the descriptor, and what it makes of it is said in our words.
import { type Handlers, MethodFault, moRef } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { hostWithAll } from '../datastore-files/locate-file.ts';

const ON_HOST = moRef('OvfManager', 'ha-ovf-manager');
const MANAGER = moRef('OvfManager', 'OvfManager');

export function addOvfManager(center: Center): void {
  const { service, forwarder, inventory, hosts } = center;
  const handlers: Handlers<'OvfManager', Call> = {
    /** Faults: HostNotConnected, InvalidArgument, and the host's. */
    CreateImportSpec({ ovfDescriptor, resourcePool, datastore, cisp: { hostSystem, ...cisp } }, call) {
      inventory.get(resourcePool);
      const host = hostSystem ?? hostWithAll(center, [datastore]);
      if (!host || !hosts.isConnected(host)) throw new MethodFault('HostNotConnected');
      // A host's root pool stands for whatever pool the VM comes into here.
      const resourcePoolThere = moRef('ResourcePool', 'ha-root-pool');
      const named = hosts.connected(host).mirror.refs.toHost({ datastore, cisp });
      const args = { ...named, ovfDescriptor, resourcePool: resourcePoolThere };
      return forwarder.callLocal(host, ON_HOST, 'CreateImportSpec', args, call.signal) as never;
    },
  };
  service.graph.add(MANAGER, { ovfImportOption: [], ovfExportOption: [] }, handlers);
  service.extendContent({ ovfManager: MANAGER });
}
