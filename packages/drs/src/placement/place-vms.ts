// Initial placement: on which hosts VMs that are to power on together should run. Pure and deterministic.
//
// Large VMs go first, each to the host that ranks best when it is there (host-rank.ts). VMs that a rule keeps together are placed
// as one; where no host takes them all, optional rules give way. When a VM finds no room, one that was placed before may move.
// Cost: O(hosts) a VM.

import { type MethodFault, type MoRef, moRefKey } from '@vivarium/vim';
import { findReservationFault } from '../resource-pool/admission.ts';
import type { PoolTree } from '../resource-pool/pool-tree.ts';
import type { VmNeeds } from '../snapshot/vm-needs.ts';
import type { ClusterSnapshot } from './cluster-snapshot.ts';
import { type HostRank, ratingOf } from './host-rank.ts';
import { HostSearch, type Placed, unitsBySize } from './host-search.ts';
import { findHostFaults, noCompatibleHost } from './refusal.ts';
import { type Unit, unitOf } from './vm-units.ts';

export interface Placement {
  readonly vm: VmNeeds;
  readonly host: MoRef<'HostSystem'>;
  readonly hostName: string;
  /** 1 (lowest) to 5 (highest confidence), see `ratingOf`. */
  readonly rating: number;
  /** The host once the VM runs there, and what was placed before it. */
  readonly rank: HostRank;
  /** How many hosts could have taken it. */
  readonly candidates: number;
}

export interface PlacementPlan {
  /** In the order that was asked in. */
  readonly placed: readonly Placement[];
  readonly refused: readonly { readonly vm: VmNeeds; readonly fault: MethodFault }[];
}

export interface RankedHost {
  readonly host: MoRef<'HostSystem'>;
  readonly rating: number;
  readonly rank: HostRank;
}

/** Each VM once. Every one is either placed or refused, with a fault: of its pool (Insufficient…ResourcesFault) or of the hosts (NoCompatibleHost). */
export function placeVms(vms: readonly VmNeeds[], cluster: ClusterSnapshot): PlacementPlan {
  const search = new HostSearch(cluster);
  const refused = new Map<string, MethodFault>();
  const reserved = new Set<VmNeeds>();
  try {
    for (const unit of unitsBySize(vms, cluster, 'any')) {
      const admitted = unit.vms.filter((vm) => {
        const fault = findReservationFault(cluster.pools, vm.pool, vm.reservation);
        if (fault) refused.set(moRefKey(vm.vm), fault);
        else reserve(cluster.pools, vm, reserved);
        return !fault;
      });
      if (admitted.length === 0) continue;
      for (const { vm, fault } of placeUnit(unitOf(admitted), cluster, search)) {
        release(cluster.pools, vm, reserved);
        refused.set(moRefKey(vm.vm), fault);
      }
    }
  } finally {
    for (const vm of reserved) release(cluster.pools, vm, reserved);
  }
  return planOf(vms, search.placed(), refused);
}

/** Every host that could take the VM now, best first (RecommendHostsForVm). */
export function rankHosts(vm: VmNeeds, cluster: ClusterSnapshot): RankedHost[] {
  if (findReservationFault(cluster.pools, vm.pool, vm.reservation)) return [];
  const unit = unitOf([vm]);
  return new HostSearch(cluster)
    .candidates(unit)
    .map(({ load, rank }) => ({ host: load.snapshot.host, rating: ratingOf(rank, unit), rank }));
}

/** All reasons against powering on this VM on that host, when somebody named it: the pool's first, then the host's. */
export function findPowerOnFaults(vm: VmNeeds, host: MoRef<'HostSystem'>, cluster: ClusterSnapshot): MethodFault[] {
  const poolFault = findReservationFault(cluster.pools, vm.pool, vm.reservation);
  const search = new HostSearch(cluster);
  const unit = unitOf([vm]);
  const load = search.find(host);
  const hostFaults = load
    ? findHostFaults(vm, unit, load, search.rulesFor(unit))
    : [noCompatibleHost(vm, unit, [], search.rulesFor(unit))];
  return [...(poolFault ? [poolFault] : []), ...hostFaults];
}

/** The VMs that no host takes. */
function placeUnit(unit: Unit, cluster: ClusterSnapshot, search: HostSearch): { vm: VmNeeds; fault: MethodFault }[] {
  if (search.place(unit)) return [];
  const parts = unitsBySize(unit.vms, cluster, 'mandatory');
  return parts.flatMap((part) => {
    if (parts.length > 1 && search.place(part)) return [];
    const rules = search.rulesFor(part);
    const hosts = search.hostsInOrder();
    return part.vms.map((vm) => ({ vm, fault: noCompatibleHost(vm, part, hosts, rules) }));
  });
}

function reserve(pools: PoolTree, vm: VmNeeds, reserved: Set<VmNeeds>): void {
  pools.reserve(vm.pool, vm.reservation);
  reserved.add(vm);
}

function release(pools: PoolTree, vm: VmNeeds, reserved: Set<VmNeeds>): void {
  pools.release(vm.pool, vm.reservation);
  reserved.delete(vm);
}

function planOf(
  vms: readonly VmNeeds[],
  placed: readonly Placed[],
  refused: ReadonlyMap<string, MethodFault>,
): PlacementPlan {
  const byVm = new Map(placed.flatMap((item) => item.unit.vms.map((vm) => [moRefKey(vm.vm), item] as const)));
  const plan = { placed: [] as Placement[], refused: [] as { vm: VmNeeds; fault: MethodFault }[] };
  for (const vm of vms) {
    const key = moRefKey(vm.vm);
    const item = byVm.get(key);
    const fault = refused.get(key);
    if (item) plan.placed.push(placementOf(vm, item));
    else if (fault) plan.refused.push({ vm, fault });
  }
  return plan;
}

function placementOf(vm: VmNeeds, { load, rank, unit, candidates }: Placed): Placement {
  const { host, name } = load.snapshot;
  return { vm, host, hostName: name, rating: ratingOf(rank, unit), rank, candidates };
}
