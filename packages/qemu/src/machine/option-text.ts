// QEMU's `key=value,…` option text, for the few options that do not take JSON.

/** `value` as part of an option: a comma is doubled, nothing else is special (QEMU's "keyval" and QemuOpts alike). */
export function optionValue(value: string): string {
  if (value.includes('\0')) throw new RangeError('an option cannot hold a NUL character');
  return value.replaceAll(',', ',,');
}

/** `head,key=value,…`; entries that are `undefined` are left out, booleans become on/off. */
export function optionText(
  head: string,
  options: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const parts = Object.entries(options).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [`${key}=${typeof value === 'boolean' ? (value ? 'on' : 'off') : optionValue(String(value))}`];
  });
  return [head, ...parts].filter((part) => part !== '').join(',');
}
