// Whether the rules of a cluster hold where its VMs run now: `status` and `inCompliance` of each. Pure.

import { type ClusterConfigInfoEx, type ClusterRuleInfo, isA, type MoRef } from '@vivarium/vim';

/** Where a running VM runs; undefined for one that does not run. */
export type HostOfVm = (vm: MoRef<'VirtualMachine'>) => MoRef<'HostSystem'> | undefined;

/** The same object when no status changed. A disabled rule is green. */
export function withRuleStatus(config: ClusterConfigInfoEx, hostOf: HostOfVm): ClusterConfigInfoEx {
  let isChanged = false;
  const rule = config.rule?.map((old) => {
    const isMet = old.enabled !== true || isRuleMet(old, config, hostOf);
    const status = isMet ? 'green' : 'red';
    if (old.status === status && old.inCompliance === isMet) return old;
    isChanged = true;
    return { ...old, status, inCompliance: isMet } satisfies ClusterRuleInfo;
  });
  return isChanged && rule ? { ...config, rule } : config;
}

function isRuleMet(rule: ClusterRuleInfo, config: ClusterConfigInfoEx, hostOf: HostOfVm): boolean {
  const hostsOf = (vms: readonly MoRef<'VirtualMachine'>[]) => vms.map(hostOf).filter((host) => host !== undefined);
  if (isA('ClusterAffinityRuleSpec', rule)) return new Set(hostsOf(rule.vm).map(({ value }) => value)).size <= 1;
  if (isA('ClusterAntiAffinityRuleSpec', rule)) {
    const hosts = hostsOf(rule.vm);
    return new Set(hosts.map(({ value }) => value)).size === hosts.length;
  }
  if (!isA('ClusterVmHostRuleInfo', rule)) return true;
  const group = config.group?.find(({ name }) => name === rule.vmGroupName);
  const running = isA('ClusterVmGroup', group) ? hostsOf(group.vm ?? []) : [];
  const isIn = (name: string | undefined) => {
    const hosts = config.group?.find((candidate) => candidate.name === name);
    const members = new Set(isA('ClusterHostGroup', hosts) ? (hosts.host ?? []).map(({ value }) => value) : []);
    return ({ value }: MoRef<'HostSystem'>) => members.has(value);
  };
  const { affineHostGroupName, antiAffineHostGroupName } = rule;
  return (
    (!affineHostGroupName || running.every(isIn(affineHostGroupName))) &&
    (!antiAffineHostGroupName || !running.some(isIn(antiAffineHostGroupName)))
  );
}
