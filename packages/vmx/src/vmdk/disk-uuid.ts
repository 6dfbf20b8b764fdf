// A disk's UUID: `6000C293-5f9a-8c11-4e9f-5b0c1d2e3f40` in the API, `60 00 C2 93 5f 9a 8c 11-4e 9f 5b 0c 1d 2e 3f 40` in files.
import type { Random } from '@vivarium/base';

/** A new disk UUID in the API's spelling: VMware's prefix 6000C29 and random digits. */
export function newDiskUuid(random: Random): string {
  const hex = Array.from(random.bytes(13), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return dashed(`6000C29${hex.slice(0, 25)}`);
}

/** API spelling -> the spelling of `ddb.uuid` (and of `uuid.bios` in a VMX). */
export function formatDdbUuid(uuid: string): string {
  const bytes = uuid.replaceAll('-', '').match(/../g) ?? [];
  return `${bytes.slice(0, 8).join(' ')}-${bytes.slice(8).join(' ')}`;
}

/** The spelling of files -> the API's; `undefined` when it is not 16 bytes of hex. */
export function parseDdbUuid(text: string): string | undefined {
  const hex = text.replace(/[\s-]/g, '');
  return /^[0-9a-f]{32}$/i.test(hex) ? dashed(hex) : undefined;
}

function dashed(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
