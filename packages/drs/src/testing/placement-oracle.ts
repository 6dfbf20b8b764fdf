// The best placement of a few VMs on a few hosts, by trying all of them. It states the goal on its own and shares no code with the placement.

import type { ClusterRuleInfo } from '@vivarium/vim';
import { isA } from '@vivarium/vim';
import type { HostSnapshot } from '../snapshot/host-snapshot.ts';
import type { VmNeeds } from '../snapshot/vm-needs.ts';

export interface Outcome {
  readonly placed: number;
  /** Optional rules that do not hold. */
  readonly brokenRules: number;
  /** Of the fullest host, expected demand / capacity of CPU or memory. */
  readonly highestLoad: number;
}

/** `places`: an index of `hosts` for each VM, -1 for one that is not placed. undefined: this must not be. */
export function outcomeOf(
  places: readonly number[],
  vms: readonly VmNeeds[],
  hosts: readonly HostSnapshot[],
  rules: readonly ClusterRuleInfo[],
): Outcome | undefined {
  let highestLoad = 0;
  for (const [index, host] of hosts.entries()) {
    const here = vms.filter((_, vm) => places[vm] === index);
    const sum = (amount: (vm: VmNeeds) => number) => here.reduce((total, vm) => total + amount(vm), 0);
    if (sum(({ reservation }) => reservation.cpuMhz) > host.capacity.cpuMhz - host.reserved.cpuMhz) return undefined;
    if (sum(({ reservation }) => reservation.memoryMB) > host.capacity.memoryMB - host.reserved.memoryMB)
      return undefined;
    if (here.some(({ home }) => !host.datastores.has(home.datastore.value))) return undefined;
    highestLoad = Math.max(
      highestLoad,
      (host.demand.cpuMhz + sum(({ demand }) => demand.cpuMhz)) / host.capacity.cpuMhz,
      (host.demand.memoryMB + sum(({ demand }) => demand.memoryMB)) / host.capacity.memoryMB,
    );
  }
  let brokenRules = 0;
  for (const rule of rules) {
    if (holds(rule, places, vms)) continue;
    if (rule.mandatory === true) return undefined;
    brokenRules += 1;
  }
  return { placed: places.filter((place) => place >= 0).length, brokenRules, highestLoad };
}

function holds(rule: ClusterRuleInfo, places: readonly number[], vms: readonly VmNeeds[]): boolean {
  const isTogether = isA('ClusterAffinityRuleSpec', rule);
  if (!isTogether && !isA('ClusterAntiAffinityRuleSpec', rule)) return true;
  const members = new Set(rule.vm.map(({ value }) => value));
  const used = places.filter((place, index) => place >= 0 && members.has(vms[index]?.vm.value ?? ''));
  return isTogether ? new Set(used).size <= 1 : new Set(used).size === used.length;
}

/** Most VMs placed, then fewest rules broken, then the lowest highest load. */
export function bestOutcome(
  vms: readonly VmNeeds[],
  hosts: readonly HostSnapshot[],
  rules: readonly ClusterRuleInfo[],
): Outcome {
  let best: Outcome = { placed: 0, brokenRules: 0, highestLoad: Infinity };
  const places = vms.map(() => -1);
  const tryFrom = (index: number): void => {
    if (index === vms.length) {
      const outcome = outcomeOf(places, vms, hosts, rules);
      if (outcome && compareOutcomes(outcome, best) < 0) best = outcome;
      return;
    }
    for (let place = -1; place < hosts.length; place += 1) {
      places[index] = place;
      tryFrom(index + 1);
    }
  };
  tryFrom(0);
  return best;
}

export function compareOutcomes(a: Outcome, b: Outcome): number {
  return b.placed - a.placed || a.brokenRules - b.brokenRules || a.highestLoad - b.highestLoad;
}
