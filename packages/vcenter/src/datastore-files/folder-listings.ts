// The upper levels of /folder: datacenters and their datastores, as far as the user may see them.
import type { MoRef } from '@vivarium/vim';
import { folderUrl, type ListingEntry, type Session } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { plainName } from '../inventory/entity-name.ts';

type Where = Pick<Center, 'service' | 'inventory'>;

export function datacenterEntries({ service, inventory }: Where, session: Session): ListingEntry[] {
  const entries = Array.from(inventory.ofType('Datacenter')).flatMap(([ref]) => {
    if (!service.authorization.holds(session, service.graph.get(ref), 'System.View')) return [];
    const path = inventoryPath({ inventory }, ref);
    return [{ name: path, href: folderUrl(path) }];
  });
  return entries.toSorted(byName);
}

export function datastoreEntries(
  { service, inventory }: Where,
  session: Session,
  datacenter: MoRef<'Datacenter'>,
): ListingEntry[] {
  const dcPath = inventoryPath({ inventory }, datacenter);
  const entries = Array.from(inventory.ofType('Datastore')).flatMap(([ref, record]) => {
    if (record.datacenter.value !== datacenter.value) return [];
    if (!service.authorization.holds(session, service.graph.get(ref), 'Datastore.Browse')) return [];
    const name = plainName(record.name);
    return [{ name, href: folderUrl(dcPath, name) }];
  });
  return entries.toSorted(byName);
}

/** As clients write it in dcPath: without the root folder and the leading slash. */
function inventoryPath({ inventory }: Pick<Center, 'inventory'>, datacenter: MoRef<'Datacenter'>): string {
  const { name, parent } = inventory.get(datacenter);
  const names = [name];
  for (let at: MoRef | undefined = parent; at && inventory.parentOf(at); at = inventory.parentOf(at)) {
    names.unshift(inventory.get(at as MoRef<'Folder'>).name);
  }
  return names.join('/');
}

function byName(a: ListingEntry, b: ListingEntry): number {
  return a.name < b.name ? -1 : 1;
}
