// Whether a host's feature capability meets what a VM requires of it: `cpuid.aes` = `Bool:Min:1`, `hv.capable` … Pure.

import type { VirtualMachineFeatureRequirement } from '@vivarium/vim';

/**
 * The value of a requirement is `KIND:OPERATION:VALUE`; kinds are Bool and Num, operations Min, Max and Equal. A capability that the host does
 * not have counts as 0. A requirement in another form can only be met by the very same text.
 */
export function isFeatureMet(
  { key, value }: VirtualMachineFeatureRequirement,
  features: ReadonlyMap<string, string>,
): boolean {
  const [kind, operation, wanted] = value.split(':');
  if ((kind !== 'Bool' && kind !== 'Num') || wanted === undefined) return features.get(key) === value;
  const has = Number(features.get(key) ?? '0');
  switch (operation) {
    case 'Min':
      return has >= Number(wanted);
    case 'Max':
      return has <= Number(wanted);
    case 'Equal':
      return has === Number(wanted);
    default:
      return false;
  }
}
