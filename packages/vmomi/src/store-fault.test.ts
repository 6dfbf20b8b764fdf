import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { LeaseLost, StoreFull, StoreUnavailable } from '@vivarium/store';
import { asFault } from './http/report-failure.ts';

void test('what the store refuses is DatabaseError, and says whether anything was changed', () => {
  for (const [error, says] of [
    [new StoreFull('SQLITE_FULL'), /no room left.*nothing was changed/],
    [new StoreUnavailable('no quorum', 'notApplied'), /cannot be reached: nothing was changed/],
    [new StoreUnavailable('no quorum', 'unknown'), /whether the change was made shows/],
    [new LeaseLost('over'), /could not be changed/],
  ] as const) {
    const fault = asFault(silentLogger, error, {});
    assert.equal(fault.fault._typeName, 'DatabaseError');
    assert.match(fault.message, says);
  }
  assert.equal(asFault(silentLogger, new Error('a bug'), {}).fault._typeName, 'SystemError');
});
