// How far DRS acts by itself for one VM: the cluster's default, or the VM's own setting where overrides are enabled. Pure.

import { type ClusterConfigInfoEx, type DrsBehavior, type MoRef, sameRef } from '@vivarium/vim';

/** undefined: DRS leaves the VM alone, because it is off for the cluster or for this VM. */
export function drsBehaviorOf(config: ClusterConfigInfoEx, vm: MoRef<'VirtualMachine'>): DrsBehavior | undefined {
  const { drsConfig, drsVmConfig } = config;
  if (drsConfig.enabled !== true) return undefined;
  const normal = drsConfig.defaultVmBehavior ?? 'fullyAutomated';
  if (drsConfig.enableVmBehaviorOverrides === false) return normal;
  const own = drsVmConfig?.find(({ key }) => sameRef(key, vm));
  return own?.enabled === false ? undefined : (own?.behavior ?? normal);
}
