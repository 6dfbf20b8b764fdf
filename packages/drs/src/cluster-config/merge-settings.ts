// Incremental reconfiguration: what a spec leaves unset stays as it is. Pure.

import type { OptionValue } from '@vivarium/vim';

interface Data {
  readonly _typeName?: string;
}

/**
 * `base` with every property that `change` sets. Data objects of the same type are merged in depth, those of another type, lists and
 * values are replaced; lists of OptionValue are merged by key, and an empty value removes the option.
 */
export function mergeSettings<T extends object>(base: T | undefined, change: T | undefined): T | undefined {
  if (base === undefined || change === undefined) return change ?? base;
  const merged: Record<string, unknown> = Object.fromEntries(Object.entries(base));
  for (const [name, value] of Object.entries(change)) {
    if (value !== undefined) merged[name] = mergeValue(merged[name], value);
  }
  return merged as T;
}

function mergeValue(base: unknown, change: unknown): unknown {
  if (isOptions(change)) return mergeOptions(isOptions(base) ? base : [], change);
  return isData(base) && isData(change) && base._typeName === change._typeName ? mergeSettings(base, change) : change;
}

function mergeOptions(base: readonly OptionValue[], change: readonly OptionValue[]): readonly OptionValue[] {
  const options = new Map(base.map((option) => [option.key, option]));
  for (const option of change) {
    if (isEmpty(option.value)) options.delete(option.key);
    else options.set(option.key, option);
  }
  return [...options.values()];
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === '' ||
    (typeof value === 'object' && value !== null && '_value' in value && value._value === '')
  );
}

function isOptions(value: unknown): value is readonly OptionValue[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((item) => isData(item) && item._typeName === 'OptionValue')
  );
}

function isData(value: unknown): value is Data & { readonly _typeName: string } {
  return typeof value === 'object' && value !== null && '_typeName' in value && typeof value._typeName === 'string';
}
