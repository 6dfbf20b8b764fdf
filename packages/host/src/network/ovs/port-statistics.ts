// A device's counters turned round: what the switch received from a tap, the guest had transmitted. Pure.
import type { DeviceCounters } from '../linux/device-counters.ts';
import type { PortStatistics } from '../provider.ts';

export function portStatistics(tap: DeviceCounters): PortStatistics {
  return {
    receivedBytes: tap.transmittedBytes,
    receivedPackets: tap.transmittedPackets,
    receivedDropped: tap.transmittedDropped,
    transmittedBytes: tap.receivedBytes,
    transmittedPackets: tap.receivedPackets,
    transmittedDropped: tap.receivedDropped,
  };
}
