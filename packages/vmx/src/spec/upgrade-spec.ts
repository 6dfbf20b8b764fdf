// VirtualMachine.UpgradeVM_Task as a change of the configuration. Pure.
import { MethodFault, make, type VirtualMachineConfigInfo, type VirtualMachineConfigSpec } from '@vivarium/vim';
import { formatVersion } from '../config/topics/identity.ts';
import { DEFAULT_HARDWARE_VERSION, parseVersion } from './settings/identity-settings.ts';

/** `version` is a key such as 'vmx-19'; default: what new VMs get. Faults: AlreadyUpgraded, InvalidArgument (unknown, or older). */
export function upgradeSpec(
  { version: present }: Pick<VirtualMachineConfigInfo, 'version'>,
  version: string | undefined,
): VirtualMachineConfigSpec {
  const current = Number(present.replace('vmx-', ''));
  const wanted = version ? parseVersion(version) : DEFAULT_HARDWARE_VERSION;
  if (wanted === undefined || (version && wanted < current)) {
    throw new MethodFault('InvalidArgument', { invalidProperty: 'version' });
  }
  if (wanted <= current) throw new MethodFault('AlreadyUpgraded');
  return make('VirtualMachineConfigSpec', { version: formatVersion(wanted) });
}
