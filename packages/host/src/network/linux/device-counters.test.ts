import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDeviceCounters, readDeviceCounters } from './device-counters.ts';

void test('the kernel’s table of devices is read, names that touch their numbers included', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1500      10    0    0    0     0          0         0     1500      10    0    0    0     0       0          0
tap-1:9876543210 7 0 2 0 0 0 1 42 3 0 1 0 0 0 0
`;
  const counters = parseDeviceCounters(text);
  assert.deepEqual([...counters.keys()], ['lo', 'tap-1']);
  assert.deepEqual(counters.get('tap-1'), {
    receivedBytes: 9_876_543_210,
    receivedPackets: 7,
    receivedDropped: 2,
    transmittedBytes: 42,
    transmittedPackets: 3,
    transmittedDropped: 1,
  });
});

void test('this machine has a loopback device', () => {
  assert.ok(readDeviceCounters().has('lo'));
});
