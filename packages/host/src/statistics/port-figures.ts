// The counters of network ports: a VM's adapters, a machine's cards. Pure.
import type { PortStatistics } from '../network/provider.ts';
import type { Figures } from './figures.ts';

/** Ports by instance, at two times: each that was there both times, and all together. */
export function addPorts(
  figures: Figures,
  before: ReadonlyMap<string, PortStatistics>,
  after: ReadonlyMap<string, PortStatistics>,
  duration: number,
): void {
  const ports = [...after].flatMap(([instance, now]) => {
    const then = before.get(instance);
    return then ? [{ instance, ...portDifference(then, now) }] : [];
  });
  if (ports.length === 0) return;
  const whole = { instance: '', ...sumOfPorts(ports) };
  for (const port of [whole, ...ports]) addPort(figures, port, duration, port.instance);
}

function addPort(figures: Figures, port: PortStatistics, duration: number, instance: string): void {
  const received = port.receivedBytes / 1024 / duration;
  const transmitted = port.transmittedBytes / 1024 / duration;
  figures.add('net.usage.average', received + transmitted, instance);
  figures.add('net.received.average', received, instance);
  figures.add('net.transmitted.average', transmitted, instance);
  figures.add('net.bytesRx.average', received, instance);
  figures.add('net.bytesTx.average', transmitted, instance);
  figures.add('net.packetsRx.summation', port.receivedPackets, instance);
  figures.add('net.packetsTx.summation', port.transmittedPackets, instance);
  figures.add('net.droppedRx.summation', port.receivedDropped, instance);
  figures.add('net.droppedTx.summation', port.transmittedDropped, instance);
}

function portDifference(before: PortStatistics, after: PortStatistics): PortStatistics {
  const part = (name: keyof PortStatistics) => Math.max(0, after[name] - before[name]);
  return {
    receivedBytes: part('receivedBytes'),
    receivedPackets: part('receivedPackets'),
    receivedDropped: part('receivedDropped'),
    transmittedBytes: part('transmittedBytes'),
    transmittedPackets: part('transmittedPackets'),
    transmittedDropped: part('transmittedDropped'),
  };
}

function sumOfPorts(ports: readonly PortStatistics[]): PortStatistics {
  const sum = (name: keyof PortStatistics) => ports.reduce((total, port) => total + port[name], 0);
  return {
    receivedBytes: sum('receivedBytes'),
    receivedPackets: sum('receivedPackets'),
    receivedDropped: sum('receivedDropped'),
    transmittedBytes: sum('transmittedBytes'),
    transmittedPackets: sum('transmittedPackets'),
    transmittedDropped: sum('transmittedDropped'),
  };
}
