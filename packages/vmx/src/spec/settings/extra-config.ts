// extraConfig of a spec, merged into the VMX.
import type { OptionValue } from '@vivarium/vim';
import { isSettableKey } from '../../config/known-keys.ts';
import { textOf } from '../../config/vmx-from-config.ts';
import { isVmxKey, VmxFile } from '../../text/vmx-file.ts';
import { invalidArgument } from '../invalid-argument.ts';

const MAX_VALUE = 4 * 1024 * 1024;

/** An empty value removes the key. Keys that other fields of the spec set are ignored, as in vSphere. */
export function mergeExtraConfig(vmx: VmxFile, changes: readonly OptionValue[]): VmxFile {
  const merged = new VmxFile();
  for (const { key, value } of vmx.entries()) merged.set(key, value);
  for (const { key, value } of changes) {
    if (!isVmxKey(key ?? '')) throw invalidArgument('extraConfig');
    const text = textOf(value);
    if (text.length > MAX_VALUE || text.includes('\0')) throw invalidArgument('extraConfig');
    if (!isSettableKey(key)) continue;
    if (text === '') merged.delete(key);
    else merged.set(key, text);
  }
  return merged;
}
