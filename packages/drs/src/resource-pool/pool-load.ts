// What the VMs of a pool use, added up: ResourcePoolQuickStats. Pure.
import { make, type ResourcePoolQuickStats, type VirtualMachineSummary } from '@vivarium/vim';

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

const FIGURES = Object.keys(noLoad) as (keyof PoolLoad)[];

/** A VM's, by what it shows of itself. */
export function loadOfVm({ config, quickStats, runtime }: VirtualMachineSummary): PoolLoad {
  const configuredMB = config.memorySizeMB ?? 0;
  if (runtime.powerState !== 'poweredOn') return { ...noLoad, configuredMB };
  return {
    cpuMhz: quickStats.overallCpuUsage ?? 0,
    cpuDemandMhz: quickStats.overallCpuDemand ?? 0,
    memoryMB: quickStats.hostMemoryUsage ?? 0,
    activeMB: quickStats.guestMemoryUsage ?? 0,
    privateMB: quickStats.privateMemory ?? 0,
    sharedMB: quickStats.sharedMemory ?? 0,
    swappedMB: quickStats.swappedMemory ?? 0,
    balloonedMB: quickStats.balloonedMemory ?? 0,
    overheadMB: Math.ceil((runtime.memoryOverhead ?? 0) / 2 ** 20),
    configuredMB,
  };
}

/** `sign` −1 takes `b` away. */
export function plusLoad(a: PoolLoad, b: PoolLoad, sign: 1 | -1 = 1): PoolLoad {
  return {
    cpuMhz: a.cpuMhz + sign * b.cpuMhz,
    cpuDemandMhz: a.cpuDemandMhz + sign * b.cpuDemandMhz,
    memoryMB: a.memoryMB + sign * b.memoryMB,
    activeMB: a.activeMB + sign * b.activeMB,
    privateMB: a.privateMB + sign * b.privateMB,
    sharedMB: a.sharedMB + sign * b.sharedMB,
    swappedMB: a.swappedMB + sign * b.swappedMB,
    balloonedMB: a.balloonedMB + sign * b.balloonedMB,
    overheadMB: a.overheadMB + sign * b.overheadMB,
    configuredMB: a.configuredMB + sign * b.configuredMB,
  };
}

export function isSameLoad(a: PoolLoad, b: PoolLoad): boolean {
  return FIGURES.every((name) => a[name] === b[name]);
}

/** Sums up by pool; `parentOf` leads from a pool to the one around it. */
export function sumLoads(
  loads: Iterable<{ readonly pool: string; readonly load: PoolLoad }>,
  parentOf: (pool: string) => string | undefined,
): ReadonlyMap<string, PoolLoad> {
  const sums = new Map<string, PoolLoad>();
  for (const { pool, load } of loads) {
    for (let id: string | undefined = pool; id !== undefined; id = parentOf(id)) {
      sums.set(id, plusLoad(sums.get(id) ?? noLoad, load));
    }
  }
  return sums;
}

/** ResourcePoolSummary's figures. */
export function poolFigures(load: PoolLoad): {
  readonly quickStats: ResourcePoolQuickStats;
  readonly configuredMemoryMB: number;
} {
  return {
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
  };
}
