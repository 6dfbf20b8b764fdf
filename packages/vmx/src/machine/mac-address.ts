// Network addresses as an ESXi host makes and checks them.

/**
 * The address that VMware generates for an adapter: 00:0c:29 and the end of uuid.bios, ten further for each adapter.
 * `offset` counts adapters.
 */
export function generatedMacAddress(uuid: string, offset: number): string {
  const tail = (Number.parseInt(uuid.replaceAll('-', '').slice(-6) || '0', 16) + 10 * offset) & 0xff_ffff;
  return ['00', '0c', '29', ...(tail.toString(16).padStart(6, '0').match(/../g) ?? [])].join(':');
}

/** Lower case with colons; `undefined` when it is not the address of one adapter. Dashes and bare digits are accepted. */
export function parseMacAddress(text: string): string | undefined {
  const digits = text.trim().toLowerCase().replace(/[:.-]/g, '');
  if (!/^[0-9a-f]{12}$/.test(digits) || /^0{12}$/.test(digits)) return undefined;
  const isMulticast = (Number.parseInt(digits.slice(0, 2), 16) & 1) === 1;
  return isMulticast ? undefined : (digits.match(/../g) ?? []).join(':');
}

/** Within VMware's own range 00:50:56 only 00 to 3f is for addresses that people choose. */
export function isManualMacAddress(macAddress: string): boolean {
  return !macAddress.startsWith('00:50:56:') || Number.parseInt(macAddress.slice(9, 11), 16) <= 0x3f;
}
