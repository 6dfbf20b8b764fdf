// A host's network without what only carries distributed switches: what HostSystem.config.network and the HostNetworkSystem show
// in vCenter. Pure.
import type { HostNetworkConfig, HostNetworkInfo } from '@vivarium/vim';
import { isHiddenSwitch, parseHiddenPortGroup } from './hidden-network.ts';

export function hideNetworks<T extends HostNetworkInfo | HostNetworkConfig>(network: T): T {
  const { vswitch, portgroup } = network;
  return {
    ...network,
    ...(vswitch ? { vswitch: vswitch.filter(({ name }) => !isHiddenSwitch(name)) } : {}),
    ...(portgroup ? { portgroup: portgroup.filter(({ spec }) => !parseHiddenPortGroup(spec?.name)) } : {}),
  } as T;
}
