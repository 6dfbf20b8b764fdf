// For tests: the lease of somebody else's import, and /nfc, which a lease's secret opens.
import assert from 'node:assert/strict';
import type { MoRef } from '@vivarium/vim';
import { ask, fetchFrom, read } from '../ask.ts';
import type { Tenant, World } from '../world.ts';

/** `guesses`: what somebody may take for its secret. */
export async function compareLease(world: World, who: Tenant, lease: MoRef, guesses: readonly string[]): Promise<void> {
  assert.equal((await read(world, who, lease, 'info')).fault, 'ManagedObjectNotFound');
  for (const [method, args] of [
    ['HttpNfcLeaseProgress', { percent: 1 }],
    ['HttpNfcLeaseAbort', {}],
    ['HttpNfcLeaseComplete', {}],
  ] as const) {
    assert.equal((await ask(world, who, lease, method, args)).fault, 'ManagedObjectNotFound');
  }
  for (const method of ['POST', 'PUT'] as const) {
    for (const guess of [lease.value, '0'.repeat(48), ...guesses]) {
      const { status } = await fetchFrom(world, who, method, `/nfc/${encodeURIComponent(guess)}/disk-0.vmdk`, 'bytes');
      assert.equal(status, 404, guess);
    }
  }
}
