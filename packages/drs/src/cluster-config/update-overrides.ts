// What single VMs and hosts have of their own in a cluster's configuration: DRS, HA, restart order, power management.

import {
  type ClusterConfigInfoEx,
  type ClusterConfigSpecEx,
  type ClusterDasVmConfigInfo,
  type ClusterDpmHostConfigInfo,
  type ClusterDrsVmConfigInfo,
  type ClusterVmOrchestrationInfo,
  isRef,
  type ManagedObjectReference,
  type ManagedTypeName,
  moRefKey,
} from '@vivarium/vim';
import { type ArrayRules, type ArrayUpdate, applyArrayUpdates, invalidArgument } from './array-update.ts';
import type { ClusterContext } from './cluster-context.ts';
import { mergeSettings } from './merge-settings.ts';

type Overrides = Pick<ClusterConfigInfoEx, 'drsVmConfig' | 'dasVmConfig' | 'vmOrchestration' | 'dpmHostConfig'>;

/** An edit changes only what it sets. InvalidArgument for a VM or host of another cluster. */
export function updateOverrides(config: Overrides, spec: ClusterConfigSpecEx, context: ClusterContext): Overrides {
  const drs = withDefaults(
    rulesFor('drsVmConfigSpec', 'VirtualMachine', ({ key }: ClusterDrsVmConfigInfo) => key, context),
    // What the API says of a VM without a word about it, and clients (govc) take to be there.
    { enabled: true },
  );
  const das = rulesFor('dasVmConfigSpec', 'VirtualMachine', ({ key }: ClusterDasVmConfigInfo) => key, context);
  const order = rulesFor('vmOrchestrationSpec', 'VirtualMachine', ({ vm }: ClusterVmOrchestrationInfo) => vm, context);
  const dpm = rulesFor('dpmHostConfigSpec', 'HostSystem', ({ key }: ClusterDpmHostConfigInfo) => key, context);
  return {
    ...updated('drsVmConfig', config.drsVmConfig, spec.drsVmConfigSpec, drs),
    ...updated('dasVmConfig', config.dasVmConfig, spec.dasVmConfigSpec, das),
    ...updated('vmOrchestration', config.vmOrchestration, spec.vmOrchestrationSpec, order),
    ...updated('dpmHostConfig', config.dpmHostConfig, spec.dpmHostConfigSpec, dpm),
  };
}

function updated<Name extends string, Info>(
  name: Name,
  list: readonly Info[] | undefined,
  specs: readonly ArrayUpdate<Info>[] | undefined,
  rules: ArrayRules<Info>,
): { [K in Name]?: Info[] } {
  if (!specs || specs.length === 0) return {};
  return { [name]: applyArrayUpdates(list ?? [], specs, rules) } as { [K in Name]?: Info[] };
}

function rulesFor<Info extends object>(
  path: string,
  type: ManagedTypeName,
  refOf: (info: Info) => ManagedObjectReference,
  context: ClusterContext,
): ArrayRules<Info> {
  return {
    path,
    keyOf: (info) => moRefKey(refOf(info)),
    parseKey: (key) => (isReference(key) ? moRefKey(key) : undefined),
    add: (info) => {
      const ref = refOf(info);
      if (!isRef(type, ref) || !context.isMember(ref)) throw invalidArgument(`${path}.info`);
      return info;
    },
    edit: (old, info) => mergeSettings(old, info) ?? old,
  };
}

function withDefaults<Info extends object>(rules: ArrayRules<Info>, defaults: Partial<Info>): ArrayRules<Info> {
  return { ...rules, add: (info) => rules.add({ ...defaults, ...info }) };
}

function isReference(value: unknown): value is ManagedObjectReference {
  return typeof value === 'object' && value !== null && 'type' in value && 'value' in value;
}
