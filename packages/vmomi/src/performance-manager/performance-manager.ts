// The managed object PerformanceManager without counters: it says truly that there is nothing to measure yet.
import { MethodFault, type MoRef, make, type PerfInterval } from '@vivarium/vim';
import type { Service } from '../service.ts';

/** vSphere's historical intervals: 5 minutes for a day, 30 minutes for a week, 2 hours for a month, a day for a year. */
const INTERVALS: readonly PerfInterval[] = [
  interval(1, 300, 'Past day', 86_400),
  interval(2, 1800, 'Past week', 604_800),
  interval(3, 7200, 'Past month', 2_592_000),
  interval(4, 86_400, 'Past year', 31_536_000),
];

export function addPerformanceManager(service: Service, ref: MoRef<'PerformanceManager'>): void {
  const { graph } = service;
  graph.add<'PerformanceManager'>(
    ref,
    {
      description: make('PerformanceDescription', { counterType: [], statsType: [] }),
      historicalInterval: [...INTERVALS],
      perfCounter: [],
    },
    {
      QueryPerfProviderSummary({ entity }) {
        graph.get(entity as MoRef);
        return make('PerfProviderSummary', { entity, currentSupported: false, summarySupported: false });
      },
      QueryAvailablePerfMetric({ entity }) {
        graph.get(entity as MoRef);
        return [];
      },
      QueryPerfCounter({ counterId }) {
        if (counterId.length > 0) throw new MethodFault('InvalidArgument', { invalidProperty: 'counterId' });
        return [];
      },
      QueryPerfCounterByLevel({ level }) {
        if (level < 1 || level > 4) throw new MethodFault('InvalidArgument', { invalidProperty: 'level' });
        return [];
      },
      QueryPerf({ querySpec }) {
        for (const { entity } of querySpec) graph.get(entity as MoRef);
        return [];
      },
    },
  );
}

function interval(key: number, samplingPeriod: number, name: string, length: number): PerfInterval {
  return make('PerfInterval', { key, samplingPeriod, name, length, level: 1, enabled: true });
}
