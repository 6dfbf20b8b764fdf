import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { memoryOverheadMB, vmDemand } from './vm-demand.ts';

const config = (values: Partial<VirtualMachineConfigInfo>, numCPU = 2, memoryMB = 1024, videoKB = 4096) =>
  ({
    hardware: make('VirtualHardware', {
      numCPU,
      memoryMB,
      device: [make('VirtualMachineVideoCard', { key: 500, videoRamSizeInKB: videoKB })],
    }),
    ...values,
  }) as VirtualMachineConfigInfo;

void test('a VM that says nothing has nothing reserved, no limit, and the shares of its size', () => {
  const { cpu, memory } = vmDemand(config({}), 'kvm');
  assert.deepEqual([cpu.reservation, cpu.limit, cpu.shares], [0, Infinity, 2000]);
  assert.deepEqual([memory.reservation, memory.limit, memory.shares], [0, Infinity, 10_240]);
});

void test('levels of shares follow the size, custom shares stand for themselves', () => {
  const of = (level: 'low' | 'high' | 'custom') =>
    vmDemand(
      config({
        cpuAllocation: make('ResourceAllocationInfo', { shares: make('SharesInfo', { level, shares: 77 }) }),
      }),
      'kvm',
    ).cpu.shares;
  assert.deepEqual([of('low'), of('high'), of('custom')], [1000, 4000, 77]);
});

void test('what the VMM needs grows with the machine, and with emulation', () => {
  const small = memoryOverheadMB(config({}, 1, 256), 'kvm');
  assert.ok(small >= 59, 'as measured');
  assert.ok(memoryOverheadMB(config({}, 1, 256), 'tcg') >= 141, 'as measured');
  assert.ok(memoryOverheadMB(config({}, 8, 256), 'kvm') > small);
  assert.ok(memoryOverheadMB(config({}, 1, 65_536), 'kvm') >= small + 128);
  assert.equal(memoryOverheadMB(config({}, 1, 256, 128 * 1024), 'kvm'), small + 112);
});
