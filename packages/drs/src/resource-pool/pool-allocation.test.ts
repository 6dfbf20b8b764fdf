import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, make, type ResourceAllocationInfo } from '@vivarium/vim';
import { changedPoolAllocation, newPoolAllocation, normalPoolAllocation } from './pool-allocation.ts';

const info = (values: Partial<ResourceAllocationInfo>) => make('ResourceAllocationInfo', values);
const shares = (level: 'low' | 'normal' | 'high' | 'custom', number = 0) =>
  make('SharesInfo', { level, shares: number });
const complete = { reservation: 100, limit: -1, expandableReservation: false, shares: shares('high') };

const refused = (property: string) => (error: unknown) =>
  isFault(error, 'InvalidArgument') && error.fault.invalidProperty === property;

test('a new pool says everything; levels become the numbers that they mean', () => {
  const made = newPoolAllocation('memory', info(complete));
  assert.deepEqual([made.reservation, made.limit, made.expandableReservation], [100, -1, false]);
  assert.deepEqual(made.shares, shares('high', 327_680));
  assert.equal(newPoolAllocation('cpu', info({ ...complete, shares: shares('low', 7) })).shares?.shares, 2000);
  for (const name of Object.keys(complete)) {
    const some = info({ ...complete, [name]: undefined });
    assert.throws(() => newPoolAllocation('cpu', some), refused('spec.cpuAllocation'), name);
  }
});

test('a change changes what it names', () => {
  const before = newPoolAllocation('cpu', info(complete));
  const after = changedPoolAllocation('cpu', before, info({ limit: 500 }));
  assert.deepEqual({ ...after }, { ...before, limit: 500 });
  assert.equal(changedPoolAllocation('cpu', before, info({ shares: shares('custom', 42) })).shares?.shares, 42);
});

test('what makes no sense is refused by name', () => {
  const change = (values: Partial<ResourceAllocationInfo>) => () =>
    changedPoolAllocation('cpu', normalPoolAllocation('cpu'), info(values));
  assert.throws(change({ reservation: -1 }), refused('spec.cpuAllocation.reservation'));
  assert.throws(change({ reservation: 0.5 }), refused('spec.cpuAllocation.reservation'));
  assert.throws(change({ limit: -2 }), refused('spec.cpuAllocation.limit'));
  assert.throws(change({ reservation: 10, limit: 9 }), refused('spec.cpuAllocation.limit'));
  assert.throws(change({ overheadLimit: 5 }), refused('spec.cpuAllocation.overheadLimit'));
  assert.throws(change({ shares: shares('custom', 0) }), refused('spec.cpuAllocation.shares'));
  assert.throws(change({ shares: shares('custom', 1_000_001) }), refused('spec.cpuAllocation.shares'));
  assert.throws(change({ shares: shares('odd' as 'low') }), refused('spec.cpuAllocation.shares'));
});
