// Dictionary -> VMX text, as VMware writes it: one `key = "value"` a line, UTF-8, `.encoding` first.
import { invariant } from '@vivarium/base';
import { isVmxKey, type VmxFile } from './vmx-file.ts';

/** parseVmx(formatVmx(file)) gives the same entries in the same order, `.encoding` added. */
export function formatVmx(file: VmxFile): string {
  const lines = ['.encoding = "UTF-8"'];
  for (const { key, value } of file.entries()) {
    if (key.toLowerCase() === '.encoding') continue;
    invariant(isVmxKey(key), `not a VMX key: ${JSON.stringify(key)}`);
    lines.push(`${key} = "${escapeValue(value)}"`);
  }
  return `${lines.join('\n')}\n`;
}

function escapeValue(value: string): string {
  return value
    .toWellFormed()
    .replaceAll('\0', '')
    .replace(/["|]|(?!\t)\p{Cc}/gu, (character) => {
      return Array.from(new TextEncoder().encode(character), escapeByte).join('');
    });
}

function escapeByte(byte: number): string {
  return `|${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
