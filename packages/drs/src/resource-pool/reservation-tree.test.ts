import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ReservationSettings, ReservationTree } from './reservation-tree.ts';

const fixed = (reservation: number, limit = Infinity): ReservationSettings => ({
  reservation,
  isExpandable: false,
  limit,
});
const expandable = (reservation: number, limit = Infinity): ReservationSettings => ({
  reservation,
  isExpandable: true,
  limit,
});

describe('reservations in a tree of pools', () => {
  test('a fixed pool has its reservation to give, and no more', () => {
    const tree = new ReservationTree('root', 6000);
    tree.add('qa', 'root', fixed(2000));
    tree.reserve('qa', 1500);
    assert.equal(tree.unreserved('qa'), 500);
    assert.equal(tree.unreserved('root'), 4000);
    assert.equal(tree.used('root'), 2000);
    assert.equal(tree.usedForVm('root'), 1500);
  });

  // The example of "Expandable Reservations" in vSphere Resource Management, in MHz.
  test('an expandable pool borrows from its parent', () => {
    const tree = new ReservationTree('root', 6000);
    tree.add('admin', 'root', expandable(2000));
    tree.add('dept', 'admin', expandable(1000));
    tree.reserve('dept', 1000);
    assert.equal(tree.unreserved('dept'), 5000);
    tree.reserve('dept', 1500);
    assert.equal(tree.taken('dept'), 2500);
    assert.equal(tree.taken('admin'), 2500);
    assert.equal(tree.unreserved('root'), 3500);
    tree.reserve('dept', -1500);
    assert.equal(tree.unreserved('root'), 4000);
  });

  test('a limit bounds what may be reserved, also for pools below', () => {
    const tree = new ReservationTree('root', 6000);
    tree.add('admin', 'root', expandable(0, 3000));
    tree.add('dept', 'admin', expandable(0));
    assert.equal(tree.unreserved('dept'), 3000);
    assert.equal(tree.maxUsage('dept'), 3000);
    tree.reserve('dept', 2500);
    assert.equal(tree.unreserved('dept'), 500);
  });

  test('when a host is lost, VMs get no more than the root has left', () => {
    const tree = new ReservationTree('root', 6000);
    tree.add('a', 'root', fixed(3000));
    tree.add('b', 'root', fixed(3000));
    tree.reserve('b', 2500);
    tree.setCapacity(3000);
    assert.equal(tree.unreserved('a'), 3000);
    assert.equal(tree.unreservedForVm('a'), 500);
  });

  test('a pool in use is not removed', () => {
    const tree = new ReservationTree('root', 6000);
    tree.add('a', 'root', expandable(0));
    tree.reserve('a', 10);
    assert.throws(() => tree.remove('a'), /in use/);
    tree.reserve('a', -10);
    tree.remove('a');
    assert.equal(tree.has('a'), false);
    assert.equal(tree.unreserved('root'), 6000);
  });
});

interface Pool {
  parent: string;
  settings: ReservationSettings;
}

/** The definitions at the top of reservation-tree.ts, computed anew from all pools and VMs. */
class Oracle {
  capacity: number;
  readonly pools = new Map<string, Pool>();
  readonly vms = new Map<string, number>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  used(key: string): number {
    const children = [...this.pools].filter(([, pool]) => pool.parent === key);
    return (this.vms.get(key) ?? 0) + children.reduce((sum, [child]) => sum + this.taken(child), 0);
  }

  usedForVm(key: string): number {
    const children = [...this.pools].filter(([, pool]) => pool.parent === key);
    return (this.vms.get(key) ?? 0) + children.reduce((sum, [child]) => sum + this.usedForVm(child), 0);
  }

  taken(key: string): number {
    const { settings } = this.pools.get(key) as Pool;
    return settings.isExpandable ? Math.max(settings.reservation, this.used(key)) : settings.reservation;
  }

  unreserved(key: string): number {
    const pool = this.pools.get(key);
    if (!pool) return Math.max(0, this.capacity - this.used(key));
    const { reservation, isExpandable, limit } = pool.settings;
    const own = Math.max(0, reservation - this.used(key)) + (isExpandable ? this.unreserved(pool.parent) : 0);
    return Math.min(own, Math.max(0, limit - this.used(key)));
  }

  isWithin(key: string, ancestor: string): boolean {
    if (key === ancestor) return true;
    const pool = this.pools.get(key);
    return pool !== undefined && this.isWithin(pool.parent, ancestor);
  }
}

const amount = fc.integer({ min: 0, max: 500 });
const settings: fc.Arbitrary<ReservationSettings> = fc.record({
  reservation: amount,
  isExpandable: fc.boolean(),
  limit: fc.oneof(fc.constant(Infinity), fc.integer({ min: 500, max: 1500 })),
});
const pick = fc.nat({ max: 1000 });
const action = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), at: pick, settings }),
  fc.record({ kind: fc.constant('change' as const), at: pick, settings }),
  fc.record({ kind: fc.constant('move' as const), at: pick, to: pick }),
  fc.record({ kind: fc.constant('reserve' as const), at: pick, amount }),
  fc.record({ kind: fc.constant('release' as const), at: pick }),
  fc.record({ kind: fc.constant('capacity' as const), amount: fc.integer({ min: 0, max: 5000 }) }),
);

test('kept up to date step by step, the tree always says what the definitions say', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const tree = new ReservationTree('root', 2000);
      const oracle = new Oracle(2000);
      const keys = ['root'];
      const keyAt = (index: number) => keys[index % keys.length] as string;
      for (const step of actions) {
        if (step.kind === 'add') {
          const key = `p${keys.length}`;
          const parent = keyAt(step.at);
          tree.add(key, parent, step.settings);
          oracle.pools.set(key, { parent, settings: step.settings });
          keys.push(key);
        } else if (step.kind === 'change') {
          const key = keyAt(step.at);
          const pool = oracle.pools.get(key);
          if (!pool) continue;
          tree.change(key, step.settings);
          pool.settings = step.settings;
        } else if (step.kind === 'move') {
          const [key, to] = [keyAt(step.at), keyAt(step.to)];
          const pool = oracle.pools.get(key);
          if (!pool || oracle.isWithin(to, key)) continue;
          tree.move(key, to);
          pool.parent = to;
        } else if (step.kind === 'capacity') {
          tree.setCapacity(step.amount);
          oracle.capacity = step.amount;
        } else {
          const key = keyAt(step.at);
          const now = oracle.vms.get(key) ?? 0;
          const change = step.kind === 'reserve' ? step.amount : -now;
          tree.reserve(key, change);
          oracle.vms.set(key, now + change);
        }
        for (const key of keys) {
          assert.equal(tree.used(key), oracle.used(key), `used of ${key}`);
          assert.equal(tree.usedForVm(key), oracle.usedForVm(key), `used for VMs of ${key}`);
          assert.equal(tree.unreserved(key), oracle.unreserved(key), `unreserved of ${key}`);
        }
      }
    }),
    { numRuns: 300 },
  );
});
