// ReconfigureComputeResource_Task of a cluster as a function: configuration and spec in, new configuration out. HA, power
// management and orchestration are kept as data; who acts on them is not here.

import {
  type ClusterConfigInfoEx,
  type ClusterConfigSpec,
  type ClusterConfigSpecEx,
  isA,
  MethodFault,
} from '@vivarium/vim';
import { invalidArgument } from './array-update.ts';
import type { ClusterContext } from './cluster-context.ts';
import { defaultClusterConfig } from './default-cluster-config.ts';
import { disableConflicting } from './disable-conflicting.ts';
import { mergeSettings } from './merge-settings.ts';
import { updateGroups } from './update-groups.ts';
import { updateOverrides } from './update-overrides.ts';
import { checkGroupsOfRules, updateRules } from './update-rules.ts';

/**
 * `isIncremental` is the API's `modify`: without it the defaults are the starting point instead of `config`.
 * Throws InvalidArgument, DuplicateName, ResourceInUse (a group that a rule names is removed), NotSupported (vSAN, encryption,
 * images, system VMs); `config` is unchanged in any case.
 */
export function applyClusterConfigSpec(
  config: ClusterConfigInfoEx,
  spec: ClusterConfigSpecEx | ClusterConfigSpec,
  context: ClusterContext,
  isIncremental: boolean,
): ClusterConfigInfoEx {
  const change: ClusterConfigSpecEx = spec;
  refuseUnsupported(change);
  checkSettings(change, context);
  const base = isIncremental ? config : defaultClusterConfig();
  return {
    ...base,
    ...settings(base, change),
    ...updateOverrides(base, change, context),
    ...rulesAndGroups(base, change, context),
  };
}

function settings(base: ClusterConfigInfoEx, spec: ClusterConfigSpecEx): Partial<ClusterConfigInfoEx> {
  const merged: Partial<ClusterConfigInfoEx> = {
    dasConfig: mergeSettings(base.dasConfig, spec.dasConfig) ?? base.dasConfig,
    drsConfig: mergeSettings(base.drsConfig, spec.drsConfig) ?? base.drsConfig,
  };
  return Object.assign(
    merged,
    given('dpmConfigInfo', mergeSettings(base.dpmConfigInfo, spec.dpmConfig)),
    given('orchestration', mergeSettings(base.orchestration, spec.orchestration)),
    given('infraUpdateHaConfig', mergeSettings(base.infraUpdateHaConfig, spec.infraUpdateHaConfig)),
    given('proactiveDrsConfig', mergeSettings(base.proactiveDrsConfig, spec.proactiveDrsConfig)),
    given('vmSwapPlacement', spec.vmSwapPlacement),
    given('spbmEnabled', spec.spbmEnabled),
    given('defaultHardwareVersionKey', spec.defaultHardwareVersionKey),
    given('maximumHardwareVersionKey', spec.maximumHardwareVersionKey),
  );
}

function given<Name extends string, T>(name: Name, value: T | undefined): { [K in Name]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [K in Name]?: T });
}

function rulesAndGroups(
  base: ClusterConfigInfoEx,
  spec: ClusterConfigSpecEx,
  context: ClusterContext,
): Partial<ClusterConfigInfoEx> {
  if (!spec.groupSpec?.length && !spec.rulesSpec?.length) return {};
  const group = updateGroups(base.group ?? [], spec.groupSpec ?? [], context);
  const rule = updateRules(base.rule ?? [], spec.rulesSpec ?? [], context);
  refuseGroupsInUse(base, { group, rule });
  const old = new Set(base.rule);
  checkGroupsOfRules(rule, (item) => !old.has(item), group);
  return { group, rule: disableConflicting(rule, group) };
}

function refuseGroupsInUse(
  base: ClusterConfigInfoEx,
  { group, rule }: Required<Pick<ClusterConfigInfoEx, 'group' | 'rule'>>,
): void {
  const left = new Set(group.map(({ name }) => name));
  const removed = new Set((base.group ?? []).map(({ name }) => name).filter((name) => !left.has(name)));
  for (const item of rule) {
    for (const name of groupNames(item)) {
      if (removed.has(name)) throw new MethodFault('ResourceInUse', { type: 'ClusterGroupInfo', name });
    }
  }
}

function groupNames(rule: NonNullable<ClusterConfigInfoEx['rule']>[number]): string[] {
  const names = isA('ClusterVmHostRuleInfo', rule)
    ? [rule.vmGroupName, rule.affineHostGroupName, rule.antiAffineHostGroupName]
    : isA('ClusterDependencyRuleInfo', rule)
      ? [rule.vmGroup, rule.dependsOnVmGroup]
      : [];
  return names.filter((name) => name !== undefined);
}

function refuseUnsupported(spec: ClusterConfigSpecEx): void {
  const isWanted =
    spec.vsanConfig?.enabled === true ||
    (spec.vsanHostConfigSpec?.length ?? 0) > 0 ||
    spec.vsanCoreConfigSpec !== undefined ||
    spec.cryptoConfig !== undefined ||
    spec.systemVMsConfig !== undefined ||
    spec.inHciWorkflow === true ||
    spec.desiredSoftwareSpec !== undefined ||
    spec.hostSeedSpec !== undefined ||
    spec.enableConfigManager === true ||
    spec.softwareSpecId !== undefined ||
    spec.networkBootMode !== undefined;
  if (isWanted) throw new MethodFault('NotSupported');
}

function checkSettings(spec: ClusterConfigSpecEx, context: ClusterContext): void {
  if (spec.vmSwapPlacement !== undefined && !['vmDirectory', 'hostLocal'].includes(spec.vmSwapPlacement)) {
    throw invalidArgument('vmSwapPlacement');
  }
  checkRange(spec.drsConfig?.vmotionRate, 1, 5, 'drsConfig.vmotionRate');
  checkRange(spec.dpmConfig?.hostPowerActionRate, 1, 5, 'dpmConfig.hostPowerActionRate');
  const policy = spec.dasConfig?.admissionControlPolicy;
  const path = 'dasConfig.admissionControlPolicy';
  if (isA('ClusterFailoverLevelAdmissionControlPolicy', policy)) {
    checkRange(policy.failoverLevel, 1, 31, `${path}.failoverLevel`);
  } else if (isA('ClusterFailoverResourcesAdmissionControlPolicy', policy)) {
    checkRange(policy.cpuFailoverResourcesPercent, 0, 100, `${path}.cpuFailoverResourcesPercent`);
    checkRange(policy.memoryFailoverResourcesPercent, 0, 100, `${path}.memoryFailoverResourcesPercent`);
  } else if (isA('ClusterFailoverHostAdmissionControlPolicy', policy)) {
    if (policy.failoverHosts?.some((host) => !context.isMember(host))) throw invalidArgument(`${path}.failoverHosts`);
  }
}

function checkRange(value: number | undefined, min: number, max: number, path: string): void {
  if (value !== undefined && !(value >= min && value <= max)) throw invalidArgument(path);
}
