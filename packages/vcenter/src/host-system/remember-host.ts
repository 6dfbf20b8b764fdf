import type { MoRef } from '@vivarium/vim';
import type { Center } from '../center.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';

/** Puts a change of what vCenter itself knows of a host onto disk. Fault: ManagedObjectNotFound. */
export function rememberHost(
  { inventory }: Pick<Center, 'inventory'>,
  host: MoRef<'HostSystem'>,
  change: Partial<EntityRecord<'HostSystem'>>,
): Promise<void> {
  return inventory.exclusively(() => inventory.apply([{ put: host, record: { ...inventory.get(host), ...change } }]));
}
