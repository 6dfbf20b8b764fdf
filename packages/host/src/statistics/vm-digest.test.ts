import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CounterName, counterKey } from '@vivarium/vmomi';
import fc from 'fast-check';
import type { PortStatistics } from '../network/provider.ts';
import type { DiskUsage, VmmUsage } from '../vm/vmm.ts';
import { type VmDigest, type VmFacts, type VmReading, vmDigest } from './vm-digest.ts';

const MB = 2 ** 20;
const FACTS: VmFacts = {
  cpuMhz: 2_000,
  numCpu: 2,
  memoryBytes: 512 * MB,
  disks: new Map([['disk-2000', { name: 'scsi0:0', volume: 'volume-1' }]]),
  uptimeSeconds: 60,
  savedByMerging: 0.75,
};
const disk = (more: Partial<DiskUsage> = {}): DiskUsage => ({
  id: 'disk-2000',
  readBytes: 0,
  writtenBytes: 0,
  reads: 0,
  writes: 0,
  readTimeNs: 0,
  writeTimeNs: 0,
  ...more,
});
const usage = (more: Partial<VmmUsage> = {}): VmmUsage => ({
  cpuSeconds: 0,
  vcpus: [
    { index: 0, runNs: 0, readyNs: 0 },
    { index: 1, runNs: 0, readyNs: 0 },
  ],
  residentBytes: 300 * MB,
  swappedBytes: 0,
  disks: [disk()],
  ...more,
});
const port = (more: Partial<PortStatistics> = {}): PortStatistics => ({
  receivedBytes: 0,
  receivedPackets: 0,
  receivedDropped: 0,
  transmittedBytes: 0,
  transmittedPackets: 0,
  transmittedDropped: 0,
  ...more,
});
const reading = (atMs: number, more: Partial<VmmUsage> = {}, nic?: PortStatistics): VmReading => ({
  atMs,
  usage: usage(more),
  nics: new Map(nic ? [['4000', nic]] : []),
});
const figure = (digest: Pick<VmDigest, 'values'>, name: CounterName, instance = '') =>
  digest.values.find((value) => value.counter === counterKey(name) && value.instance === instance)?.value;

void test('time: used is all of the VMM, run and ready are the virtual CPUs, the rest of the time they wait', () => {
  const digest = vmDigest(
    reading(0),
    reading(20_000, {
      cpuSeconds: 12,
      vcpus: [
        { index: 0, runNs: 8e9, readyNs: 2e9 },
        { index: 1, runNs: 3e9, readyNs: 0 },
      ],
    }),
    FACTS,
  );
  const get = (name: CounterName, instance?: string) => figure(digest, name, instance);
  assert.equal(get('cpu.usage.average'), 3_000, '12 of 40 seconds');
  assert.equal(get('cpu.usagemhz.average'), 1_200);
  assert.equal(get('cpu.used.summation'), 12_000);
  assert.equal(get('cpu.run.summation'), 11_000);
  assert.equal(get('cpu.system.summation'), 1_000);
  assert.equal(get('cpu.ready.summation'), 2_000);
  assert.equal(get('cpu.readiness.average'), 500);
  assert.equal(get('cpu.demand.average'), 1_400);
  assert.equal(get('cpu.wait.summation'), 27_000);
  assert.equal(get('cpu.idle.summation'), 27_000);
  assert.equal(get('cpu.used.summation', '1'), 3_000);
  assert.equal(get('cpu.wait.summation', '0'), 10_000);
  assert.equal(get('cpu.usagemhz.average', '0'), 800);
  assert.deepEqual([digest.stats.cpuUsageMhz, digest.stats.cpuDemandMhz], [1_200, 1_400]);
});

void test('what is not measured has no counter', () => {
  const bare = { cpuSeconds: 1, vcpus: [], disks: [] };
  const digest = vmDigest(reading(0, bare), reading(20_000, { ...bare, cpuSeconds: 2 }), FACTS);
  assert.equal(figure(digest, 'cpu.used.summation'), 1_000);
  for (const name of [
    'cpu.ready.summation',
    'cpu.demand.average',
    'cpu.maxlimited.summation',
    'mem.active.average',
    'mem.usage.average',
    'mem.shared.average',
    'mem.vmmemctl.average',
    'net.usage.average',
    'datastore.maxTotalLatency.latest',
    'sys.heartbeat.summation',
  ] as const) {
    assert.equal(figure(digest, name), undefined, name);
  }
  assert.equal(digest.stats.activeMB, undefined);
});

void test('memory: in KB; merged pages take the room that all of them together take', () => {
  const memory = {
    activeBytes: 128 * MB,
    sharedBytes: 40 * MB,
    zeroBytes: 10 * MB,
    balloonedBytes: 64 * MB,
    swappedBytes: MB,
  };
  const now = reading(0, memory);
  const digest = vmDigest(now, now, FACTS);
  const get = (name: CounterName) => figure(digest, name);
  assert.equal(get('mem.granted.average'), 300 * 1024);
  assert.equal(get('mem.consumed.average'), 270 * 1024, '300 MB less three quarters of 40');
  assert.equal(get('mem.active.average'), 128 * 1024);
  assert.equal(get('mem.usage.average'), 2_500);
  assert.equal(get('mem.shared.average'), 50 * 1024);
  assert.equal(get('mem.zero.average'), 10 * 1024);
  assert.equal(get('mem.vmmemctl.average'), 64 * 1024);
  assert.equal(get('mem.swapped.average'), 1024);
  assert.equal(get('sys.uptime.latest'), 60);
  assert.equal(get('cpu.used.summation'), undefined, 'of one look alone there is no load');
  assert.deepEqual(digest.stats, {
    cpuUsageMhz: 0,
    cpuDemandMhz: 0,
    hostMemoryMB: 270,
    grantedMB: 300,
    sharedMB: 50,
    swappedMB: 1,
    balloonedMB: 64,
    activeMB: 128,
  });
});

void test('disks: rates and times of each, of the datastore and of all', () => {
  const after = disk({
    readBytes: 20 * MB,
    reads: 200,
    readTimeNs: 4e9,
    writtenBytes: 2 * MB,
    writes: 20,
    writeTimeNs: 6e6,
  });
  const digest = vmDigest(reading(0), reading(20_000, { disks: [after, disk({ id: 'disk-2001' })] }), FACTS);
  const get = (name: CounterName, instance?: string) => figure(digest, name, instance);
  assert.equal(get('virtualDisk.read.average', 'scsi0:0'), 1024);
  assert.equal(get('virtualDisk.numberReadAveraged.average', 'scsi0:0'), 10);
  assert.equal(get('virtualDisk.totalReadLatency.average', 'scsi0:0'), 20);
  assert.equal(get('virtualDisk.totalWriteLatency.average', 'scsi0:0'), 0);
  assert.equal(get('virtualDisk.writeLatencyUS.latest', 'scsi0:0'), 300);
  assert.equal(get('disk.usage.average'), 1126);
  assert.equal(get('disk.maxTotalLatency.latest'), 20);
  assert.equal(get('datastore.read.average', 'volume-1'), 1024);
  assert.equal(get('datastore.totalReadLatency.average', 'volume-1'), 20);
  assert.equal(get('datastore.maxTotalLatency.latest'), 20);
  assert.ok(!digest.values.some(({ instance }) => instance === 'disk-2001'), 'a disk without a name is nobody’s');
});

void test('adapters: each, and all together', () => {
  const digest = vmDigest(
    reading(0, {}, port({ receivedBytes: 1_000 })),
    reading(
      20_000,
      {},
      port({
        receivedBytes: 1_000 + 40 * 1024,
        transmittedBytes: 20 * 1024,
        receivedPackets: 9,
        transmittedDropped: 2,
      }),
    ),
    FACTS,
  );
  for (const instance of ['', '4000']) {
    const get = (name: CounterName) => figure(digest, name, instance);
    assert.deepEqual(
      [
        get('net.received.average'),
        get('net.bytesTx.average'),
        get('net.usage.average'),
        get('net.packetsRx.summation'),
      ],
      [2, 1, 3, 9],
    );
    assert.equal(get('net.droppedTx.summation'), 2);
  }
});

void test('no course of counters gives a negative figure, or one that is no whole number', () => {
  const counter = fc.integer({ min: 0, max: 2 ** 45 });
  const look = fc.record({
    cpuSeconds: fc.double({ min: 0, max: 1e7, noNaN: true }),
    vcpus: fc.array(fc.record({ index: fc.nat({ max: 3 }), runNs: counter, readyNs: counter }), { maxLength: 4 }),
    residentBytes: counter,
    swappedBytes: counter,
    sharedBytes: counter,
    throttledNs: counter,
    disks: fc.array(
      fc.record({
        id: fc.constantFrom('disk-2000', 'disk-2001'),
        readBytes: counter,
        writtenBytes: counter,
        reads: counter,
        writes: counter,
        readTimeNs: counter,
        writeTimeNs: counter,
      }),
      { maxLength: 2 },
    ),
  });
  fc.assert(
    fc.property(look, look, fc.double({ min: 0, max: 1e6, noNaN: true }), (before, after, ms) => {
      const digest = vmDigest(reading(0, before), reading(ms, after), FACTS);
      for (const { counter: key, value } of digest.values)
        assert.ok(Number.isInteger(value) && value >= 0, `${key}: ${value}`);
    }),
  );
});
