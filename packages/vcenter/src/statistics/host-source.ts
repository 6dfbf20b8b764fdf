// What vCenter's statistics want of one host: its figures and those of its VMs, many in one request. Behind it is a host over
// the network, a simulated one, or a test.
import type { MoRef } from '@vivarium/vim';
import type { MetricId, Samples, StatisticsQuery, TimeRange } from '@vivarium/vmomi';

export interface HostSource {
  /**
   * One answer for each query, in their order; entities are vCenter's. An entity that the host does not have (any more) has
   * no samples. Rejects when the host does not answer.
   */
  query(queries: readonly StatisticsQuery[], signal?: AbortSignal): Promise<readonly Samples[]>;
  available(entity: MoRef, periodS: number | undefined, range: TimeRange): Promise<readonly MetricId[]>;
}
