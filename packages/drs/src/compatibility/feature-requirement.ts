// What a VM requires of a host's features (`cpuid.aes` = `Bool:Min:1`, `hv.capable` …), read once and asked for many hosts. Pure.

import type { VirtualMachineFeatureRequirement } from '@vivarium/vim';

/** The schema's requirement with its value read. */
export interface FeatureRequirement {
  readonly requirement: VirtualMachineFeatureRequirement;
  /** `text`: a form that we do not know, which only the very same text meets. */
  readonly operation: 'min' | 'max' | 'equal' | 'text';
  readonly operand: number;
}

const OPERATIONS: Readonly<Record<string, 'min' | 'max' | 'equal'>> = { Min: 'min', Max: 'max', Equal: 'equal' };

/** The value is `KIND:OPERATION:VALUE`; kinds are Bool and Num, operations Min, Max and Equal. */
export function parseFeatureRequirement(requirement: VirtualMachineFeatureRequirement): FeatureRequirement {
  const [kind, name = '', value] = requirement.value.split(':');
  const operation = OPERATIONS[name];
  const operand = Number(value);
  const isKnown = (kind === 'Bool' || kind === 'Num') && operation !== undefined && !Number.isNaN(operand);
  return isKnown ? { requirement, operation, operand } : { requirement, operation: 'text', operand: 0 };
}

/** `features`: the host's capabilities by key. One that it does not have counts as 0. */
export function isFeatureMet(
  { requirement, operation, operand }: FeatureRequirement,
  features: ReadonlyMap<string, string>,
): boolean {
  const capability = features.get(requirement.key);
  if (operation === 'text') return capability === requirement.value;
  const has = capability === undefined ? 0 : Number(capability);
  if (operation === 'min') return has >= operand;
  return operation === 'max' ? has <= operand : has === operand;
}
