// Rules of a cluster (ClusterRuleInfo): between VMs, between VMs and hosts, and the order of restarts.

import {
  type ClusterDependencyRuleInfo,
  type ClusterGroupInfo,
  type ClusterRuleInfo,
  type ClusterRuleSpec,
  type ClusterVmHostRuleInfo,
  isA,
  MethodFault,
  type MoRef,
} from '@vivarium/vim';
import { applyArrayUpdates, invalidArgument } from './array-update.ts';
import type { ClusterContext } from './cluster-context.ts';
import { distinct } from './update-groups.ts';

const PATH = 'rulesSpec';

type VmRule = ClusterRuleInfo & { vm: MoRef<'VirtualMachine'>[] };

/**
 * A new rule gets key and uuid from the context. An edit names its rule by key, or by name when it has none, and changes only what it sets.
 * DuplicateName for a second rule of a name; InvalidArgument for what cannot be a rule.
 */
export function updateRules(
  rules: readonly ClusterRuleInfo[],
  specs: readonly ClusterRuleSpec[],
  context: ClusterContext,
): ClusterRuleInfo[] {
  const updated = applyArrayUpdates(rules, withKeys(rules, specs), {
    path: PATH,
    keyOf: ({ key }) => String(key),
    parseKey: (key) => (typeof key === 'number' ? String(key) : undefined),
    add: (info) => checked({ ...defaults(), ...info, ...identity(context) }, context),
    edit: (old, info) => {
      if (old._typeName !== info._typeName) throw invalidArgument(`${PATH}.info`);
      return checked({ ...old, ...info, ...(old.ruleUuid === undefined ? {} : { ruleUuid: old.ruleUuid }) }, context);
    },
  });
  const names = new Set<string>();
  for (const { name = '' } of updated) {
    if (names.has(name)) throw new MethodFault('DuplicateName', { name, object: context.cluster });
    names.add(name);
  }
  return updated;
}

/** Keys of new rules are ours to give: what a client puts there is dropped, so that it cannot meet an old one. */
function withKeys(rules: readonly ClusterRuleInfo[], specs: readonly ClusterRuleSpec[]): ClusterRuleSpec[] {
  return specs.map((spec) => {
    if (spec.info === undefined || spec.operation === 'remove') return spec;
    const { key, ...info } = spec.info;
    if (spec.operation === 'add') return { ...spec, info };
    const found = key === undefined || key === 0 ? rules.find(({ name }) => name === info.name)?.key : key;
    return found === undefined ? { ...spec, info } : { ...spec, info: { ...info, key: found } };
  });
}

function defaults(): Partial<ClusterRuleInfo> {
  return { enabled: false, mandatory: false, userCreated: true };
}

function identity(context: ClusterContext): Partial<ClusterRuleInfo> {
  return { key: context.nextRuleKey(), ruleUuid: context.newUuid(), status: 'green', inCompliance: true };
}

function checked(rule: ClusterRuleInfo, context: ClusterContext): ClusterRuleInfo {
  if (!rule.name) throw invalidArgument(`${PATH}.info.name`);
  if (isVmRule(rule)) {
    const vm = distinct(rule.vm);
    if (vm.length < 2 || vm.some((ref) => !context.isMember(ref))) throw invalidArgument(`${PATH}.info.vm`);
    return { ...rule, vm } as ClusterRuleInfo;
  }
  if (isA('ClusterVmHostRuleInfo', rule)) {
    if (!rule.vmGroupName) throw invalidArgument(`${PATH}.info.vmGroupName`);
    if (!rule.affineHostGroupName && !rule.antiAffineHostGroupName) {
      throw invalidArgument(`${PATH}.info.affineHostGroupName`);
    }
    return rule;
  }
  if (isA('ClusterDependencyRuleInfo', rule)) {
    if (rule.vmGroup === rule.dependsOnVmGroup) throw invalidArgument(`${PATH}.info.dependsOnVmGroup`);
    return rule;
  }
  throw invalidArgument(`${PATH}.info`);
}

export function isVmRule(rule: ClusterRuleInfo): rule is VmRule {
  return isA('ClusterAffinityRuleSpec', rule) || isA('ClusterAntiAffinityRuleSpec', rule);
}

/** The groups that changed rules name must be there and of the right kind; at least one host group of a VM-Host rule has a host. */
export function checkGroupsOfRules(
  rules: readonly ClusterRuleInfo[],
  isChanged: (rule: ClusterRuleInfo) => boolean,
  groups: readonly ClusterGroupInfo[],
): void {
  const byName = new Map(groups.map((group) => [group.name, group]));
  for (const rule of rules.filter(isChanged)) {
    if (isA('ClusterVmHostRuleInfo', rule)) checkVmHostRule(rule, byName);
    else if (isA('ClusterDependencyRuleInfo', rule)) checkDependencyRule(rule, byName);
  }
  checkNoCycle(rules.filter((rule) => isA('ClusterDependencyRuleInfo', rule)));
}

type Groups = ReadonlyMap<string, ClusterGroupInfo>;

function checkVmHostRule(rule: ClusterVmHostRuleInfo, groups: Groups): void {
  if (!isA('ClusterVmGroup', groups.get(rule.vmGroupName ?? ''))) throw invalidArgument(`${PATH}.info.vmGroupName`);
  let hosts = 0;
  for (const property of ['affineHostGroupName', 'antiAffineHostGroupName'] as const) {
    const name = rule[property];
    if (!name) continue;
    const group = groups.get(name);
    if (!isA('ClusterHostGroup', group)) throw invalidArgument(`${PATH}.info.${property}`);
    hosts += group.host?.length ?? 0;
  }
  if (hosts === 0) throw invalidArgument(`${PATH}.info.affineHostGroupName`);
}

function checkDependencyRule(rule: ClusterDependencyRuleInfo, groups: Groups): void {
  for (const property of ['vmGroup', 'dependsOnVmGroup'] as const) {
    if (!isA('ClusterVmGroup', groups.get(rule[property]))) throw invalidArgument(`${PATH}.info.${property}`);
  }
}

function checkNoCycle(rules: readonly ClusterDependencyRuleInfo[]): void {
  const next = Map.groupBy(
    rules.filter(({ enabled }) => enabled === true),
    ({ vmGroup }) => vmGroup,
  );
  const done = new Set<string>();
  const visit = (group: string, path: ReadonlySet<string>): void => {
    if (path.has(group)) throw invalidArgument(`${PATH}.info.dependsOnVmGroup`);
    if (done.has(group)) return;
    for (const rule of next.get(group) ?? []) visit(rule.dependsOnVmGroup, new Set(path).add(group));
    done.add(group);
  };
  for (const group of next.keys()) visit(group, new Set());
}
