// The figures of a simulated host, as its PerformanceManager gives them out: worked out of the load curve when they are asked
// for. Nothing is kept. A VM has figures since its start, a host since it is there.
import {
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  type PerfEntityMetricBase,
  type PerfQuerySpec,
} from '@vivarium/vim';
import { entityMetric, entityMetricCsv, metricFilter, metricId, REAL_TIME_PERIOD_S } from '@vivarium/vmomi';
import { hash, loadAt } from './load-curve.ts';
import { type Figure, HOST_FIGURES, type HostMoment, VM_FIGURES, type VmMoment } from './sim-figures.ts';
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

/** What many entities are asked for at once: a vCenter asks for a host and all its VMs in the same words. */
interface Question {
  readonly spec: PerfQuerySpec;
  readonly periodS: number;
  readonly vmFigures: readonly Figure<VmMoment>[];
  readonly hostFigures: readonly Figure<HostMoment>[];
  /** Ends of the periods, as far back as anything is kept. */
  readonly times: readonly number[];
}

/** A method of the host's PerformanceManager. */
export function performanceMethod(
  host: SimPerformance,
  method: string,
  args: Readonly<Record<string, unknown>>,
): unknown {
  switch (method) {
    case 'QueryPerf': {
      let question: Question | undefined;
      return (args['querySpec'] as readonly PerfQuerySpec[]).map((spec) => {
        if (!question || !asksTheSame(question.spec, spec)) question = parseQuestion(host, spec);
        return answer(host, spec, question);
      });
    }
    case 'QueryAvailablePerfMetric': {
      const subject = subjectOf(host, args['entity'] as ManagedObjectReference, Number(args['intervalId'] ?? 20));
      if (subject.sinceMs === Number.POSITIVE_INFINITY) return [];
      const figures = subject.kind === 'host' ? HOST_FIGURES : VM_FIGURES;
      return figures.map(({ counter }) => metricId({ counter, instance: '' }));
    }
    default:
      throw new MethodFault('NotSupported');
  }
}

function asksTheSame(one: PerfQuerySpec, other: PerfQuerySpec): boolean {
  return (
    one.metricId === other.metricId &&
    one.startTime === other.startTime &&
    one.endTime === other.endTime &&
    one.intervalId === other.intervalId
  );
}

function parseQuestion(host: SimPerformance, spec: PerfQuerySpec): Question {
  const periodS = spec.intervalId ?? REAL_TIME_PERIOD_S;
  const kept = PERIODS[periodS];
  if (!kept) throw new MethodFault('InvalidArgument', { invalidProperty: 'querySpec.interval' });
  const wants = metricFilter(
    (spec.metricId ?? []).map(({ counterId, instance }) => ({ counter: counterId, instance })),
  );
  const isWanted = ({ counter }: { readonly counter: number }) => wants({ counter, instance: '' });
  const afterMs = Math.max(Date.parse(spec.startTime ?? '') || 0, host.nowMs - kept.lengthS * 1000);
  const untilMs = Math.min(spec.endTime === undefined ? host.nowMs : Date.parse(spec.endTime), host.nowMs);
  const periodMs = periodS * 1000;
  const times: number[] = [];
  for (let timeMs = (Math.floor(afterMs / periodMs) + 1) * periodMs; timeMs <= untilMs; timeMs += periodMs) {
    times.push(timeMs);
  }
  return {
    spec,
    periodS,
    vmFigures: VM_FIGURES.filter(isWanted),
    hostFigures: HOST_FIGURES.filter(isWanted),
    times,
  };
}

function answer(host: SimPerformance, spec: PerfQuerySpec, question: Question): PerfEntityMetricBase {
  const { periodS } = question;
  const subject = subjectOf(host, spec.entity, periodS);
  const since = question.times.findIndex((timeMs) => timeMs > subject.sinceMs);
  let times = since < 0 ? [] : since === 0 ? question.times : question.times.slice(since);
  if (spec.maxSample && periodS === REAL_TIME_PERIOD_S) times = times.slice(-spec.maxSample);
  const series =
    subject.kind === 'host'
      ? seriesOf(question.hostFigures, times.map(subject.at))
      : subject.sinceMs === Number.POSITIVE_INFINITY
        ? []
        : seriesOf(question.vmFigures, times.map(subject.at));
  const entity = { entity: spec.entity as MoRef, periodS, samples: { times, series } };
  return spec.format === 'csv' ? entityMetricCsv(entity) : entityMetric(entity);
}

function seriesOf<M>(figures: readonly Figure<M>[], moments: readonly M[]) {
  return figures.map(({ counter, of }) => ({
    counter,
    instance: '',
    values: moments.map((moment) => Math.max(0, Math.round(of(moment)))),
  }));
}

/** An entity, since when it has figures, and how it was at a time. */
type Subject =
  | { readonly kind: 'host'; readonly sinceMs: number; readonly at: (timeMs: number) => HostMoment }
  | { readonly kind: 'vm'; readonly sinceMs: number; readonly at: (timeMs: number) => VmMoment };

/** Fault: ManagedObjectNotFound. */
function subjectOf(host: SimPerformance, entity: ManagedObjectReference, periodS: number): Subject {
  if (entity.type === 'HostSystem') return { kind: 'host', sinceMs: host.startedMs, at: hostMoments(host, periodS) };
  const vm = host.vms.find(({ ref }) => ref.value === entity.value);
  if (entity.type !== 'VirtualMachine' || !vm) throw new MethodFault('ManagedObjectNotFound', { obj: entity as MoRef });
  const isOn = vm.power === 'poweredOn' && vm.bootTime !== undefined;
  const startedMs = isOn ? Date.parse(vm.bootTime ?? '') : Number.POSITIVE_INFINITY;
  return { kind: 'vm', sinceMs: startedMs, at: vmMoments(host, vm, periodS, startedMs) };
}

function vmMoments(
  host: SimPerformance,
  vm: SimVmState,
  periodS: number,
  startedMs: number,
): (timeMs: number) => VmMoment {
  const { numCPU, memoryMB } = vm.config.hardware;
  const load = loadOf(host, vm, periodS);
  return (timeMs) => ({
    load: load(timeMs),
    periodS,
    numCPU,
    cpuMhz: vm.cpuMhz,
    memoryKB: memoryMB * 1024,
    consumedKB: vm.load.memoryMB * 1024,
    upSeconds: (timeMs - startedMs) / 1000,
    hasGuest: vm.guest !== undefined,
  });
}

/** A host uses what its VMs use, and a little itself. */
function hostMoments(host: SimPerformance, periodS: number): (timeMs: number) => HostMoment {
  const running = host.vms.filter(({ power }) => power === 'poweredOn');
  const loads = running.map((vm) => {
    const load = loadOf(host, vm, periodS);
    return (timeMs: number) => load(timeMs) * vm.config.hardware.numCPU * vm.cpuMhz;
  });
  const capacityMhz = host.cpuMhz * host.cores;
  const consumedKB = running.reduce((sum, vm) => sum + vm.load.memoryMB * 1024, 2 ** 20);
  return (timeMs) => {
    const mhz = Math.min(
      capacityMhz,
      loads.reduce((sum, load) => sum + load(timeMs), capacityMhz / 50),
    );
    return {
      mhz,
      load: mhz / capacityMhz,
      periodS,
      consumedKB,
      memoryBytes: host.memoryBytes,
      upSeconds: (timeMs - host.startedMs) / 1000,
    };
  };
}

function loadOf(host: SimPerformance, vm: SimVmState, periodS: number): (timeMs: number) => number {
  const seed = Math.floor(hash(host.seed + Number(vm.ref.value)) * 2 ** 30);
  return (timeMs) => loadAt(seed, timeMs, periodS);
}
