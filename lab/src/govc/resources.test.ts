// Resource pools and the allocations of VMs with govc.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { MoRef, Properties } from '@vivarium/vim';
import { useLabHost } from '../testing/use-lab-host.ts';
import { lines, useGovc, withoutGovc } from './use-govc.ts';

/** With its reference, as govc shows objects. */
type Pool = Properties<'ResourcePool'> & { readonly self: MoRef };

const ROOT = '*/Resources';

describe('govc divides a host', { skip: withoutGovc }, () => {
  const host = useLabHost();
  const govc = useGovc(host);
  const pool = async (path: string): Promise<Pool> => {
    const { resourcePools } = await govc.json<{ resourcePools: Pool[] }>('pool.info', path);
    return resourcePools[0] ?? assert.fail(path);
  };
  const vm = async (name: string): Promise<Properties<'VirtualMachine'>> => {
    const { virtualMachines } = await govc.json<{ virtualMachines: Properties<'VirtualMachine'>[] }>('vm.info', name);
    return virtualMachines[0] ?? assert.fail(name);
  };

  test('pool.create and pool.info', async () => {
    await govc('pool.create', '-cpu.reservation', '500', '-cpu.limit', '2000', '-cpu.shares', 'high', `${ROOT}/web`);
    await govc(
      'pool.create',
      '-mem.reservation',
      '64',
      '-mem.limit',
      '1024',
      '-mem.shares',
      '777',
      `${ROOT}/web/inner`,
    );
    assert.match(
      await govc('pool.info', `${ROOT}/web`),
      /CPU Reservation: +500MHz \(expandable=true\)\n +CPU Limit: +2000MHz/,
    );
    const { cpuAllocation, memoryAllocation } = (await pool(`${ROOT}/web/inner`)).config ?? assert.fail();
    assert.deepEqual(
      [memoryAllocation.reservation, memoryAllocation.limit, memoryAllocation.shares?.shares],
      [64, 1024, 777],
    );
    assert.deepEqual([cpuAllocation.limit, cpuAllocation.shares?.level], [-1, 'normal']);
    assert.deepEqual(
      lines(await govc('find', '/', '-type', 'p')).map((path) => path.split('/').slice(4).join('/')),
      ['Resources', 'Resources/web', 'Resources/web/inner'],
    );
    await govc.refused(/'web' already exists/, 'pool.create', `${ROOT}/web`);
    await govc.refused(/not enough|CPU resources/, 'pool.create', '-cpu.reservation', '9999999', `${ROOT}/large`);
  });

  test('pool.change: a name, and numbers that what is in the pool allows', async () => {
    await govc('pool.change', '-name', 'shop', '-cpu.limit', '-1', '-cpu.expandable=false', `${ROOT}/web`);
    const { config } = await pool(`${ROOT}/shop`);
    assert.deepEqual(
      [config?.cpuAllocation.reservation, config?.cpuAllocation.limit, config?.cpuAllocation.expandableReservation],
      [500, -1, false],
    );
    await govc.refused(/CPU resources/, 'pool.change', '-cpu.reservation', '501', `${ROOT}/shop/inner`);
    await govc.refused(
      /memory resources/,
      'pool.change',
      '-mem.reservation',
      '9999999',
      '-mem.limit',
      '-1',
      `${ROOT}/shop`,
    );
    await govc.refused(/root resource pool cannot be changed/, 'pool.change', '-cpu.limit', '1', ROOT);
  });

  test('vm.create into a pool, and vm.change of what it gets', async () => {
    await govc('vm.create', '-m', '64', '-on=false', '-pool', `${ROOT}/shop/inner`, 'till');
    assert.equal((await vm('till')).resourcePool?.value, (await pool(`${ROOT}/shop/inner`)).self.value);
    await govc('vm.change', '-vm', 'till', '-cpu.reservation', '400', '-cpu.limit', '900', '-cpu.shares', 'low');
    await govc('vm.change', '-vm', 'till', '-mem.reservation', '32', '-mem.limit', '48', '-mem.shares', '1234');
    const { cpuAllocation, memoryAllocation } = (await vm('till')).resourceConfig ?? assert.fail();
    assert.deepEqual([cpuAllocation.reservation, cpuAllocation.limit, cpuAllocation.shares?.shares], [400, 900, 500]);
    assert.deepEqual(
      [memoryAllocation.reservation, memoryAllocation.limit, memoryAllocation.shares?.shares],
      [32, 48, 1234],
    );
    const vmx = await readFile(join(host().hostDir, 'datastore1', 'till', 'till.vmx'), 'utf8');
    for (const line of ['sched.cpu.min = "400"', 'sched.cpu.max = "900"', 'sched.cpu.shares = "low"']) {
      assert.ok(vmx.includes(line), line);
    }
    for (const line of ['sched.mem.min = "32"', 'sched.mem.max = "48"', 'sched.mem.shares = "1234"']) {
      assert.ok(vmx.includes(line), line);
    }
  });

  test('vm.power: on as long as the pool has enough', async () => {
    await govc('vm.change', '-vm', 'till', '-cpu.reservation', '501', '-cpu.limit', '-1');
    await govc.refused(/does not have enough CPU resources/, 'vm.power', '-on', 'till');
    await govc('vm.change', '-vm', 'till', '-cpu.reservation', '500');
    await govc('vm.power', '-on', 'till');
    const { cpu, memory } = (await pool(`${ROOT}/shop/inner`)).runtime ?? assert.fail();
    assert.deepEqual([cpu.reservationUsed, cpu.reservationUsedForVm, cpu.unreservedForVm ?? 0], [500, 500, 0]);
    const overhead = (await vm('till')).runtime?.memoryOverhead ?? 0;
    assert.equal(memory.reservationUsedForVm, 32 * 2 ** 20 + overhead);
    await govc.refused(/does not have enough CPU resources/, 'vm.change', '-vm', 'till', '-cpu.reservation', '501');
    await govc.refused(/CPU resources/, 'pool.change', '-cpu.reservation', '499', `${ROOT}/shop`);
    assert.equal((await vm('till')).runtime?.maxMemoryUsage, 48);
  });

  test('pool.destroy: what was in the pool is in its parent; and all of them at once', async () => {
    await govc('pool.destroy', `${ROOT}/shop/inner`);
    assert.equal((await vm('till')).resourcePool?.value, (await pool(`${ROOT}/shop`)).self.value);
    await govc('pool.destroy', '-children', ROOT);
    assert.equal((await vm('till')).resourcePool?.value, 'ha-root-pool');
    assert.equal((await vm('till')).runtime?.powerState, 'poweredOn');
    assert.equal(lines(await govc('find', '/', '-type', 'p')).length, 1);
    await govc.refused(/root resource pool cannot be changed/, 'pool.destroy', ROOT);
    assert.match(await govc('events', '-n', '20'), /Removed resource pool shop/);
    await govc('vm.destroy', 'till');
  });
});
