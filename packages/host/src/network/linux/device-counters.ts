// The kernel's counters of network devices, all of a namespace in one read (proc(5), /proc/net/dev).
import { readFileSync } from 'node:fs';
import type { NetworkNamespace } from './network-namespace.ts';

/** Since the device was made. */
export interface DeviceCounters {
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly receivedDropped: number;
  readonly transmittedBytes: number;
  readonly transmittedPackets: number;
  readonly transmittedDropped: number;
}

/** By device name; without a namespace those of the machine's own network. */
export function readDeviceCounters(namespace?: NetworkNamespace): Map<string, DeviceCounters> {
  // /proc/net would show the process's namespace, not the thread's.
  const read = () => readFileSync('/proc/thread-self/net/dev', 'utf8');
  return parseDeviceCounters(namespace ? namespace.run(read) : read());
}

export function parseDeviceCounters(text: string): Map<string, DeviceCounters> {
  const counters = new Map<string, DeviceCounters>();
  for (const line of text.split('\n').slice(2)) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    counters.set(line.slice(0, colon).trim(), {
      receivedBytes: fields[0] ?? 0,
      receivedPackets: fields[1] ?? 0,
      receivedDropped: fields[3] ?? 0,
      transmittedBytes: fields[8] ?? 0,
      transmittedPackets: fields[9] ?? 0,
      transmittedDropped: fields[11] ?? 0,
    });
  }
  return counters;
}
