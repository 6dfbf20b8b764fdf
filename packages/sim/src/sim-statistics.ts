// The figures of a simulated host, as its PerformanceManager gives them out: worked out of the load curve when they are asked
// for. Nothing is kept. A VM has figures since its start, a host since it is there.
import {
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  type PerfEntityMetricBase,
  type PerfQuerySpec,
} from '@vivarium/vim';
import {
  type CounterName,
  counterKey,
  entityMetric,
  entityMetricCsv,
  metricFilter,
  metricId,
  REAL_TIME_PERIOD_S,
} from '@vivarium/vmomi';
import { hash, loadAt } from './load-curve.ts';
import type { SimVmState } from './sim-vm.ts';

const PERIODS: Readonly<Record<number, { readonly lengthS: number }>> = {
  [REAL_TIME_PERIOD_S]: { lengthS: 3_600 },
  300: { lengthS: 129_600 },
};

/** What there is to have figures of. */
export interface SimPerformance {
  readonly nowMs: number;
  /** The simulated host began. */
  readonly startedMs: number;
  /** Tells hosts apart. */
  readonly seed: number;
  readonly cpuMhz: number;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly vms: readonly SimVmState[];
}

interface Figure {
  readonly name: CounterName;
  readonly instance: string;
  readonly at: (timeMs: number) => number;
}

/** A method of the host's PerformanceManager. */
export function performanceMethod(
  host: SimPerformance,
  method: string,
  args: Readonly<Record<string, unknown>>,
): unknown {
  switch (method) {
    case 'QueryPerf':
      return (args['querySpec'] as readonly PerfQuerySpec[]).map((spec) => answer(host, spec));
    case 'QueryAvailablePerfMetric':
      return subjectOf(host, args['entity'] as ManagedObjectReference, Number(args['intervalId'] ?? 20)).figures.map(
        ({ name, instance }) => metricId({ counter: counterKey(name), instance }),
      );
    default:
      throw new MethodFault('NotSupported');
  }
}

function answer(host: SimPerformance, spec: PerfQuerySpec): PerfEntityMetricBase {
  const periodS = spec.intervalId ?? REAL_TIME_PERIOD_S;
  const kept = PERIODS[periodS];
  if (!kept) throw new MethodFault('InvalidArgument', { invalidProperty: 'querySpec.interval' });
  const { sinceMs, figures } = subjectOf(host, spec.entity, periodS);
  const wants = metricFilter(
    (spec.metricId ?? []).map(({ counterId, instance }) => ({ counter: counterId, instance })),
  );
  const wanted = figures.filter(({ name, instance }) => wants({ counter: counterKey(name), instance }));
  const afterMs = Math.max(Date.parse(spec.startTime ?? '') || 0, sinceMs, host.nowMs - kept.lengthS * 1000);
  const untilMs = Math.min(spec.endTime === undefined ? host.nowMs : Date.parse(spec.endTime), host.nowMs);
  const periodMs = periodS * 1000;
  let times: number[] = [];
  for (let timeMs = (Math.floor(afterMs / periodMs) + 1) * periodMs; timeMs <= untilMs; timeMs += periodMs) {
    times.push(timeMs);
  }
  if (spec.maxSample && periodS === REAL_TIME_PERIOD_S) times = times.slice(-spec.maxSample);
  const samples = {
    times,
    series: wanted.map(({ name, instance, at }) => ({
      counter: counterKey(name),
      instance,
      values: times.map((timeMs) => Math.max(0, Math.round(at(timeMs)))),
    })),
  };
  const entity = { entity: spec.entity as MoRef, periodS, samples };
  return spec.format === 'csv' ? entityMetricCsv(entity) : entityMetric(entity);
}

/** The figures of an entity, and since when there are any. Fault: ManagedObjectNotFound. */
function subjectOf(
  host: SimPerformance,
  entity: ManagedObjectReference,
  periodS: number,
): { readonly sinceMs: number; readonly figures: readonly Figure[] } {
  if (entity.type === 'HostSystem') return { sinceMs: host.startedMs, figures: hostFigures(host, periodS) };
  const vm = host.vms.find(({ ref }) => ref.value === entity.value);
  if (entity.type !== 'VirtualMachine' || !vm) throw new MethodFault('ManagedObjectNotFound', { obj: entity as MoRef });
  if (vm.power !== 'poweredOn' || vm.bootTime === undefined) return { sinceMs: Number.POSITIVE_INFINITY, figures: [] };
  return { sinceMs: Date.parse(vm.bootTime), figures: vmFigures(host, vm, periodS) };
}

function vmFigures(host: SimPerformance, vm: SimVmState, periodS: number): Figure[] {
  const { numCPU, memoryMB } = vm.config.hardware;
  const load = loadOf(host, vm, periodS);
  const startedMs = Date.parse(vm.bootTime ?? '');
  const memoryKB = memoryMB * 1024;
  const consumedKB = vm.load.memoryMB * 1024;
  const steady = (value: number) => () => value;
  return [
    of('cpu.usage.average', (timeMs) => load(timeMs) * 10_000),
    of('cpu.usagemhz.average', (timeMs) => load(timeMs) * numCPU * vm.cpuMhz),
    of('cpu.used.summation', (timeMs) => load(timeMs) * numCPU * periodS * 1000),
    of('cpu.ready.summation', (timeMs) => load(timeMs) ** 2 * periodS * 1000),
    of('mem.usage.average', (timeMs) => (0.2 + load(timeMs)) * 10_000),
    of('mem.active.average', (timeMs) => (0.2 + load(timeMs)) * memoryKB),
    of('mem.consumed.average', steady(consumedKB)),
    of('mem.granted.average', steady(consumedKB)),
    of('mem.vmmemctl.average', steady(0)),
    of('mem.swapped.average', steady(0)),
    of('disk.usage.average', (timeMs) => load(timeMs) * 4_000),
    of('disk.maxTotalLatency.latest', (timeMs) => 1 + load(timeMs) * 20),
    of('net.usage.average', (timeMs) => load(timeMs) * 8_000),
    of('net.received.average', (timeMs) => load(timeMs) * 5_000),
    of('net.transmitted.average', (timeMs) => load(timeMs) * 3_000),
    of('sys.uptime.latest', (timeMs) => (timeMs - startedMs) / 1000),
    of('sys.heartbeat.summation', steady(vm.guest ? periodS / 20 : 0)),
  ];
}

/** A host uses what its VMs use, and a little itself. */
function hostFigures(host: SimPerformance, periodS: number): Figure[] {
  const running = host.vms.filter(({ power }) => power === 'poweredOn');
  const loads = running.map((vm) => {
    const load = loadOf(host, vm, periodS);
    return (timeMs: number) => load(timeMs) * vm.config.hardware.numCPU * vm.cpuMhz;
  });
  const capacityMhz = host.cpuMhz * host.cores;
  const mhz = (timeMs: number) =>
    Math.min(
      capacityMhz,
      loads.reduce((sum, load) => sum + load(timeMs), capacityMhz / 50),
    );
  const consumedKB = running.reduce((sum, vm) => sum + vm.load.memoryMB * 1024, 2 ** 20);
  return [
    of('cpu.usage.average', (timeMs) => (mhz(timeMs) / capacityMhz) * 10_000),
    of('cpu.usagemhz.average', mhz),
    of('cpu.ready.summation', (timeMs) => (mhz(timeMs) / capacityMhz) ** 2 * periodS * 1000),
    of('mem.usage.average', () => ((consumedKB * 1024) / host.memoryBytes) * 10_000),
    of('mem.consumed.average', () => consumedKB),
    of('disk.usage.average', (timeMs) => (mhz(timeMs) / capacityMhz) * 40_000),
    of('net.usage.average', (timeMs) => (mhz(timeMs) / capacityMhz) * 80_000),
    of('sys.uptime.latest', (timeMs) => (timeMs - host.startedMs) / 1000),
  ];
}

function loadOf(host: SimPerformance, vm: SimVmState, periodS: number): (timeMs: number) => number {
  const seed = Math.floor(hash(host.seed + Number(vm.ref.value)) * 2 ** 30);
  return (timeMs) => loadAt(seed, timeMs, periodS);
}

function of(name: CounterName, at: Figure['at']): Figure {
  return { name, instance: '', at };
}
