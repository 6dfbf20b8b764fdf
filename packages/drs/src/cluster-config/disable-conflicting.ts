// Rules that contradict an older one are disabled, as vCenter does ("the older rule takes precedence and DRS disables the newer
// rule", ClusterRuleInfo). Pure.

import { type ClusterGroupInfo, type ClusterRuleInfo, type ClusterVmHostRuleInfo, isA } from '@vivarium/vim';
import { isVmRule } from './update-rules.ts';

type Check = (rule: ClusterRuleInfo) => boolean;

/** The rules as they were given, each one that contradicts enabled rules of lower key with `enabled: false`. */
export function disableConflicting(
  rules: readonly ClusterRuleInfo[],
  groups: readonly ClusterGroupInfo[],
): ClusterRuleInfo[] {
  const vmRules = vmRuleCheck();
  const hostRules = hostRuleCheck(groups);
  const conflicting = new Set<ClusterRuleInfo>();
  const byAge = rules.filter(({ enabled }) => enabled === true).sort((a, b) => (a.key ?? 0) - (b.key ?? 0));
  for (const rule of byAge) {
    const isFine = isVmRule(rule) ? vmRules(rule) : isA('ClusterVmHostRuleInfo', rule) ? hostRules(rule) : true;
    if (!isFine) conflicting.add(rule);
  }
  return rules.map((rule) => (conflicting.has(rule) ? { ...rule, enabled: false } : rule));
}

/** VMs kept together are one set (also by way of a third VM); VMs kept apart must be in different ones. */
function vmRuleCheck(): Check {
  const parent = new Map<string, string>();
  const find = (vm: string): string => {
    const up = parent.get(vm) ?? vm;
    return up === vm ? vm : find(up);
  };
  const apart: string[][] = [];
  const isApart = (vms: readonly string[], root: (vm: string) => string) => new Set(vms.map(root)).size === vms.length;
  return (rule) => {
    if (!isVmRule(rule)) return true;
    const vms = rule.vm.map(({ value }) => value);
    if (isA('ClusterAntiAffinityRuleSpec', rule)) {
      if (!isApart(vms, find)) return false;
      apart.push(vms);
      return true;
    }
    const joined = new Set(vms.map(find));
    const first = find(vms[0] ?? '');
    const root = (vm: string) => (joined.has(find(vm)) ? first : find(vm));
    if (apart.some((group) => !isApart(group, root))) return false;
    for (const vm of joined) parent.set(vm, first);
    return true;
  };
}

/** For each VM of the new rule some host must satisfy it and the older rules of the same strength. */
function hostRuleCheck(groups: readonly ClusterGroupInfo[]): Check {
  const vmsOf = new Map<string, string[]>();
  const hostsOf = new Map<string, string[]>();
  for (const group of groups) {
    if (isA('ClusterVmGroup', group))
      vmsOf.set(
        group.name,
        (group.vm ?? []).map(({ value }) => value),
      );
    if (isA('ClusterHostGroup', group))
      hostsOf.set(
        group.name,
        (group.host ?? []).map(({ value }) => value),
      );
  }
  const older = new Map<string, ClusterVmHostRuleInfo[]>();
  return (rule) => {
    if (!isA('ClusterVmHostRuleInfo', rule)) return true;
    const keyOf = (vm: string) => `${rule.mandatory === true}:${vm}`;
    const vms = vmsOf.get(rule.vmGroupName ?? '') ?? [];
    if (vms.some((vm) => !hasHost([...(older.get(keyOf(vm)) ?? []), rule], hostsOf))) return false;
    for (const vm of vms) older.set(keyOf(vm), [...(older.get(keyOf(vm)) ?? []), rule]);
    return true;
  };
}

/** Hosts outside of all groups are any number: only when the rules name a host to run on can nothing be left. */
function hasHost(rules: readonly ClusterVmHostRuleInfo[], hostsOf: ReadonlyMap<string, readonly string[]>): boolean {
  let allowed: Set<string> | undefined;
  for (const { affineHostGroupName } of rules) {
    if (!affineHostGroupName) continue;
    const hosts = new Set(hostsOf.get(affineHostGroupName));
    allowed = allowed ? allowed.intersection(hosts) : hosts;
  }
  if (!allowed) return true;
  for (const { antiAffineHostGroupName } of rules) {
    if (antiAffineHostGroupName) allowed = allowed.difference(new Set(hostsOf.get(antiAffineHostGroupName)));
  }
  return allowed.size > 0;
}
