// The rules of some VMs that are to share a host, bound to where everybody else is now: what they say to a candidate host. Pure.

import { type ManagedObjectReference, MethodFault } from '@vivarium/vim';
import type { HostSnapshot } from '../snapshot/host-snapshot.ts';
import type { CompiledRules, HostRule, VmRule } from './compiled-rules.ts';

interface NamedVm {
  readonly vm: ManagedObjectReference;
  readonly name: string;
}

/** One rule as it stands for one VM. Hosts by the value of their moref. */
interface BoundRule {
  readonly isMandatory: boolean;
  readonly isBroken: (host: string) => boolean;
  readonly fault: (host: HostSnapshot) => MethodFault;
}

export class BoundRules {
  readonly #mandatory: readonly BoundRule[];
  readonly #optional: readonly BoundRule[];

  /** `hostOf`: where another VM runs, or is about to run; by the values of morefs. */
  constructor(vms: readonly NamedVm[], rules: CompiledRules, hostOf: (vm: string) => string | undefined) {
    const together = new Set(vms.map(({ vm }) => vm.value));
    const bound = vms.flatMap((vm) => {
      const { hostRules, vmRules } = rules.forVm(vm.vm);
      return [
        ...hostRules.map((rule) => bindHostRule(rule, vm)),
        ...vmRules.map((rule) => bindVmRule(rule, together, hostOf)),
      ];
    });
    this.#mandatory = bound.filter(({ isMandatory }) => isMandatory);
    this.#optional = bound.filter(({ isMandatory }) => !isMandatory);
  }

  isForbidden(host: string): boolean {
    return this.#mandatory.some(({ isBroken }) => isBroken(host));
  }

  /** How many optional rules are broken there. */
  brokenRules(host: string): number {
    let count = 0;
    for (const { isBroken } of this.#optional) if (isBroken(host)) count += 1;
    return count;
  }

  /** RuleViolation between VMs, VmHostAffinityRuleViolation between VM and host, for each mandatory rule that is broken there. */
  findFaults(host: HostSnapshot): MethodFault[] {
    return this.#mandatory.filter(({ isBroken }) => isBroken(host.host.value)).map(({ fault }) => fault(host));
  }
}

function bindHostRule({ isMandatory, affine, antiAffine }: HostRule, { name }: NamedVm): BoundRule {
  return {
    isMandatory,
    isBroken: (host) => affine?.has(host) === false || antiAffine?.has(host) === true,
    fault: (host) =>
      new MethodFault('VmHostAffinityRuleViolation', { vmName: name, hostName: host.name }) as MethodFault,
  };
}

/** A rule that is broken already is kept by joining any of its VMs. */
function bindVmRule(
  { rule, isMandatory, isTogether, vms }: VmRule,
  together: ReadonlySet<string>,
  hostOf: (vm: string) => string | undefined,
): BoundRule {
  const hosts = new Set(vms.filter((vm) => !together.has(vm)).map(hostOf));
  hosts.delete(undefined);
  return {
    isMandatory,
    isBroken: isTogether ? (host) => hosts.size > 0 && !hosts.has(host) : (host) => hosts.has(host),
    fault: ({ host }) => new MethodFault('RuleViolation', { host, rule }) as MethodFault,
  };
}
