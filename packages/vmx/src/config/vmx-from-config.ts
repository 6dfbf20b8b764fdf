// VirtualMachineConfigInfo -> VMX. configFromVmx reads the same configuration back (property test).
import type { VirtualMachineConfigInfo } from '@vivarium/vim';
import { VmxFile } from '../text/vmx-file.ts';
import { deviceFamilies } from './device-families.ts';
import { writeConnected } from './devices/connectable.ts';
import { isSharedKey, isSlotKey, isStructuralKey, topics } from './known-keys.ts';

/** Structured settings first, then extraConfig in its order. Where a key is both, the structured field has the last word. */
export function vmxFromConfig(config: VirtualMachineConfigInfo): VmxFile {
  const structured = new VmxFile();
  for (const topic of topics) topic.write(structured, config);
  const devices = config.hardware.device ?? [];
  for (const family of deviceFamilies) family.write(structured, devices, config.files.vmPathName ?? '');
  writeConnected(structured, devices);

  const extra = (config.extraConfig ?? []).filter(({ key }) => !isStructuralKey(key));
  const extraKeys = new Set(extra.map(({ key }) => key.toLowerCase()));
  const vmx = new VmxFile();
  for (const { key, value } of structured.entries()) {
    if (!extraKeys.has(key.toLowerCase())) vmx.set(key, value);
  }
  for (const { key, value } of extra) {
    const text = agreedText(key, textOf(value), structured);
    if (text !== undefined) vmx.set(key, text);
  }
  return vmx;
}

/** The value of an OptionValue as VMX text; clients send strings, numbers and booleans, boxed or not. */
export function textOf(value: unknown): string {
  if (typeof value === 'object' && value !== null && '_value' in value) return textOf(value._value);
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : '';
}

/** What the line of an extraConfig key says: its own text, unless it is a shared key and the text means something else. */
function agreedText(key: string, text: string, structured: VmxFile): string | undefined {
  if (isSlotKey(key)) return structured.get(key) ?? text;
  const said = structured.get(key);
  if (!isSharedKey(key) || text === said) return text;
  const own = topics.filter((topic) => topic.keys.includes(key.toLowerCase()));
  const trial = new VmxFile();
  for (const entry of structured.entries()) trial.set(entry.key, entry.value);
  trial.set(key, text);
  return meaningOf(trial, own) === meaningOf(structured, own) ? text : said;
}

const NOWHERE = { vmPathName: '', modified: '', datastores: [], networks: [], findDisk: () => undefined };

function meaningOf(vmx: VmxFile, of: readonly Pick<(typeof topics)[number], 'read'>[]): string {
  return JSON.stringify(of.map((topic) => topic.read(vmx, [], NOWHERE)));
}
