// The rules of a cluster, turned from lists of names into what a placement asks of one VM. Pure.

import {
  type ClusterConfigInfoEx,
  type ClusterRuleInfo,
  type ClusterVmHostRuleInfo,
  isA,
  type ManagedObjectReference,
} from '@vivarium/vim';

/** A VM-Host rule as it binds one VM. Hosts by the value of their moref. */
export interface HostRule {
  readonly rule: ClusterVmHostRuleInfo;
  readonly isMandatory: boolean;
  /** The only hosts to run on; undefined: any. */
  readonly affine: ReadonlySet<string> | undefined;
  readonly antiAffine: ReadonlySet<string> | undefined;
}

/** A rule between VMs. VMs by the value of their moref. */
export interface VmRule {
  readonly rule: ClusterRuleInfo;
  readonly isMandatory: boolean;
  /** true: all on one host; false: no two on one host. */
  readonly isTogether: boolean;
  readonly vms: readonly string[];
}

export interface RulesOfVm {
  readonly hostRules: readonly HostRule[];
  readonly vmRules: readonly VmRule[];
}

const NONE: RulesOfVm = { hostRules: [], vmRules: [] };

/** The enabled rules by VM; build it once per configuration. */
export class CompiledRules {
  readonly #byVm: ReadonlyMap<string, RulesOfVm>;

  private constructor(byVm: ReadonlyMap<string, RulesOfVm>) {
    this.#byVm = byVm;
  }

  /**
   * With DRS off only the mandatory rules between VMs and hosts hold: these bind whoever places a VM ("required affinity rules … remain
   * in effect", vSphere Resource Management).
   */
  static of(config: Pick<ClusterConfigInfoEx, 'rule' | 'group' | 'drsConfig'>): CompiledRules {
    const isDrsOn = config.drsConfig.enabled === true;
    const groups = membersByGroup(config);
    const byVm = new Map<string, { hostRules: HostRule[]; vmRules: VmRule[] }>();
    const of = (vm: string) => {
      const found = byVm.get(vm) ?? { hostRules: [], vmRules: [] };
      byVm.set(vm, found);
      return found;
    };
    for (const rule of config.rule ?? []) {
      if (rule.enabled !== true) continue;
      const isMandatory = rule.mandatory === true;
      if (isA('ClusterVmHostRuleInfo', rule)) {
        if (!isDrsOn && !isMandatory) continue;
        const affine = rule.affineHostGroupName ? new Set(groups.get(rule.affineHostGroupName)) : undefined;
        const antiAffine = rule.antiAffineHostGroupName ? new Set(groups.get(rule.antiAffineHostGroupName)) : undefined;
        for (const vm of groups.get(rule.vmGroupName ?? '') ?? []) {
          of(vm).hostRules.push({ rule, isMandatory, affine, antiAffine });
        }
      } else if (isDrsOn) {
        const vmRule = vmRuleOf(rule, isMandatory);
        for (const vm of vmRule?.vms ?? []) of(vm).vmRules.push(vmRule as VmRule);
      }
    }
    return new CompiledRules(byVm);
  }

  forVm(vm: ManagedObjectReference): RulesOfVm {
    return this.#byVm.get(vm.value) ?? NONE;
  }
}

function vmRuleOf(rule: ClusterRuleInfo, isMandatory: boolean): VmRule | undefined {
  if (isA('ClusterAffinityRuleSpec', rule)) {
    return { rule, isMandatory, isTogether: true, vms: rule.vm.map(({ value }) => value) };
  }
  if (isA('ClusterAntiAffinityRuleSpec', rule)) {
    return { rule, isMandatory, isTogether: false, vms: rule.vm.map(({ value }) => value) };
  }
  return undefined;
}

function membersByGroup(config: Pick<ClusterConfigInfoEx, 'group'>): ReadonlyMap<string, readonly string[]> {
  const members = new Map<string, readonly string[]>();
  for (const group of config.group ?? []) {
    if (isA('ClusterVmGroup', group))
      members.set(
        group.name,
        (group.vm ?? []).map(({ value }) => value),
      );
    else if (isA('ClusterHostGroup', group))
      members.set(
        group.name,
        (group.host ?? []).map(({ value }) => value),
      );
  }
  return members;
}
