// Pools of both kinds by their ids, which tell them apart. Pure.
import { type ManagedObjectReference, type MoRef, moRef } from '@vivarium/vim';
import { ID_PREFIXES } from '../inventory/entity-records.ts';

/** A vApp is a resource pool, too. */
export function poolRef(id: string): MoRef<'ResourcePool'> {
  const isApp = id.startsWith(ID_PREFIXES.VirtualApp);
  return isApp ? (moRef('VirtualApp', id) as MoRef<'ResourcePool'>) : moRef('ResourcePool', id);
}

export function isPool(ref: ManagedObjectReference | undefined): ref is MoRef<'ResourcePool'> {
  return ref?.type === 'ResourcePool' || ref?.type === 'VirtualApp';
}

export function isApp(ref: ManagedObjectReference | undefined): ref is MoRef<'VirtualApp'> {
  return ref?.type === 'VirtualApp';
}
