// Typed reading and writing of single VMX values. What is not readable counts as absent, as in VMware; ranges that matter are
// checked where they matter.
import type { VmxFile } from '../text/vmx-file.ts';

export function readText(vmx: VmxFile, key: string): string | undefined {
  return vmx.get(key);
}

export function readFlag(vmx: VmxFile, key: string): boolean | undefined {
  const value = vmx.get(key)?.trim().toLowerCase();
  if (value === undefined) return undefined;
  if (['true', 'yes', 'on', '1', 'y', 't'].includes(value)) return true;
  return ['false', 'no', 'off', '0', 'n', 'f'].includes(value) ? false : undefined;
}

export function readInteger(vmx: VmxFile, key: string): number | undefined {
  const value = vmx.get(key)?.trim();
  if (value === undefined || !/^-?\d{1,15}$/.test(value)) return undefined;
  return Number(value);
}

/** One of `words`, in the spelling of `words`; anything else counts as absent. */
export function readWord<W extends string>(vmx: VmxFile, key: string, words: readonly W[]): W | undefined {
  const value = vmx.get(key)?.trim().toLowerCase();
  return words.find((word) => word.toLowerCase() === value);
}

type Writable = string | number | boolean | undefined;

/** Writes what is there; `undefined` and the value that absence means already leave no line. */
export function write(vmx: VmxFile, key: string, value: Writable, absence?: Writable): void {
  if (value === undefined || value === absence) vmx.delete(key);
  else vmx.set(key, typeof value === 'boolean' ? (value ? 'TRUE' : 'FALSE') : `${value}`);
}
