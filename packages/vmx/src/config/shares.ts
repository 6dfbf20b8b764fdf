// Shares: a level or a number, the same in a VMX and in the API.
import { make, type SharesInfo, type SharesLevel } from '@vivarium/vim';
import type { VmxFile } from '../text/vmx-file.ts';
import { readText, write } from './vmx-values.ts';

export type SharesTable = Readonly<Record<Exclude<SharesLevel, 'custom'>, number>>;

const MAX_SHARES = 1_000_000;

/** Number of shares that a level means; a custom number is kept within vSphere's bounds by the caller. */
export function sharesOf(level: SharesLevel, custom: number, table: SharesTable): SharesInfo {
  return make('SharesInfo', { shares: level === 'custom' ? custom : table[level], level });
}

export function readShares(vmx: VmxFile, key: string, table: SharesTable): SharesInfo {
  const text = readText(vmx, key)?.trim().toLowerCase() ?? 'normal';
  if (text === 'low' || text === 'high') return sharesOf(text, 0, table);
  const number = /^\d{1,7}$/.test(text) ? Number(text) : undefined;
  if (number === undefined) return sharesOf('normal', 0, table);
  return sharesOf('custom', Math.min(number, MAX_SHARES), table);
}

export function writeShares(vmx: VmxFile, key: string, shares: SharesInfo | undefined): void {
  write(vmx, key, shares?.level === 'custom' ? shares.shares : shares?.level, 'normal');
}
