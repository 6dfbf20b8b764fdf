import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isFault } from '@vivarium/vim';
import fc from 'fast-check';
import {
  findNewPoolFault,
  findPoolChangeFault,
  findPoolMoveFault,
  findReservationFault,
  findVmMoveFault,
} from './admission.ts';
import { type PoolSettings, PoolTree } from './pool-tree.ts';
import { poolRuntimeInfo } from './runtime-info.ts';

function settings(cpu: number, memory: number, isExpandable = false, limit = Infinity): PoolSettings {
  return {
    cpu: { reservation: cpu, isExpandable, limit },
    memory: { reservation: memory, isExpandable, limit },
  };
}

function host(): PoolTree {
  return new PoolTree('root', { cpuMhz: 10_000, memoryMB: 8192 });
}

describe('admission control of resource pools', () => {
  test('a VM is refused with what it asked and what is left, memory in bytes', () => {
    const tree = host();
    tree.addPool('qa', 'root', settings(1000, 1024));
    const noCpu = findReservationFault(tree, 'qa', { cpuMhz: 1001, memoryMB: 0 });
    assert.ok(isFault(noCpu, 'InsufficientCpuResourcesFault'));
    assert.deepEqual([noCpu.fault.unreserved, noCpu.fault.requested], [1000, 1001]);
    const noMemory = findReservationFault(tree, 'qa', { cpuMhz: 1000, memoryMB: 1025 });
    assert.ok(isFault(noMemory, 'InsufficientMemoryResourcesFault'));
    assert.deepEqual([noMemory.fault.unreserved, noMemory.fault.requested], [1024 * 2 ** 20, 1025 * 2 ** 20]);
    assert.equal(findReservationFault(tree, 'qa', { cpuMhz: 1000, memoryMB: 1024 }), undefined);
  });

  test('a VM that reserves nothing powers on even where nothing is left', () => {
    const tree = host();
    tree.addPool('empty', 'root', settings(0, 0));
    assert.equal(findReservationFault(tree, 'empty', { cpuMhz: 0, memoryMB: 0 }), undefined);
  });

  test('a new pool gets no more than its parent has left', () => {
    const tree = host();
    tree.addPool('qa', 'root', settings(6000, 1024));
    assert.ok(isFault(findNewPoolFault(tree, 'root', settings(4001, 0)), 'InsufficientCpuResourcesFault'));
    assert.equal(findNewPoolFault(tree, 'root', settings(4000, 7168)), undefined);
    assert.ok(isFault(findNewPoolFault(tree, 'root', settings(100, 100, false, 50)), 'InvalidArgument'));
  });

  test('a change asks the parent for the difference only, and never uncovers what is in use', () => {
    const tree = host();
    tree.addPool('qa', 'root', settings(6000, 1024));
    assert.equal(findPoolChangeFault(tree, 'qa', settings(10_000, 8192)), undefined);
    assert.ok(isFault(findPoolChangeFault(tree, 'qa', settings(10_001, 0)), 'InsufficientCpuResourcesFault'));
    tree.reserve('qa', { cpuMhz: 5000, memoryMB: 512 });
    const shrunk = findPoolChangeFault(tree, 'qa', settings(4000, 1024));
    assert.ok(isFault(shrunk, 'InsufficientCpuResourcesFault'));
    assert.deepEqual([shrunk.fault.unreserved, shrunk.fault.requested], [4000, 5000]);
    assert.equal(findPoolChangeFault(tree, 'qa', settings(4000, 1024, true)), undefined);
    assert.ok(
      isFault(findPoolChangeFault(tree, 'qa', settings(4000, 1024, true, 4500)), 'InsufficientCpuResourcesFault'),
    );
  });

  test('what an expandable pool has borrowed already is not asked for again', () => {
    const tree = host();
    tree.addPool('qa', 'root', settings(0, 0, true));
    tree.reserve('qa', { cpuMhz: 9000, memoryMB: 0 });
    assert.equal(findPoolChangeFault(tree, 'qa', settings(9500, 0, true)), undefined);
    const fault = findPoolChangeFault(tree, 'qa', settings(10_500, 0, true));
    assert.ok(isFault(fault, 'InsufficientCpuResourcesFault'));
    assert.deepEqual([fault.fault.unreserved, fault.fault.requested], [1000, 1500]);
  });

  test('a pool moves with all it has taken, and what it leaves behind counts', () => {
    const tree = host();
    tree.addPool('a', 'root', settings(5000, 1000));
    tree.addPool('b', 'root', settings(5000, 1000));
    tree.addPool('a1', 'a', settings(3000, 500));
    assert.equal(findPoolMoveFault(tree, 'a1', 'b'), undefined);
    assert.ok(isFault(findPoolMoveFault(tree, 'a1', 'root'), 'InsufficientCpuResourcesFault'));
    assert.ok(isFault(findPoolMoveFault(tree, 'a', 'a1'), 'InvalidArgument'));
    tree.reserve('b', { cpuMhz: 2001, memoryMB: 0 });
    assert.ok(isFault(findPoolMoveFault(tree, 'a1', 'b'), 'InsufficientCpuResourcesFault'));
    tree.removePool('a1');
    tree.changePool('a', settings(0, 0, true));
    tree.changePool('b', settings(2001, 0, true));
    tree.addPool('a2', 'a', settings(7000, 0));
    assert.equal(findPoolMoveFault(tree, 'a2', 'b'), undefined);
  });

  test('a running VM moves between pools that borrow from the same parent', () => {
    const tree = new PoolTree('root', { cpuMhz: 1000, memoryMB: 1000 });
    tree.addPool('a', 'root', settings(0, 0, true));
    tree.addPool('b', 'root', settings(0, 0, true));
    const vm = { cpuMhz: 900, memoryMB: 900 };
    tree.reserve('a', vm);
    assert.equal(findVmMoveFault(tree, 'a', 'b', vm), undefined);
    assert.equal(tree.usage('a').cpu.reservationUsed, 900);
  });

  test('a pool whose guarantees cannot all be kept is red', () => {
    const tree = host();
    tree.addPool('qa', 'root', settings(6000, 1024));
    assert.equal(poolRuntimeInfo(tree, 'qa', { cpuMhz: 5, memoryBytes: 7 }).overallStatus, 'green');
    tree.setCapacity({ cpuMhz: 3000, memoryMB: 8192 });
    const info = poolRuntimeInfo(tree, 'qa', { cpuMhz: 5, memoryBytes: 7 });
    assert.equal(info.overallStatus, 'red');
    assert.equal(info.memory.unreservedForVm, 1024 * 2 ** 20);
    assert.deepEqual([info.cpu.overallUsage, info.memory.overallUsage], [5, 7]);
  });
});

test('whatever is admitted, no pool ever promises more than the root has', () => {
  const pick = fc.nat({ max: 100 });
  const amount = fc.integer({ min: 0, max: 3000 });
  const step = fc.record({
    kind: fc.constantFrom('add', 'change', 'move', 'power'),
    at: pick,
    to: pick,
    amount,
    isExpandable: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const tree = host();
      const keys = ['root'];
      const keyAt = (index: number) => keys[index % keys.length] as string;
      for (const { kind, at, to, amount: size, isExpandable } of steps) {
        const key = keyAt(at);
        if (kind === 'add' && !findNewPoolFault(tree, key, settings(size, size, isExpandable))) {
          keys.push(`p${keys.length}`);
          tree.addPool(keys.at(-1) as string, key, settings(size, size, isExpandable));
        } else if (kind === 'change' && key !== 'root') {
          const next = settings(size, size, isExpandable);
          if (!findPoolChangeFault(tree, key, next)) tree.changePool(key, next);
        } else if (kind === 'move' && key !== 'root') {
          if (!findPoolMoveFault(tree, key, keyAt(to))) tree.movePool(key, keyAt(to));
        } else if (kind === 'power') {
          const vm = { cpuMhz: size, memoryMB: size };
          if (!findReservationFault(tree, key, vm)) tree.reserve(key, vm);
        }
        const { cpu, memory } = tree.usage('root');
        assert.ok(cpu.reservationUsed <= 10_000 && memory.reservationUsed <= 8192);
        for (const pool of keys) {
          const usage = tree.usage(pool).cpu;
          assert.equal(usage.unreservedForVm, usage.unreservedForPool, `${pool} is not overcommitted`);
        }
      }
    }),
    { numRuns: 300 },
  );
});
