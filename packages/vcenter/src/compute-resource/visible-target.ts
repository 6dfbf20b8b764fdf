// A ConfigTarget as somebody may see it: without the datastores, networks and switches that are hidden from it. Pure.
import type { ConfigTarget, ManagedObjectReference } from '@vivarium/vim';

/** `sees`: whether the asker sees that the entity exists. What names no entity stays. */
export function visibleTarget(target: ConfigTarget, sees: (entity: ManagedObjectReference) => boolean): ConfigTarget {
  const only = <T>(list: readonly T[] | undefined, refOf: (item: T) => ManagedObjectReference | undefined) =>
    list?.filter((item) => {
      const ref = refOf(item);
      return ref === undefined || sees(ref);
    });
  return {
    ...target,
    datastore: only(target.datastore, ({ datastore }) => datastore.datastore),
    network: only(target.network, ({ network }) => network.network),
    distributedVirtualPortgroup: only(target.distributedVirtualPortgroup, ({ portgroup }) => portgroup),
    distributedVirtualSwitch: only(target.distributedVirtualSwitch, (one) => one.distributedVirtualSwitch),
  } as ConfigTarget;
}
