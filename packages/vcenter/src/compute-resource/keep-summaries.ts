// Keeps the summaries of compute resources and their root pools true: once a turn for those whose hosts have changed in what
// counts (hardware, connection, maintenance), not at every sample of usage.
import { type HostListSummary, type HostRuntimeInfo, type MoRef, moRefKey } from '@vivarium/vim';
import type { Change, ObjectGraph } from '@vivarium/vmomi';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { ComputePools } from '../resource-pool/compute-pools.ts';
import { rootConfig } from '../resource-pool/resource-pool-face.ts';
import { clusterSummary, computeSummary, type HostShare } from './compute-summary.ts';

type Owner = MoRef<'ComputeResource'>;

export interface SummaryOptions {
  readonly graph: ObjectGraph;
  readonly inventory: Inventory;
  readonly pools: ComputePools;
}

export function keepSummaries(options: SummaryOptions): { stop(): void } {
  const { graph, inventory } = options;
  const due = new Map<string, Owner>();
  const watched = new Map<string, () => void>();
  const flush = () => {
    const owners = [...due.values()];
    due.clear();
    for (const owner of owners) summarize(options, owner);
  };
  const touch = (owner: MoRef) => {
    if (due.size === 0) queueMicrotask(flush);
    due.set(moRefKey(owner), owner as unknown as Owner);
  };
  const watch = (host: MoRef<'HostSystem'>) => {
    if (watched.has(host.value)) return;
    watched.set(
      host.value,
      graph.subscribe(host as MoRef, (change) => {
        const owner = inventory.find(host)?.parent;
        if (owner && countsFor(change)) touch(owner);
      }),
    );
  };
  for (const [host, { parent }] of inventory.ofType('HostSystem')) {
    watch(host);
    touch(parent);
  }
  const stop = inventory.onChange(({ ref, before, after }) => {
    if ((ref as { type: string }).type !== 'HostSystem') return;
    if (before) touch(before.parent);
    if (after) {
      watch(ref as unknown as MoRef<'HostSystem'>);
      touch(after.parent);
    } else {
      watched.get(ref.value)?.();
      watched.delete(ref.value);
    }
  });
  return {
    stop() {
      stop();
      for (const unwatch of watched.values()) unwatch();
    },
  };
}

function countsFor(change: Change): boolean {
  if (change.kind !== 'modified') return true;
  return change.paths.some((path) => path === 'hardware' || path.startsWith('runtime')) || isFirstSummary(change);
}

function isFirstSummary({ paths, before }: Change & { kind: 'modified' }): boolean {
  const former = before['summary'] as HostListSummary | undefined;
  return paths.includes('summary') && former?.hardware === undefined;
}

function summarize({ graph, inventory, pools }: SummaryOptions, owner: Owner): void {
  const object = graph.find(owner);
  const pool = (inventory.find(owner) as EntityRecord<'ComputeResource'> | undefined)?.resourcePool;
  if (!object || !pool) return;
  const shares = inventory
    .children(owner)
    .filter(({ type }) => type === 'HostSystem')
    .map((ref): HostShare => {
      const host = graph.find(ref as MoRef);
      return {
        summary: host?.getPath('summary') as HostListSummary | undefined,
        runtime: host?.getPath('runtime') as HostRuntimeInfo | undefined,
      };
    });
  const isCluster = (owner as { type: string }).type === 'ClusterComputeResource';
  const summary = isCluster ? clusterSummary(shares) : computeSummary(shares);
  object.update({ summary, overallStatus: summary.overallStatus });
  showRootPool(graph, pools, pool, { cpuMhz: summary.effectiveCpu, memoryMB: summary.effectiveMemory });
}

function showRootPool(
  graph: ObjectGraph,
  pools: ComputePools,
  pool: MoRef<'ResourcePool'>,
  { cpuMhz, memoryMB }: { readonly cpuMhz: number; readonly memoryMB: number },
): void {
  graph.find(pool)?.set('config', rootConfig(pool, cpuMhz, memoryMB));
  pools.setCapacity(pool, { cpuMhz, memoryMB });
}
