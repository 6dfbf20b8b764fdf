// ResourcePool's properties from what is known of a pool. Pure.
import { type PoolLoad, type PoolTree, poolFigures, poolRuntimeInfo } from '@vivarium/drs/resource-pool';
import {
  make,
  type ResourceConfigOption,
  type ResourceConfigSpec,
  type ResourcePoolRuntimeInfo,
  type ResourcePoolSummary,
} from '@vivarium/vim';
import { type PoolRecord, poolRef } from './pool-record.ts';

export function poolConfig(pool: PoolRecord): ResourceConfigSpec {
  const { id, cpu, memory, changeVersion, lastModified } = pool;
  return make('ResourceConfigSpec', {
    entity: poolRef(id),
    ...(changeVersion === '' ? {} : { changeVersion, lastModified }),
    cpuAllocation: cpu,
    memoryAllocation: memory,
  });
}

export function poolRuntime(tree: PoolTree, id: string, load: PoolLoad): ResourcePoolRuntimeInfo {
  const overall = { cpuMhz: load.cpuMhz, memoryBytes: load.memoryMB * 2 ** 20 };
  return { ...poolRuntimeInfo(tree, id, overall), sharesScalable: 'none' };
}

export function poolSummary(pool: PoolRecord, runtime: ResourcePoolRuntimeInfo, load: PoolLoad): ResourcePoolSummary {
  return make('ResourcePoolSummary', {
    name: pool.name,
    config: poolConfig(pool),
    runtime,
    ...poolFigures(load),
  });
}

/** QueryResourceConfigOption: what a ResourceConfigSpec may hold. */
export function resourceConfigOption(maxShares: number, normal: { cpu: number; memory: number }): ResourceConfigOption {
  const option = (defaultValue: number) =>
    make('ResourceAllocationOption', {
      sharesOption: make('SharesOption', {
        sharesOption: make('IntOption', { valueIsReadonly: false, min: 1, max: maxShares, defaultValue }),
        defaultLevel: 'normal',
      }),
    });
  return make('ResourceConfigOption', {
    cpuAllocationOption: option(normal.cpu),
    memoryAllocationOption: option(normal.memory),
  });
}
