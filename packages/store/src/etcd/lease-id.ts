import type { Random } from '@vivarium/base';

/** An id for a lease of etcd's: positive, and exact as a number. */
export function leaseId(random: Random): number {
  return Buffer.from(random.bytes(6)).readUIntBE(0, 6) || 1;
}
