// The Network object: the port groups of one name on the hosts of a datacenter.
import { MethodFault, make } from '@vivarium/vim';
import type { EntityFace } from '../publish/publisher.ts';

export function networkFace(): EntityFace<'Network'> {
  return {
    handlers: (ref) => ({
      // It is there because hosts have it; they give it up by HostNetworkSystem.RemovePortGroup.
      DestroyNetwork: () => {
        throw new MethodFault('ResourceInUse', { type: 'Network', name: ref.value });
      },
    }),
    properties: (ref, { name }) => ({
      summary: make('NetworkSummary', { network: ref, name, accessible: true, ipPoolName: '' }),
      host: [],
      vm: [],
    }),
    listings: ({ parent, datacenter }) => [
      { owner: parent, property: 'childEntity' },
      { owner: datacenter, property: 'network' },
    ],
  };
}
