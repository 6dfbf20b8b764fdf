// Names of the network devices that there are.
import { readDeviceCounters } from './device-counters.ts';
import type { NetworkNamespace } from './network-namespace.ts';

/** Device names in the namespace; without one, in the machine's own network. */
export function listDevices(namespace?: NetworkNamespace): string[] {
  return [...readDeviceCounters(namespace).keys()];
}
