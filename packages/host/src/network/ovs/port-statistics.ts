// A device's counters turned round: what the switch received from a tap, the guest had transmitted. Pure.
import type { PortStatistics } from '../provider.ts';

export function parseStatistics(counters: Readonly<Record<string, number>>): PortStatistics {
  return {
    receivedBytes: counters['tx_bytes'] ?? 0,
    receivedPackets: counters['tx_packets'] ?? 0,
    receivedDropped: counters['tx_dropped'] ?? 0,
    transmittedBytes: counters['rx_bytes'] ?? 0,
    transmittedPackets: counters['rx_packets'] ?? 0,
    transmittedDropped: counters['rx_dropped'] ?? 0,
  };
}
