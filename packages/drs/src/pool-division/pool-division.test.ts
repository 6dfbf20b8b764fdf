import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Allocation } from '../resource-pool/allocation.ts';
import type { VmLoad } from './division-state.ts';
import { type DividedPool, type DividedVm, type HostChange, PoolDivision } from './pool-division.ts';

const NONE: Allocation = { reservation: 0, isExpandable: true, limit: Infinity, shares: 4000 };

function pool(key: string, cpu: Partial<Allocation> = {}, parent = 'root'): DividedPool {
  return { pool: key, parent, cpu: { ...NONE, ...cpu }, memory: NONE };
}

function vm(key: string, host: string, cpu: Partial<VmLoad> = {}, poolKey = 'qa'): DividedVm {
  const load = { reservation: 0, limit: Infinity, shares: 1000, demand: 1000 };
  return { vm: key, pool: poolKey, host, cpu: { ...load, ...cpu }, memory: { ...load, demand: 0 } };
}

const hosts = (...keys: string[]) => ({
  set: keys.map((host) => ({ host, capacity: { cpuMhz: 10_000, memoryMB: 10_000 } })),
});

/** What the hosts are told about the CPU of one pool. */
function cpuOf(changes: readonly HostChange[], key = 'qa') {
  return Object.fromEntries(
    changes.flatMap(({ host, set }) => set.filter((item) => item.pool === key).map((item) => [host, item.cpu])),
  );
}

describe('a pool is divided among the hosts of its VMs', () => {
  test('shares go by the shares of the VMs there', () => {
    const division = new PoolDivision('root');
    const changes = division.apply({
      hosts: hosts('h1', 'h2', 'h3'),
      pools: { set: [pool('qa')] },
      vms: { set: [vm('a', 'h1'), vm('b', 'h1'), vm('c', 'h1'), vm('d', 'h2')] },
    });
    assert.deepEqual(cpuOf(changes), {
      h1: { reservation: 0, limit: Infinity, shares: 3000 },
      h2: { reservation: 0, limit: Infinity, shares: 1000 },
    });
  });

  test('a limit goes first to where there is demand, and never adds up to more', () => {
    const division = new PoolDivision('root');
    const changes = division.apply({
      hosts: hosts('h1', 'h2'),
      pools: { set: [pool('qa', { limit: 4000 })] },
      vms: { set: [vm('a', 'h1', { demand: 3000 }), vm('b', 'h2', { demand: 200 })] },
    });
    assert.deepEqual(
      Object.values(cpuOf(changes)).map(({ limit }) => limit),
      [3400, 600],
    );
  });

  test('where running VMs reserve more than the limit, a host is never told of a limit below what it has reserved', () => {
    const division = new PoolDivision('root');
    const changes = division.apply({
      hosts: hosts('h1', 'h2'),
      pools: { set: [pool('qa', { limit: 1000 })] },
      vms: { set: [vm('a', 'h1', { reservation: 900 }), vm('b', 'h2', { reservation: 200 })] },
    });
    for (const { reservation, limit } of Object.values(cpuOf(changes))) assert.ok(limit >= reservation);
  });

  test('in contention a limit goes by the shares of the VMs, whatever they want', () => {
    const division = new PoolDivision('root');
    const load = { demand: 9000 };
    const changes = division.apply({
      hosts: hosts('h1', 'h2'),
      pools: { set: [pool('qa', { limit: 4000 })] },
      vms: { set: [vm('a', 'h1', { ...load, shares: 3000 }), vm('b', 'h2', load)] },
    });
    assert.deepEqual(
      Object.values(cpuOf(changes)).map(({ limit }) => limit),
      [3000, 1000],
    );
  });

  test('a reservation covers what VMs have reserved and goes on to where there is demand', () => {
    const division = new PoolDivision('root');
    const changes = division.apply({
      hosts: hosts('h1', 'h2'),
      pools: { set: [pool('qa', { reservation: 3000 })] },
      vms: { set: [vm('a', 'h1', { reservation: 1000, demand: 1000 }), vm('b', 'h2', { demand: 1950 })] },
    });
    assert.deepEqual(
      Object.values(cpuOf(changes)).map(({ reservation }) => reservation),
      [1050, 1950],
    );
  });

  test('what an expandable pool has borrowed is on the hosts of the VMs that made it borrow', () => {
    const division = new PoolDivision('root');
    const changes = division.apply({
      hosts: hosts('h1'),
      pools: { set: [pool('qa', { reservation: 500 }), pool('web', {}, 'qa')] },
      vms: { set: [vm('a', 'h1', { reservation: 2000 }, 'web')] },
    });
    assert.equal(cpuOf(changes, 'web')['h1']?.reservation, 2000);
    assert.equal(cpuOf(changes, 'qa')['h1']?.reservation, 2000);
  });

  test('no host promises more than it has; the rest goes where there is room', () => {
    const division = new PoolDivision('root');
    const changes = division.apply({
      hosts: hosts('h1', 'h2'),
      pools: { set: [pool('qa', { reservation: 15_000 })] },
      vms: { set: [vm('a', 'h1', { demand: 14_000 }), vm('b', 'h2'), vm('c', 'h1', { reservation: 3000 }, 'root')] },
    });
    assert.deepEqual(
      Object.values(cpuOf(changes)).map(({ reservation }) => reservation),
      [7000, 8000],
    );
  });

  test('an idle host keeps enough of a limit to begin with', () => {
    const division = new PoolDivision('root');
    const changes = division.apply({
      hosts: hosts('h1', 'h2'),
      pools: { set: [pool('qa', { limit: 4000 })] },
      vms: { set: [vm('a', 'h1', { demand: 9000 }), vm('b', 'h2', { demand: 0 })] },
    });
    assert.deepEqual(
      Object.values(cpuOf(changes)).map(({ limit }) => limit),
      [3900, 100],
    );
  });
});

describe('the division is kept up to date', () => {
  function running() {
    const division = new PoolDivision('root');
    const keys = Array.from({ length: 20 }, (_, index) => `h${10 + index}`);
    division.apply({
      hosts: hosts(...keys),
      pools: { set: [pool('qa', { reservation: 10_000, limit: 30_000 })] },
      vms: { set: keys.map((host) => vm(`vm-${host}`, host)) },
    });
    return division;
  }

  test('small changes of demand tell nobody anything', () => {
    const division = running();
    assert.deepEqual(division.apply({ vms: { set: [vm('vm-h10', 'h10', { demand: 1080 })] } }), []);
    assert.deepEqual(division.apply({}), []);
  });

  test('a large change on one host reaches few others', () => {
    const changed = running().apply({ vms: { set: [vm('vm-h10', 'h10', { demand: 1500 })] } });
    assert.ok(changed.some(({ host }) => host === 'h10'));
    assert.ok(changed.length <= 6, `${changed.length} hosts`);
  });

  test('a limit follows a reservation that a pool below moves to another host', () => {
    const division = new PoolDivision('root');
    const busy = { demand: 10_000 };
    division.apply({
      hosts: hosts('h1', 'h2'),
      pools: { set: [pool('qa', { limit: 2000 }), pool('web', { reservation: 1900 }, 'qa')] },
      vms: {
        set: [
          vm('a', 'h1', busy),
          vm('b', 'h2', busy),
          vm('c', 'h1', { demand: 950 }, 'web'),
          vm('d', 'h2', { demand: 950 }, 'web'),
        ],
      },
    });
    division.apply({
      vms: { set: [vm('c', 'h1', { demand: 1900 }, 'web'), vm('d', 'h2', { demand: 0 }, 'web')] },
    });
    const parts = ['h1', 'h2'].map((host) => division.treeOf(host)[0]?.cpu);
    assert.ok((parts[0]?.reservation ?? 0) > 1700);
    assert.ok(parts.every((part) => part && part.limit >= part.reservation));
    assert.equal((parts[0]?.limit ?? 0) + (parts[1]?.limit ?? 0), 2000);
  });

  test('a pool leaves a host with its last VM there, and what it had goes to the others', () => {
    const division = new PoolDivision('root');
    division.apply({
      hosts: hosts('h1', 'h2'),
      pools: { set: [pool('qa', { reservation: 1000, limit: 4000 }), pool('web', {}, 'qa')] },
      vms: { set: [vm('a', 'h1', {}, 'web'), vm('b', 'h2', {}, 'web')] },
    });
    const changes = division.apply({ vms: { removed: ['a'] } });
    assert.deepEqual(changes[0], { host: 'h1', set: [], removed: ['web', 'qa'] });
    assert.deepEqual(cpuOf(changes), { h2: { reservation: 1000, limit: 4000, shares: 4000 } });
    assert.deepEqual(division.treeOf('h1'), []);
    assert.deepEqual(
      division.treeOf('h2').map((item) => item.pool),
      ['qa', 'web'],
    );
  });

  test('a pool that moves takes its VMs along', () => {
    const division = new PoolDivision('root');
    division.apply({
      hosts: hosts('h1'),
      pools: { set: [pool('qa'), pool('lab'), pool('web', { reservation: 700 }, 'qa')] },
      vms: { set: [vm('a', 'h1', {}, 'web')] },
    });
    const [change] = division.apply({ pools: { set: [pool('web', { reservation: 700 }, 'lab')] } });
    assert.deepEqual(change?.removed, ['qa']);
    assert.deepEqual(
      change?.set.map((item) => [item.pool, item.parent, item.cpu.reservation]),
      [
        ['lab', 'root', 700],
        ['web', 'lab', 700],
      ],
    );
  });

  test('a host with VMs and a pool with VMs are not removed', () => {
    const division = running();
    assert.throws(() => division.apply({ hosts: { removed: ['h10'] } }), /has VMs/);
    assert.throws(() => division.apply({ pools: { removed: ['qa'] } }), /in use/);
  });
});
