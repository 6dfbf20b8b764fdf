// ResourcePool's properties from what is known of a pool. Pure.
import { type PoolTree, poolRuntimeInfo } from '@vivarium/drs/resource-pool';
import {
  make,
  type ResourceConfigOption,
  type ResourceConfigSpec,
  type ResourcePoolRuntimeInfo,
  type ResourcePoolSummary,
} from '@vivarium/vim';
import { type PoolRecord, poolRef } from './pool-record.ts';

/** What the VMs of a pool and of all pools in it use now, and what they are. */
export interface PoolLoad {
  readonly cpuMhz: number;
  readonly cpuDemandMhz: number;
  /** Host memory that they take. */
  readonly memoryMB: number;
  /** Memory that the guests work with. */
  readonly activeMB: number;
  /** Host memory that nobody else has. */
  readonly privateMB: number;
  readonly sharedMB: number;
  readonly swappedMB: number;
  readonly balloonedMB: number;
  readonly overheadMB: number;
  /** Of VMs that do not run, too. */
  readonly configuredMB: number;
}

export const noLoad: PoolLoad = {
  ...{ cpuMhz: 0, cpuDemandMhz: 0, memoryMB: 0, activeMB: 0, privateMB: 0, sharedMB: 0, swappedMB: 0 },
  ...{ balloonedMB: 0, overheadMB: 0, configuredMB: 0 },
};

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
    quickStats: make('ResourcePoolQuickStats', {
      overallCpuUsage: load.cpuMhz,
      overallCpuDemand: load.cpuDemandMhz,
      guestMemoryUsage: load.activeMB,
      hostMemoryUsage: load.memoryMB,
      privateMemory: load.privateMB,
      sharedMemory: load.sharedMB,
      swappedMemory: load.swappedMB,
      balloonedMemory: load.balloonedMB,
      overheadMemory: load.overheadMB,
      compressedMemory: 0,
    }),
    configuredMemoryMB: load.configuredMB,
  });
}

export interface VmLoad extends PoolLoad {
  readonly pool: string;
}

/** Sums up by pool; `parentOf` leads from a pool to the one around it. */
export function sumLoads(
  vms: Iterable<VmLoad>,
  parentOf: (pool: string) => string | undefined,
): ReadonlyMap<string, PoolLoad> {
  const sums = new Map<string, PoolLoad>();
  for (const { pool, ...load } of vms) {
    for (let id: string | undefined = pool; id !== undefined; id = parentOf(id)) {
      sums.set(id, plus(sums.get(id) ?? noLoad, load));
    }
  }
  return sums;
}

function plus(a: PoolLoad, b: PoolLoad): PoolLoad {
  return {
    cpuMhz: a.cpuMhz + b.cpuMhz,
    cpuDemandMhz: a.cpuDemandMhz + b.cpuDemandMhz,
    memoryMB: a.memoryMB + b.memoryMB,
    activeMB: a.activeMB + b.activeMB,
    privateMB: a.privateMB + b.privateMB,
    sharedMB: a.sharedMB + b.sharedMB,
    swappedMB: a.swappedMB + b.swappedMB,
    balloonedMB: a.balloonedMB + b.balloonedMB,
    overheadMB: a.overheadMB + b.overheadMB,
    configuredMB: a.configuredMB + b.configuredMB,
  };
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
