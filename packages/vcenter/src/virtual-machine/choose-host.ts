// Which host of a compute resource makes a VM when none is named: the one that drs ranks best for it.
import { rankHosts } from '@vivarium/drs';
import { MethodFault, type MoRef, type VirtualMachineConfigSpec } from '@vivarium/vim';
import type { Center } from '../center.ts';
import { clusterSnapshot } from './cluster-snapshot.ts';
import { refusedByHosts } from './refused-by-hosts.ts';
import { needsOfSpec } from './vm-needs.ts';

/** Of VMs whose specification names none: the newest. */
export const NEWEST_VERSION = 'vmx-21';

export interface HostChoice {
  readonly pool: MoRef<'ResourcePool'>;
  /** The one that was named. */
  readonly host?: MoRef<'HostSystem'> | undefined;
  readonly spec: VirtualMachineConfigSpec;
}

/** Faults: InvalidArgument (the host is elsewhere), HostNotConnected, InvalidDatastore, NoCompatibleHost. */
export function chooseHost(center: Center, { pool, host, spec }: HostChoice): MoRef<'HostSystem'> {
  const { hosts, inventory } = center;
  const { owner } = inventory.get<'ResourcePool'>(pool);
  if (host) {
    if (inventory.get(host).parent.value !== owner.value) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'host' });
    }
    hosts.connected(host);
    return host;
  }
  const version = spec.version ?? NEWEST_VERSION;
  const needs = needsOfSpec(center, pool, spec, version);
  const cluster = clusterSnapshot(center, owner, version);
  const [best] = rankHosts(needs, cluster);
  if (best) return best.host;
  throw refusedByHosts(needs, cluster);
}
