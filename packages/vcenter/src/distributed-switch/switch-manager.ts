// DistributedVirtualSwitchManager. Source: vSphere Web Services API, DistributedVirtualSwitchManager.
import { type Handlers, MethodFault, type MoRef, moRef } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { productOf, VERSIONS } from './new-switch.ts';
import { featureCapability } from './switch-face.ts';

const MANAGER = moRef('DistributedVirtualSwitchManager', 'DVSManager');

export function addSwitchManager(center: Center): void {
  const { service, inventory } = center;
  const switchOf = (uuid: string) => {
    for (const [ref, record] of inventory.ofType('VmwareDistributedVirtualSwitch')) {
      if (record.uuid === uuid.toLowerCase()) return [ref, record] as const;
    }
    throw new MethodFault('NotFound');
  };
  const hostsBelow = (container: MoRef, isRecursive: boolean) =>
    Array.from(inventory.ofType('HostSystem'), ([host]) => host).filter(
      (host) =>
        container.value === host.value ||
        (isRecursive
          ? isBelow(center, host as MoRef, container)
          : inventory.get(host).parent.value === container.value),
    );
  const productOfVersion = (version: string) => productOf({ version } as never);
  const handlers: Handlers<'DistributedVirtualSwitchManager', Call> = {
    QueryDvsByUuid: ({ uuid }) => switchOf(uuid)[0],
    DVSManagerLookupDvPortGroup: ({ switchUuid, portgroupKey }) => {
      const found = switchOf(switchUuid)[1].portgroups.find(({ value }) => value === portgroupKey);
      if (!found) throw new MethodFault('NotFound');
      return found;
    },
    // None is advised against; clients make switches of the versions that are recommended.
    QueryAvailableDvsSpec: ({ recommended }) => (recommended === false ? [] : VERSIONS.map(productOfVersion)),
    QueryDvsFeatureCapability: () => featureCapability(),
    QueryCompatibleHostForNewDvs: ({ container, recursive }) => hostsBelow(container as MoRef, recursive),
    QueryCompatibleHostForExistingDvs: ({ container, recursive, dvs }) => {
      const record = inventory.get(
        dvs as MoRef as Parameters<typeof inventory.get<'VmwareDistributedVirtualSwitch'>>[0],
      );
      return hostsBelow(container as MoRef, recursive).filter(
        (host) => inventory.above(host, 'Datacenter')?.value === record.datacenter.value,
      );
    },
  };
  service.graph.add(MANAGER, {}, handlers);
  service.extendContent({ dvSwitchManager: MANAGER });
}

function isBelow({ inventory }: Center, ref: MoRef, container: MoRef): boolean {
  for (let at: MoRef | undefined = ref; at; at = inventory.parentOf(at)) {
    if (at.type === container.type && at.value === container.value) return true;
  }
  return false;
}
