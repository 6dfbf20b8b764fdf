// DistributedVirtualSwitchManager. Source: vSphere Web Services API, DistributedVirtualSwitchManager.
import { type Handlers, type ManagedObjectReference, MethodFault, type MoRef, moRef } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { productOf, VERSIONS } from './new-switch.ts';
import { featureCapability } from './switch-face.ts';

const MANAGER = moRef('DistributedVirtualSwitchManager', 'DVSManager');

export function addSwitchManager(center: Center): void {
  const { service, inventory } = center;
  /** Nothing is found that the caller may not read. */
  const mayRead = ({ session }: Call, ref: ManagedObjectReference) =>
    service.authorization.privilegesOf(session, ref as MoRef).has('System.Read');
  const switchOf = (uuid: string, call: Call) => {
    for (const [ref, record] of inventory.ofType('VmwareDistributedVirtualSwitch')) {
      if (record.uuid === uuid.toLowerCase() && mayRead(call, ref)) return [ref, record] as const;
    }
    throw new MethodFault('NotFound');
  };
  const hostsBelow = (container: MoRef, isRecursive: boolean, call: Call) =>
    Array.from(inventory.ofType('HostSystem'), ([host]) => host).filter(
      (host) =>
        mayRead(call, host) &&
        (container.value === host.value ||
          (isRecursive
            ? isBelow(center, host as MoRef, container)
            : inventory.get(host).parent.value === container.value)),
    );
  const productOfVersion = (version: string) => productOf({ version } as never);
  const handlers: Handlers<'DistributedVirtualSwitchManager', Call> = {
    QueryDvsByUuid: ({ uuid }, call) => switchOf(uuid, call)[0],
    DVSManagerLookupDvPortGroup: ({ switchUuid, portgroupKey }, call) => {
      const found = switchOf(switchUuid, call)[1].portgroups.find(({ value }) => value === portgroupKey);
      if (!found || !mayRead(call, found)) throw new MethodFault('NotFound');
      return found;
    },
    // None is advised against; clients make switches of the versions that are recommended.
    QueryAvailableDvsSpec: ({ recommended }) => (recommended === false ? [] : VERSIONS.map(productOfVersion)),
    QueryDvsFeatureCapability: () => featureCapability(),
    QueryCompatibleHostForNewDvs: ({ container, recursive }, call) => hostsBelow(container as MoRef, recursive, call),
    QueryCompatibleHostForExistingDvs: ({ container, recursive, dvs }, call) => {
      const record = inventory.get(
        dvs as MoRef as Parameters<typeof inventory.get<'VmwareDistributedVirtualSwitch'>>[0],
      );
      return hostsBelow(container as MoRef, recursive, call).filter(
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
