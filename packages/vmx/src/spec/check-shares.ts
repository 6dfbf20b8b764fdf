import { MethodFault, type SharesInfo } from '@vivarium/vim';
import { type SharesTable, sharesOf } from '../config/shares.ts';

/** Shares of a spec with the number that their level means. `property` names them in the fault. */
export function checkShares(shares: SharesInfo | undefined, table: SharesTable, property: string): SharesInfo {
  if (shares === undefined) return sharesOf('normal', 0, table);
  const { level } = shares;
  if (!['low', 'normal', 'high', 'custom'].includes(level))
    throw new MethodFault('InvalidArgument', { invalidProperty: property });
  if (level === 'custom' && !(Number.isInteger(shares.shares) && shares.shares > 0 && shares.shares <= 1_000_000)) {
    throw new MethodFault('InvalidArgument', { invalidProperty: property });
  }
  return sharesOf(level, shares.shares, table);
}
