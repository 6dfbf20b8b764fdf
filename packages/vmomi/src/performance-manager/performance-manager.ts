// The managed object PerformanceManager: what is measured, and what came of it. The figures are the provider's.
import {
  type Handlers,
  MethodFault,
  type MoRef,
  make,
  type PerfEntityMetricBase,
  type PerfQuerySpec,
} from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { Service } from '../service.ts';
import { type Counter, counters, findCounter } from '../statistics/counters.ts';
import { NO_SAMPLES } from '../statistics/metric.ts';
import { REAL_TIME_PERIOD_S, type StatisticsProvider, type StatisticsSupport } from '../statistics/provider.ts';
import { counterInfo, performanceDescription } from './counter-info.ts';
import { entityMetric, entityMetricCsv, metricId } from './entity-metric.ts';
import { parsePeriod, parseQuerySpec, parseRange } from './query-spec.ts';

/** Entities in one QueryPerf. */
const MOST_SPECS = 10_000;
/** What clients take for "there are no real-time samples". */
const NO_REFRESH = -1;

export function addPerformanceManager(
  service: Service,
  ref: MoRef<'PerformanceManager'>,
  provider: StatisticsProvider,
): void {
  const { graph, authorization, clock } = service;
  const { settings } = provider;
  const info = (counter: Counter) => {
    const { key, level: aggregate, deviceLevel: device } = counter;
    return counterInfo(counter, settings?.levelsOf(key) ?? { aggregate, device });
  };
  const infos = (list: readonly Counter[]) => list.map(info);

  const supportOf = (entity: MoRef, call: Call, argument: string): StatisticsSupport => {
    const object = graph.get(entity);
    authorization.check(call.session, object, 'System.Read');
    const support = provider.support(entity);
    if (!support) throw new MethodFault('InvalidArgument', { invalidProperty: argument });
    return support;
  };
  const query = async (specs: readonly PerfQuerySpec[], call: Call): Promise<PerfEntityMetricBase[]> => {
    const facts = { intervals: provider.intervals(), nowMs: clock.now() };
    const queries = specs.map((spec) =>
      parseQuerySpec(spec, { ...facts, support: supportOf(spec.entity as MoRef, call, 'querySpec.entity') }),
    );
    const answers = await provider.query(queries);
    return queries.map(({ entity, periodS }, index) => {
      const answer = { entity, periodS, samples: answers[index] ?? NO_SAMPLES };
      return specs[index]?.format === 'csv' ? entityMetricCsv(answer) : entityMetric(answer);
    });
  };

  const handlers: Handlers<'PerformanceManager', Call> = {
    QueryPerfProviderSummary({ entity }, call) {
      const { realTime, history } = supportOf(entity as MoRef, call, 'entity');
      return make('PerfProviderSummary', {
        entity,
        currentSupported: realTime,
        summarySupported: history,
        refreshRate: realTime ? REAL_TIME_PERIOD_S : NO_REFRESH,
      });
    },
    async QueryAvailablePerfMetric({ entity, beginTime, endTime, intervalId }, call) {
      const support = supportOf(entity as MoRef, call, 'entity');
      const range = parseRange(beginTime, endTime, 'beginTime');
      const periodS = intervalId
        ? parsePeriod(intervalId, { support, intervals: provider.intervals() }, 'intervalId')
        : undefined;
      return (await provider.available(entity as MoRef, periodS, range)).map(metricId);
    },
    QueryPerfCounter: ({ counterId }) =>
      counterId.map((key) => {
        const counter = findCounter(key);
        if (!counter) throw new MethodFault('InvalidArgument', { invalidProperty: 'counterId' });
        return info(counter);
      }),
    QueryPerfCounterByLevel({ level }) {
      if (level < 1 || level > 4) throw new MethodFault('InvalidArgument', { invalidProperty: 'level' });
      return infos(counters).filter((counter) => (counter.level ?? 4) <= level);
    },
    QueryPerf({ querySpec }, call) {
      if (querySpec.length === 0) throw new MethodFault('InvalidArgument', { invalidProperty: 'querySpec' });
      if (querySpec.length > MOST_SPECS) throw new MethodFault('LimitExceeded', { limit: MOST_SPECS });
      return query(querySpec, call);
    },
    async QueryPerfComposite({ querySpec }, call) {
      const host = querySpec.entity as MoRef;
      authorization.check(call.session, graph.get(host) as ManagedObject, 'System.Read');
      if (host.type !== 'HostSystem') throw new MethodFault('InvalidArgument', { invalidProperty: 'querySpec.entity' });
      if (!querySpec.metricId?.length)
        throw new MethodFault('InvalidArgument', { invalidProperty: 'querySpec.metricId' });
      // Of its VMs those that the caller may read.
      const vms = ((graph.get(host).getPath('vm') ?? []) as MoRef<'VirtualMachine'>[]).filter((vm) =>
        authorization.privilegesOf(call.session, vm as MoRef).has('System.Read'),
      );
      const specs = [host, ...vms].map((entity) => ({ ...querySpec, entity }));
      const [entity, ...childEntity] = await query(specs, call);
      return make('PerfCompositeMetric', { entity, childEntity });
    },
    async UpdatePerfInterval({ interval }) {
      if (!settings) throw new MethodFault('NotSupported');
      await settings.updateInterval(interval);
    },
    async UpdateCounterLevelMapping({ counterLevelMap }) {
      if (!settings) throw new MethodFault('NotSupported');
      await settings.updateLevels(counterLevelMap);
    },
    async ResetCounterLevelMapping({ counters: keys }) {
      if (!settings) throw new MethodFault('NotSupported');
      await settings.resetLevels(keys);
    },
  };
  const object = graph.add<'PerformanceManager'>(
    ref,
    {
      description: performanceDescription,
      historicalInterval: [...provider.intervals()],
      perfCounter: infos(counters),
    },
    handlers,
  );
  settings?.onChange((changed) => {
    if (changed === 'levels') object.set('perfCounter', infos(counters));
    else object.set('historicalInterval', [...provider.intervals()]);
  });
}
