// The search for the best host for some VMs, over hosts that fill up as VMs are placed. O(hosts) a search: hosts are asked as they
// come, and the order of their morefs is looked at where it decides, among equals.

import type { MoRef } from '@vivarium/vim';
import { isCompatible } from '../compatibility/compatibility.ts';
import { compareMorefs, sortByMoref } from '../compatibility/moref-order.ts';
import { BoundRules } from '../rules/bound-rules.ts';
import type { ClusterSnapshot } from './cluster-snapshot.ts';
import { addLoad, type HostLoad, hasRoom, newHostLoad } from './host-load.ts';
import { compareRanks, type HostRank, rankHost } from './host-rank.ts';
import { type Unit, unitsOf } from './vm-units.ts';

export interface Candidate {
  readonly load: HostLoad;
  readonly rank: HostRank;
}

export interface Placed extends Candidate {
  readonly unit: Unit;
  /** Hosts that could have taken the VMs, this one among them. */
  readonly candidates: number;
}

/** How many searches a call may spend on moving VMs that it has placed itself, to make room for one more. */
const MAX_REARRANGEMENTS = 200;

export class HostSearch {
  readonly #hosts: readonly HostLoad[];
  readonly #cluster: ClusterSnapshot;
  /** By the value of a VM's moref, and by host. */
  readonly #hostOf = new Map<string, string>();
  readonly #placedOn = new Map<HostLoad, Placed[]>();
  #rearrangementsLeft = MAX_REARRANGEMENTS;

  constructor(cluster: ClusterSnapshot) {
    this.#cluster = cluster;
    this.#hosts = cluster.hosts.map(newHostLoad);
  }

  rulesFor(unit: Unit): BoundRules {
    return new BoundRules(
      unit.vms,
      this.#cluster.rules,
      (vm) => this.#hostOf.get(vm) ?? this.#cluster.hostOf(vm)?.value,
    );
  }

  /** In moref order. */
  hostsInOrder(): HostLoad[] {
    return inOrder(this.#hosts);
  }

  find(host: MoRef<'HostSystem'>): HostLoad | undefined {
    return this.#hosts.find(({ snapshot }) => snapshot.host.value === host.value);
  }

  /** The hosts that can take the VMs, best first. */
  candidates(unit: Unit): Candidate[] {
    const rules = this.rulesFor(unit);
    return this.#hosts
      .filter((load) => isAllowed(unit, load, rules) && hasRoom(load, unit))
      .map((load) => ({ load, rank: rankHost(load, unit, rules.brokenRules(load.snapshot.host.value)) }))
      .sort(compareCandidates);
  }

  /** Puts the VMs on the best host; undefined when none can take them. */
  place(unit: Unit): Placed | undefined {
    const placed = this.#findBest(unit) ?? this.#makeRoom(unit);
    if (placed) this.#put(placed);
    return placed;
  }

  /** What has been placed, where it is in the end. */
  placed(): Placed[] {
    return [...this.#placedOn.values()].flat();
  }

  #findBest(unit: Unit, except?: HostLoad): Placed | undefined {
    const rules = this.rulesFor(unit);
    let best: Candidate | undefined;
    let candidates = 0;
    for (const load of this.#hosts) {
      if (load === except || !hasRoom(load, unit) || !isAllowed(unit, load, rules)) continue;
      candidates += 1;
      const candidate = { load, rank: rankHost(load, unit, rules.brokenRules(load.snapshot.host.value)) };
      if (!best || compareCandidates(candidate, best) < 0) best = candidate;
    }
    return best && { ...best, unit, candidates };
  }

  /** Moves one unit that was placed before to another host, where that lets this one in. */
  #makeRoom(unit: Unit): Placed | undefined {
    const rules = this.rulesFor(unit);
    for (const load of inOrder([...this.#placedOn.keys()])) {
      const others = this.#placedOn.get(load) ?? [];
      if (others.length === 0 || !isAllowed(unit, load, rules)) continue;
      for (const other of others) {
        if (this.#rearrangementsLeft === 0) return undefined;
        const placed = this.#replace(other, unit);
        if (placed) return placed;
      }
    }
    return undefined;
  }

  #replace(other: Placed, unit: Unit): Placed | undefined {
    const { load } = other;
    this.#take(other);
    if (hasRoom(load, unit)) {
      this.#rearrangementsLeft -= 1;
      const elsewhere = this.#findBest(other.unit, load);
      if (elsewhere) {
        this.#put(elsewhere);
        const rules = this.rulesFor(unit);
        if (isAllowed(unit, load, rules)) {
          return { load, unit, candidates: 1, rank: rankHost(load, unit, rules.brokenRules(load.snapshot.host.value)) };
        }
        this.#take(elsewhere);
      }
    }
    this.#put(other);
    return undefined;
  }

  #put(placed: Placed): void {
    addLoad(placed.load, placed.unit, 1);
    for (const { vm } of placed.unit.vms) this.#hostOf.set(vm.value, placed.load.snapshot.host.value);
    this.#placedOn.set(placed.load, [...(this.#placedOn.get(placed.load) ?? []), placed]);
  }

  #take(placed: Placed): void {
    addLoad(placed.load, placed.unit, -1);
    for (const { vm } of placed.unit.vms) this.#hostOf.delete(vm.value);
    this.#placedOn.set(
      placed.load,
      (this.#placedOn.get(placed.load) ?? []).filter((item) => item !== placed),
    );
  }
}

function inOrder(hosts: readonly HostLoad[]): HostLoad[] {
  return sortByMoref(hosts, ({ snapshot }) => snapshot.host);
}

function compareCandidates(a: Candidate, b: Candidate): number {
  return compareRanks(a.rank, b.rank) || compareMorefs(a.load.snapshot.host, b.load.snapshot.host);
}

function isAllowed(unit: Unit, { snapshot }: HostLoad, rules: BoundRules): boolean {
  return !rules.isForbidden(snapshot.host.value) && unit.vms.every((vm) => isCompatible(vm, snapshot));
}

/** Large VMs first: what they reserve of an average host, then what they want, then the order of morefs. */
export function unitsBySize(
  vms: Parameters<typeof unitsOf>[0],
  cluster: ClusterSnapshot,
  strength: 'any' | 'mandatory',
): Unit[] {
  const cpu = cluster.hosts.reduce((sum, { capacity }) => sum + capacity.cpuMhz, 0);
  const memory = cluster.hosts.reduce((sum, { capacity }) => sum + capacity.memoryMB, 0);
  const size = ({ cpuMhz, memoryMB }: Unit['demand']) => Math.max(cpuMhz / (cpu || 1), memoryMB / (memory || 1));
  return unitsOf(
    sortByMoref(vms, ({ vm }) => vm),
    cluster.rules,
    strength,
  )
    .map((unit) => ({ unit, reserved: size(unit.reservation), wanted: size(unit.demand) }))
    .sort((a, b) => b.reserved - a.reserved || b.wanted - a.wanted)
    .map(({ unit }) => unit);
}
