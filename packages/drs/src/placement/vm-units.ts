// VMs that a rule keeps on one host are placed as one. Pure.

import type { CompiledRules } from '../rules/compiled-rules.ts';
import type { VmNeeds } from '../snapshot/vm-needs.ts';
import type { Amounts } from './host-load.ts';

export interface Unit extends Amounts {
  readonly vms: readonly VmNeeds[];
}

/** `strength`: tied by any enabled rule, or by mandatory ones only. Units come in the order of their first VM. */
export function unitsOf(vms: readonly VmNeeds[], rules: CompiledRules, strength: 'any' | 'mandatory'): Unit[] {
  const groups = new Map<string, VmNeeds[]>(vms.map((vm) => [vm.vm.value, [vm]]));
  for (const { vm } of vms) {
    for (const rule of rules.forVm(vm).vmRules) {
      if (!rule.isTogether || (strength === 'mandatory' && !rule.isMandatory)) continue;
      for (const other of rule.vms) join(groups, vm.value, other);
    }
  }
  return [...new Set(groups.values())].map(unitOf);
}

function join(groups: Map<string, VmNeeds[]>, vm: string, other: string): void {
  const [group, joined] = [groups.get(vm), groups.get(other)];
  if (!group || !joined || group === joined) return;
  group.push(...joined);
  for (const moved of joined) groups.set(moved.vm.value, group);
}

export function unitOf(vms: readonly VmNeeds[]): Unit {
  const total = (amount: (vm: VmNeeds) => number) => vms.reduce((sum, vm) => sum + amount(vm), 0);
  return {
    vms,
    vmCount: vms.length,
    reservation: {
      cpuMhz: total(({ reservation }) => reservation.cpuMhz),
      memoryMB: total(({ reservation }) => reservation.memoryMB),
    },
    demand: {
      cpuMhz: total(({ demand }) => demand.cpuMhz),
      memoryMB: total(({ demand }) => demand.memoryMB),
    },
  };
}
