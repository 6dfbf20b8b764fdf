import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CounterName, counterKey, type MetricValue } from '@vivarium/vmomi';
import { hostDigest, poolFigures, savedByMerging } from './host-digest.ts';
import { type MachineReading, machineReader, parseCpuTimes, parseMemory } from './machine-reading.ts';
import type { VmDigest } from './vm-digest.ts';

const GB = 2 ** 30;
const FACTS = { cpuMhz: 2_000, cores: 2 };
const IDLE: MachineReading = {
  cpus: [
    { busyMs: 0, idleMs: 0 },
    { busyMs: 0, idleMs: 0 },
  ],
  memoryBytes: 8 * GB,
  availableBytes: 6 * GB,
  swappedInBytes: 0,
  swappedOutBytes: 0,
  nics: new Map(),
  uptimeSeconds: 500,
};
const figure = (values: readonly MetricValue[], name: CounterName, instance = '') =>
  values.find((value) => value.counter === counterKey(name) && value.instance === instance)?.value;

const vm = (more: Partial<VmDigest> = {}): VmDigest => ({
  stats: { cpuUsageMhz: 0, cpuDemandMhz: 0, hostMemoryMB: 0, grantedMB: 0, sharedMB: 0, swappedMB: 0, balloonedMB: 0 },
  values: [],
  cpuMhz: 500,
  demandMhz: 700,
  readyMs: 30,
  memory: {
    consumed: GB,
    granted: GB,
    active: GB / 2,
    shared: undefined,
    zero: undefined,
    swapped: 0,
    ballooned: undefined,
  },
  disks: [],
  ...more,
});

void test('a host shows its own processors and memory, and what its VMs add up to', () => {
  const nics = (bytes: number) =>
    new Map([
      [
        'vmnic0',
        {
          receivedBytes: bytes,
          receivedPackets: 0,
          receivedDropped: 0,
          transmittedBytes: 0,
          transmittedPackets: 0,
          transmittedDropped: 0,
        },
      ],
    ]);
  const after: MachineReading = {
    ...IDLE,
    cpus: [
      { busyMs: 20_000, idleMs: 0 },
      { busyMs: 5_000, idleMs: 15_000 },
    ],
    swappedOutBytes: 20 * 1024 * 7,
    nics: nics(20 * 1024),
  };
  const part = { reservedMhz: 100, reservedMB: 256 };
  const { values, ...usage } = hostDigest(
    { atMs: 0, machine: { ...IDLE, nics: nics(0) } },
    { atMs: 20_000, machine: after },
    FACTS,
    [
      { ...part, digest: vm() },
      { ...part, digest: vm({ readyMs: undefined, memory: { ...vm().memory, active: undefined } }) },
    ],
  );
  const get = (name: CounterName, instance?: string) => figure(values, name, instance);
  assert.equal(get('cpu.usage.average'), 6_250);
  assert.equal(get('cpu.usage.average', '0'), 10_000);
  assert.equal(get('cpu.idle.summation', '1'), 15_000);
  assert.equal(get('cpu.usagemhz.average'), 2_500);
  assert.equal(get('cpu.ready.summation'), 30);
  assert.equal(get('cpu.reservedCapacity.average'), 200);
  assert.equal(get('cpu.totalCapacity.average'), 4_000);
  assert.equal(get('mem.usage.average'), 2_500);
  assert.equal(get('mem.consumed.average'), 2 * 2 ** 20);
  assert.equal(get('mem.active.average'), 2 ** 19, 'of the VM that says');
  assert.equal(get('mem.shared.average'), undefined);
  assert.equal(get('mem.unreserved.average'), 8 * 2 ** 20 - 512 * 1024);
  assert.equal(get('mem.swapoutRate.average'), 7);
  assert.equal(get('net.received.average', 'vmnic0'), 1);
  assert.equal(get('net.received.average'), 1);
  assert.equal(get('sys.uptime.latest'), 500);
  assert.deepEqual(usage, { cpuMhz: 2_500, memoryMB: 2_048, uptimeSeconds: 500 });
});

void test('a host without VMs has a load of its own and no guest memory', () => {
  const { values } = hostDigest({ atMs: 0, machine: IDLE }, { atMs: 20_000, machine: IDLE }, FACTS, []);
  assert.equal(figure(values, 'mem.granted.average'), 0);
  assert.equal(figure(values, 'mem.active.average'), undefined);
  assert.equal(figure(values, 'disk.usage.average'), 0);
  assert.equal(figure(values, 'cpu.usage.average'), 0);
});

void test('a pool is the sum of its VMs', () => {
  const values = poolFigures([vm(), vm({ cpuMhz: 250 })]);
  assert.equal(figure(values, 'cpu.usagemhz.average'), 750);
  assert.equal(figure(values, 'mem.active.average'), 2 ** 20);
  assert.equal(figure(poolFigures([]), 'cpu.usagemhz.average'), 0);
});

void test('merging saves what does not stand behind the merged pages', () => {
  assert.equal(savedByMerging({ ...IDLE, merged: { bytes: 100, behindBytes: 25 } }), 0.75);
  assert.equal(savedByMerging({ ...IDLE, merged: { bytes: 0, behindBytes: 0 } }), 0);
  assert.equal(savedByMerging(IDLE), 0);
});

void test('the kernel’s texts are read, and this machine can be', () => {
  const stat = 'cpu  9 9 9 9\ncpu0 100 5 20 1000 50 1 2 300 40 0\ncpu1 0 0 0 7 0 0 0 0 0 0\nintr 1\n';
  assert.deepEqual(parseCpuTimes(stat), [
    { busyMs: 1_280, idleMs: 10_500 },
    { busyMs: 0, idleMs: 70 },
  ]);
  assert.deepEqual(parseMemory('MemTotal:       24 kB\nMemFree: 1 kB\nMemAvailable:   3 kB\n'), {
    memoryBytes: 24 * 1024,
    availableBytes: 3 * 1024,
  });
  const { cpus, memoryBytes, availableBytes } = machineReader({ adapterCounters: () => new Map() })();
  assert.ok(cpus.length > 0 && memoryBytes > availableBytes && availableBytes > 0);
});
