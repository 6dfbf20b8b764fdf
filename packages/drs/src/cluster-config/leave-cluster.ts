// A VM or host leaves the cluster: its groups, rules and overrides forget it for good (ClusterVmGroup: "the Server does not restore
// any group affiliations"). Pure.

import {
  type ClusterConfigInfoEx,
  type ClusterRuleInfo,
  isA,
  type ManagedObjectReference,
  sameRef,
} from '@vivarium/vim';
import { isVmRule } from './update-rules.ts';

/** The same object when nothing of the configuration named it. A rule between VMs that has lost all of them is gone. */
export function leaveCluster(config: ClusterConfigInfoEx, ref: ManagedObjectReference): ClusterConfigInfoEx {
  const changes = {
    ...without('drsVmConfig', config.drsVmConfig, ({ key }) => sameRef(key, ref)),
    ...without('dasVmConfig', config.dasVmConfig, ({ key }) => sameRef(key, ref)),
    ...without('vmOrchestration', config.vmOrchestration, ({ vm }) => sameRef(vm, ref)),
    ...without('dpmHostConfig', config.dpmHostConfig, ({ key }) => sameRef(key, ref)),
    ...mapped('group', config.group, (group) =>
      isA('ClusterVmGroup', group)
        ? withoutMember(group, 'vm', group.vm, ref)
        : isA('ClusterHostGroup', group)
          ? withoutMember(group, 'host', group.host, ref)
          : group,
    ),
    ...mapped('rule', config.rule, (rule) => ruleWithout(rule, ref)),
  };
  return Object.keys(changes).length === 0 ? config : { ...config, ...changes };
}

function ruleWithout(rule: ClusterRuleInfo, ref: ManagedObjectReference): ClusterRuleInfo | undefined {
  if (!isVmRule(rule)) return rule;
  const left = withoutMember(rule, 'vm', rule.vm, ref);
  return left.vm.length === 0 ? undefined : left;
}

function withoutMember<T extends object>(
  owner: T,
  name: string,
  members: readonly ManagedObjectReference[] | undefined,
  ref: ManagedObjectReference,
): T {
  if (!members?.some((member) => sameRef(member, ref))) return owner;
  return { ...owner, [name]: members.filter((member) => !sameRef(member, ref)) };
}

function without<Name extends string, T>(
  name: Name,
  list: readonly T[] | undefined,
  isGone: (item: T) => boolean,
): { [K in Name]?: T[] } {
  return mapped(name, list, (item) => (isGone(item) ? undefined : item));
}

function mapped<Name extends string, T>(
  name: Name,
  list: readonly T[] | undefined,
  change: (item: T) => T | undefined,
): { [K in Name]?: T[] } {
  const left = (list ?? []).map(change);
  if (left.every((item, index) => item === list?.[index])) return {};
  return { [name]: left.filter((item) => item !== undefined) } as { [K in Name]?: T[] };
}
