// Why no host of a compute resource takes a VM, as one fault.
import { type ClusterSnapshot, placeVms, type VmNeeds } from '@vivarium/drs';
import { MethodFault } from '@vivarium/vim';

export function refusedByHosts(needs: VmNeeds, cluster: ClusterSnapshot): MethodFault {
  const [refused] = placeVms([needs], cluster).refused;
  return refused?.fault ?? new MethodFault('NoCompatibleHost', { host: cluster.hosts.map(({ host }) => host) });
}
