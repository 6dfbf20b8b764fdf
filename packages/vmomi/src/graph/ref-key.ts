import type { MoRef } from '@vivarium/vim';

/** A moref as a map key: equal for equal type and value, whatever else the object carries. */
export function refKey(ref: Pick<MoRef, 'type' | 'value'>): string {
  return `${ref.type}:${ref.value}`;
}

export function sameRef(a: Pick<MoRef, 'type' | 'value'>, b: Pick<MoRef, 'type' | 'value'>): boolean {
  return a.value === b.value && a.type === b.type;
}
